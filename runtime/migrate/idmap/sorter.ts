import { rmSync } from "node:fs";
import { join } from "node:path";
import { Merge } from "./merge.ts";
import { compareAt, sortRows } from "./multikey.ts";
import { LENGTH_BYTES, MAX_ROW, RunWriter } from "./rows.ts";

/** What a sort takes of memory and of open files. */
export interface SorterLimits {
	/** Bytes of rows that are sorted at once in memory. */
	arena: number;
	/** Rows sorted at once: their places take 4 bytes each. */
	rows: number;
	/** Runs merged at once, by their open files and buffers (200 KiB each). */
	fanIn: number;
}
const LIMITS: SorterLimits = { arena: 16 * 1024 * 1024, rows: 1024 * 1024, fanIn: 128 };

/**
 * Sorts any number of byte strings in bounded memory, without duplicates: runs of 16 MiB are sorted in memory and
 * written to `folder`, then merged. At most 20 MiB while rows are added, and 26 MiB while they are merged.
 */
export class Sorter {
	readonly #folder: string;
	readonly #name: string;
	readonly #limits: SorterLimits;
	#arena: Buffer | undefined;
	#rows: Uint32Array | undefined;
	#used = 0;
	#count = 0;
	/** Rows so far came in order: those of a source that is sorted itself need no sort. */
	#inOrder = true;
	#runs: string[] = [];
	#made = 0;

	constructor(folder: string, name: string, limits = LIMITS) {
		this.#folder = folder;
		this.#name = name;
		this.#limits = limits;
		// Pages that are never written to take no memory.
		this.#arena = Buffer.allocUnsafeSlow(limits.arena);
		this.#rows = new Uint32Array(limits.rows);
	}

	/** At most 65,535 bytes, and no more than the arena holds. */
	add(bytes: Buffer, from = 0, to = bytes.length): void {
		const length = to - from;
		if (length > MAX_ROW) throw new RangeError("a row is longer than 65,535 bytes");
		const { arena: most, rows: mostRows } = this.#limits;
		if (this.#used + LENGTH_BYTES + length > most || this.#count === mostRows) this.#writeRun();
		const arena = this.#arena!;
		const at = this.#used;
		arena[at] = length >> 8;
		arena[at + 1] = length & 0xff;
		bytes.copy(arena, at + LENGTH_BYTES, from, to);
		if (this.#inOrder && this.#count > 0) this.#inOrder = compareAt(arena, this.#rows![this.#count - 1]!, at, 0) <= 0;
		this.#rows![this.#count++] = at;
		this.#used = at + LENGTH_BYTES + length;
	}

	#writeRun(): void {
		const arena = this.#arena!;
		const rows = this.#rows!.subarray(0, this.#count);
		if (!this.#inOrder) sortRows(arena, rows);
		const run = new RunWriter(this.#nextRun());
		let before = -1;
		for (const row of rows) {
			if (before === -1 || compareAt(arena, before, row, 0) !== 0) {
				const from = row + LENGTH_BYTES;
				run.add(arena, from, from + ((arena[row]! << 8) | arena[row + 1]!));
			}
			before = row;
		}
		run.close();
		this.#used = 0;
		this.#count = 0;
		this.#inOrder = true;
		if (this.#runs.length === this.#limits.fanIn) this.#mergeRuns();
	}

	#nextRun(): string {
		const path = join(this.#folder, `${this.#name}-${this.#made++}`);
		this.#runs.push(path);
		return path;
	}

	/** All runs into one. */
	#mergeRuns(): void {
		const before = this.#runs;
		this.#runs = [];
		const merge = new Merge(before);
		const run = new RunWriter(this.#nextRun());
		while (merge.next()) run.add(merge.bytes, merge.from, merge.to);
		run.close();
		merge.close();
		for (const path of before) rmSync(path);
	}

	/** All rows in order; nothing can be added after it. Gives back the memory of the sort. */
	sorted(): Merge {
		if (this.#count > 0) this.#writeRun();
		this.#arena = undefined;
		this.#rows = undefined;
		return new Merge(this.#runs);
	}
}
