import { closeSync, openSync, readSync, writeSync } from "node:fs";
import { compareBytes } from "./bytes.ts";

/** Rows of a run are written as their length (2 bytes) and their bytes. */
export const LENGTH_BYTES = 2;
export const MAX_ROW = 0xffff;
const CHUNK = 128 * 1024;

/** A row that stands in a buffer; true for the time until the next one is asked for. */
export interface Row {
	bytes: Buffer;
	from: number;
	to: number;
}

export const compareRows = (a: Row, b: Row): number => compareBytes(a.bytes, a.from, a.to, b.bytes, b.from, b.to);

/** Writes a run; what is not a multiple of a chunk is written at the end. */
export class RunWriter {
	readonly #file: number;
	readonly #buffer = Buffer.allocUnsafeSlow(CHUNK + LENGTH_BYTES + MAX_ROW);
	#length = 0;

	constructor(path: string) {
		this.#file = openSync(path, "wx", 0o600);
	}

	add(bytes: Buffer, from: number, to: number): void {
		const buffer = this.#buffer;
		const length = to - from;
		buffer[this.#length] = length >> 8;
		buffer[this.#length + 1] = length & 0xff;
		bytes.copy(buffer, this.#length + LENGTH_BYTES, from, to);
		this.#length += LENGTH_BYTES + length;
		if (this.#length >= CHUNK) this.#flush();
	}

	#flush(): void {
		for (let at = 0; at < this.#length; ) at += writeSync(this.#file, this.#buffer, at, this.#length - at);
		this.#length = 0;
	}

	close(): void {
		try {
			this.#flush();
		} finally {
			closeSync(this.#file);
		}
	}
}

/** Reads a run from its beginning. */
export class RunReader implements Row {
	readonly #file: number;
	readonly bytes = Buffer.allocUnsafeSlow(CHUNK + LENGTH_BYTES + MAX_ROW);
	from = 0;
	to = 0;
	#filled = 0;

	constructor(path: string) {
		this.#file = openSync(path, "r");
	}

	/** Goes to the next row; false after the last one. */
	next(): boolean {
		if (!this.#has(this.to + LENGTH_BYTES)) return false;
		const length = (this.bytes[this.to]! << 8) | this.bytes[this.to + 1]!;
		if (!this.#has(this.to + LENGTH_BYTES + length)) return false;
		this.from = this.to + LENGTH_BYTES;
		this.to = this.from + length;
		return true;
	}

	/** Whether the buffer is filled up to `end`, or is after what follows the current row was moved to its beginning. */
	#has(end: number): boolean {
		if (end <= this.#filled) return true;
		const needed = end - this.to;
		this.bytes.copyWithin(0, this.to, this.#filled);
		this.#filled -= this.to;
		this.from = 0;
		this.to = 0;
		for (;;) {
			const read = readSync(this.#file, this.bytes, this.#filled, this.bytes.length - this.#filled, null);
			this.#filled += read;
			if (this.#filled >= needed || read === 0) return this.#filled >= needed;
		}
	}

	close(): void {
		closeSync(this.#file);
	}
}
