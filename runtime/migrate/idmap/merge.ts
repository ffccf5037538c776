import { compareBytes } from "./bytes.ts";
import { compareRows, MAX_ROW, type Row, RunReader } from "./rows.ts";

/** Rows of several runs as one sorted sequence without duplicates. */
export class Merge implements Row {
	/** A heap: the run whose row is smallest is first. */
	readonly #heap: RunReader[] = [];
	readonly #all: RunReader[];
	/** The current row: its run goes on before the next one is known. */
	readonly bytes = Buffer.allocUnsafeSlow(MAX_ROW);
	readonly from = 0;
	to = 0;
	#begun = false;

	constructor(paths: readonly string[]) {
		this.#all = paths.map((path) => new RunReader(path));
		for (const run of this.#all) if (run.next()) this.#heap.push(run);
		for (let i = (this.#heap.length >> 1) - 1; i >= 0; i--) this.#sink(i);
	}

	/** Goes to the next row; false after the last one. */
	next(): boolean {
		for (let top = this.#heap[0]; top !== undefined; top = this.#heap[0]) {
			const repeated = this.#begun && compareBytes(top.bytes, top.from, top.to, this.bytes, 0, this.to) === 0;
			if (!repeated) {
				top.bytes.copy(this.bytes, 0, top.from, top.to);
				this.to = top.to - top.from;
				this.#begun = true;
			}
			this.#advance(top);
			if (!repeated) return true;
		}
		return false;
	}

	#advance(top: RunReader): void {
		if (!top.next()) {
			const last = this.#heap.pop()!;
			if (this.#heap.length > 0) this.#heap[0] = last;
		}
		this.#sink(0);
	}

	#sink(from: number): void {
		const heap = this.#heap;
		for (let at = from; ; ) {
			let least = at;
			for (let child = 2 * at + 1; child <= 2 * at + 2 && child < heap.length; child++)
				if (compareRows(heap[child]!, heap[least]!) < 0) least = child;
			if (least === at) return;
			[heap[at], heap[least]] = [heap[least]!, heap[at]!];
			at = least;
		}
	}

	close(): void {
		for (const run of this.#all) run.close();
	}
}
