import { DIGEST_BYTES, damaged, entriesPerBlock, MAGIC, ORDINAL_BYTES, type Tail } from "./format.ts";
import { ID_BYTES } from "./idText.ts";
import type { Manifest } from "./manifest.ts";

/** Before the digest of a forward block: size, pairs, prefix; before its first key also the digest and the key's length. */
const NUMBER_BYTES = 8;
const ENTRY_BYTES = NUMBER_BYTES + DIGEST_BYTES + 2;

/**
 * Where the blocks of a segment lie and what they begin with: about 300 KiB for a million pairs. Forward blocks come
 * first, then reverse blocks. What a search needs stands close together, apart from the digests.
 */
export class SegmentIndex {
	readonly forward: number;
	readonly blocks: number;
	/** Place of each block in the file; one more for the end of the last. */
	readonly places: Float64Array;
	/** Number of the first pair of each forward block; one more for the count of all. */
	readonly ordinals: Float64Array;
	/** Bytes of the prefix of each forward block. */
	readonly prefixes: Uint16Array;
	/** First keys of the forward blocks, one after the other, and where each begins; one more for the end of the last. */
	readonly #keys: Buffer;
	readonly #keyPlaces: Uint32Array;
	/** The part of the file: digests and first ids are taken from it. */
	readonly #index: Buffer;
	readonly #idBytes: number;
	/** Where the reverse blocks begin in it. */
	readonly #reverseFrom: number;
	/** Of the last search: how many bytes the key shares with the first key of the block that was found. */
	shared = 0;

	/** `index`: the bytes of the part. HF_DAMAGED when its numbers do not fit together. */
	constructor(index: Buffer, tail: Tail, manifest: Manifest, path: string) {
		this.#index = index;
		this.#idBytes = ID_BYTES[manifest.format];
		this.forward = tail.forward;
		this.blocks = tail.forward + tail.reverse;
		this.places = new Float64Array(this.blocks + 1);
		this.ordinals = new Float64Array(this.forward + 1);
		this.prefixes = new Uint16Array(this.forward);
		this.#reverseFrom = index.length - tail.reverse * (DIGEST_BYTES + this.#idBytes);
		this.#keys = Buffer.alloc(Math.max(0, this.#reverseFrom - this.forward * ENTRY_BYTES));
		this.#keyPlaces = new Uint32Array(this.forward + 1);
		this.places[0] = MAGIC.length;
		const end = this.#readForward();
		this.#placeReverse(manifest.count);
		const fits =
			end === this.#reverseFrom &&
			this.places[this.blocks] === tail.index &&
			this.ordinals[this.forward] === manifest.count;
		if (!fits) throw damaged(path, "its index does not fit its blocks");
	}

	#readForward(): number {
		const index = this.#index;
		let at = 0;
		for (let block = 0; block < this.forward; block++) {
			this.places[block + 1] = this.places[block]! + index.readUInt32BE(at);
			this.ordinals[block + 1] = this.ordinals[block]! + index.readUInt16BE(at + 4);
			this.prefixes[block] = index.readUInt16BE(at + 6);
			const key = at + ENTRY_BYTES;
			at = key + index.readUInt16BE(key - 2);
			this.#keyPlaces[block + 1] = this.#keyPlaces[block]! + at - key;
			index.copy(this.#keys, this.#keyPlaces[block]!, key, at);
		}
		return at;
	}

	#placeReverse(count: number): void {
		const entry = this.#idBytes + ORDINAL_BYTES;
		const most = entriesPerBlock(this.#idBytes);
		for (let block = this.forward, left = count; block < this.blocks; block++, left -= most)
			this.places[block + 1] = this.places[block]! + Math.min(most, left) * entry;
	}

	/** SHA-256 of a block, as hex. */
	digest(block: number): string {
		const at =
			block < this.forward ? this.#keyPlaces[block]! + block * ENTRY_BYTES + NUMBER_BYTES : this.#reverseAt(block);
		return this.#index.toString("hex", at, at + DIGEST_BYTES);
	}

	#reverseAt(block: number): number {
		return this.#reverseFrom + (block - this.forward) * (DIGEST_BYTES + this.#idBytes);
	}

	/**
	 * The forward block that has a key, if any has: the last one whose first key is not above it; -1 when none has it.
	 * What the bounds of the search share with the key is not compared again.
	 */
	findForward(key: Uint8Array): number {
		let low = -1;
		let high = this.forward;
		let lowShared = 0;
		let highShared = 0;
		while (high - low > 1) {
			const middle = (low + high) >> 1;
			if (this.#isAbove(middle, key, Math.min(lowShared, highShared))) {
				high = middle;
				highShared = this.shared;
			} else {
				low = middle;
				lowShared = this.shared;
			}
		}
		this.shared = lowShared;
		return low !== -1 && lowShared >= this.prefixes[low]! ? low : -1;
	}

	/** Whether a block is the one that `findForward` would find. */
	isIn(block: number, key: Uint8Array): boolean {
		if (block + 1 < this.forward && !this.#isAbove(block + 1, key, 0)) return false;
		return !this.#isAbove(block, key, 0) && this.shared >= this.prefixes[block]!;
	}

	/** Whether the first key of a block is above a key, of which it shares `shared` bytes at least. */
	#isAbove(block: number, key: Uint8Array, shared: number): boolean {
		const keys = this.#keys;
		const from = this.#keyPlaces[block]!;
		const length = this.#keyPlaces[block + 1]! - from;
		const most = Math.min(length, key.length);
		let same = shared;
		while (same < most && keys[from + same] === key[same]) same++;
		this.shared = same;
		return same === most ? length > key.length : keys[from + same]! > key[same]!;
	}

	/** The reverse block that has an id, if any has: the last one whose first id is not above it. */
	findReverse(id: Buffer): number {
		let low = this.forward - 1;
		let high = this.blocks;
		while (high - low > 1) {
			const middle = (low + high) >> 1;
			const from = this.#reverseAt(middle) + DIGEST_BYTES;
			if (this.#index.compare(id, 0, this.#idBytes, from, from + this.#idBytes) > 0) high = middle;
			else low = middle;
		}
		return low < this.forward ? -1 : low;
	}

	pairs(block: number): number {
		return this.ordinals[block + 1]! - this.ordinals[block]!;
	}

	/** The forward block of a pair. */
	blockOf(ordinal: number): number {
		let low = 0;
		let high = this.forward;
		while (high - low > 1) {
			const middle = (low + high) >> 1;
			if (this.ordinals[middle]! > ordinal) high = middle;
			else low = middle;
		}
		return low;
	}
}
