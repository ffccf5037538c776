import type { HeaderPage, RecordPage } from "./port.ts";
import { headerLength } from "./record.ts";

/** Bytes of the length in front of a key. */
const lengthBytes = 2;

/** Headers as a node packs them: key length (2 bytes, big-endian), key, header. */
export function unpackHeaders(packed: Buffer): HeaderPage["entries"] {
	const entries: { key: Buffer; header: string }[] = [];
	let at = 0;
	while (at < packed.length) {
		const start = at + lengthBytes;
		const end = start + packed.readUInt16BE(at);
		at = end + headerLength;
		entries.push({ key: packed.subarray(start, end), header: packed.toString("latin1", end, at) });
	}
	return entries;
}

export function packHeaders(entries: HeaderPage["entries"]): Buffer {
	let size = entries.length * (lengthBytes + headerLength);
	for (const { key } of entries) size += key.length;
	const packed = Buffer.allocUnsafe(size);
	let at = 0;
	for (const { key, header } of entries) {
		at = packed.writeUInt16BE(key.length, at);
		packed.set(key, at);
		at += key.length;
		at += packed.write(header, at, headerLength, "latin1");
	}
	return packed;
}

/** Reply of the scripts that pack records. */
export type PackedRecords = [cursor: Buffer, records: Buffer, count: number, large: Buffer[]];

export function recordPage([cursor, records, count, large]: PackedRecords): RecordPage {
	return { cursor: cursor.toString("latin1"), records, count, large };
}
