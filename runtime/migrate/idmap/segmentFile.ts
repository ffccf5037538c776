import { createHash } from "node:crypto";
import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { damaged, decodeTail, MAGIC, TAIL_BYTES, type Tail } from "./format.ts";

/** An open segment, of which no block is read yet. */
export interface SegmentFile {
	/** To be closed by who opened it. */
	file: number;
	size: number;
	tail: Tail;
	index: Buffer;
	/** Text of a `SegmentInfo`. */
	info: string;
}

/** HF_DAMAGED when it does not begin and end as a segment does, or its index is not what its end says. */
export function openSegmentFile(path: string): SegmentFile {
	const file = openFile(path);
	try {
		return { file, ...readParts(file, path) };
	} catch (error) {
		closeSync(file);
		throw error;
	}
}

function openFile(path: string): number {
	try {
		return openSync(path, "r");
	} catch (error) {
		if ((error as NodeJS.ErrnoException).code === "ENOENT") throw damaged(path, "it is missing");
		throw error;
	}
}

function readParts(file: number, path: string): Omit<SegmentFile, "file"> {
	const { size } = fstatSync(file);
	if (size < MAGIC.length + TAIL_BYTES) throw damaged(path, "it is too short");
	if (!readAt(file, 0, MAGIC.length, path).equals(MAGIC)) throw damaged(path, "it does not begin as a segment does");
	const end = size - TAIL_BYTES;
	const tail = decodeTail(readAt(file, end, TAIL_BYTES, path));
	if (!tail || tail.index < MAGIC.length || tail.info < tail.index || tail.info > end)
		throw damaged(path, "it does not end as a segment does");
	const index = readAt(file, tail.index, tail.info - tail.index, path);
	const info = readAt(file, tail.info, end - tail.info, path);
	if (!createHash("sha256").update(index).update(info).digest().equals(tail.digest))
		throw damaged(path, "the digest of its index does not fit");
	return { size, tail, index, info: info.toString("utf8") };
}

/** Bytes of a file from `position`. */
export function readAt(file: number, position: number, length: number, path: string): Buffer {
	const bytes = Buffer.allocUnsafeSlow(length);
	for (let at = 0; at < length; ) {
		const read = readSync(file, bytes, at, length - at, position + at);
		if (read === 0) throw damaged(path, "it ends early");
		at += read;
	}
	return bytes;
}
