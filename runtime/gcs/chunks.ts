import type { Readable } from "node:stream";

/** Of an upload: a multiple of 256 KiB, but for the last. */
export interface Chunk {
	bytes: Buffer;
	/** Byte at which it begins. */
	start: number;
	last: boolean;
}

const CHUNK_BYTES = 8 * 1024 * 1024;

/** Contents in chunks of 8 MiB; the last one may be shorter, or empty. */
export async function* chunksOf(contents: Readable | Buffer, size = CHUNK_BYTES): AsyncGenerator<Chunk> {
	let held: Buffer[] = [];
	let bytes = 0;
	let start = 0;
	for await (const piece of Buffer.isBuffer(contents) ? [contents] : (contents as AsyncIterable<Buffer>)) {
		held.push(piece);
		bytes += piece.length;
		if (bytes <= size) continue;
		const whole = Buffer.concat(held);
		let at = 0;
		// What fills a chunk exactly waits: it may be the last.
		for (; whole.length - at > size; at += size)
			yield { bytes: whole.subarray(at, at + size), start: start + at, last: false };
		held = [whole.subarray(at)];
		bytes -= at;
		start += at;
	}
	yield { bytes: Buffer.concat(held), start, last: true };
}
