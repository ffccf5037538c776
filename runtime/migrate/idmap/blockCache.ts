/**
 * Blocks as they stand in their file, within a bound of bytes. Which one goes is found by the clock algorithm: a hand
 * goes around and takes the first block that was not used since it last passed; a use costs one store.
 */
export class BlockCache {
	readonly #limit: number;
	readonly #blocks: (Buffer | undefined)[] = [];
	#used = new Uint8Array();
	#held = 0;
	#hand = 0;

	constructor(limit: number) {
		this.#limit = limit;
	}

	/** Makes places for blocks; the number of the first. */
	reserve(count: number): number {
		const first = this.#blocks.length;
		for (let i = 0; i < count; i++) this.#blocks.push(undefined);
		this.#used = new Uint8Array(this.#blocks.length);
		return first;
	}

	get(place: number): Buffer | undefined {
		this.#used[place] = 1;
		return this.#blocks[place];
	}

	/** One block is held whatever its size. */
	put(place: number, block: Buffer): void {
		while (this.#held > 0 && this.#held + block.length > this.#limit) this.#evict();
		this.#blocks[place] = block;
		this.#held += block.length;
	}

	#evict(): void {
		for (; ; this.#hand = (this.#hand + 1) % this.#blocks.length) {
			const block = this.#blocks[this.#hand];
			if (block === undefined) continue;
			if (this.#used[this.#hand] === 0) {
				this.#blocks[this.#hand] = undefined;
				this.#held -= block.length;
				return;
			}
			this.#used[this.#hand] = 0;
		}
	}

	get held(): number {
		return this.#held;
	}
}
