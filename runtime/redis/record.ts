import { crc32 } from "node:zlib";
import { greatestMs, hexMs, msOf, type Stamp, stampLength } from "./stamp.ts";
import type { Value } from "./store.ts";

/**
 * A record is a header of 53 ASCII bytes and the payload. Header: stamp (32), kind (1), expiry as hex milliseconds since
 * 1970 (12, all f for never), crc32 of the payload (8 hex). Of two records the one with the greater header wins, as
 * strings; equal headers are the same record. So a tie of stamps is decided alike everywhere, and comparing two nodes
 * needs headers only.
 */
export const headerLength = 53;

/** The first 53 characters of a record. */
export type Header = string;

export type RecordState = "live" | "expired" | "deleted";

const never = "f".repeat(12);
const syntax = /^[0-9a-f]{32}[012d][0-9a-f]{20}$/;
const letters = { text: "0", json: "1", bytes: "2" } as const;
const kinds: Readonly<Record<string, Value["kind"]>> = { 0: "text", 1: "json", 2: "bytes" };
const nothing = Buffer.alloc(0);

/** The record of a value, or the tombstone that deletes it. */
export function encodeRecord(stamp: Stamp, value: Value | undefined): Buffer {
	const payload = value ? value.payload : nothing;
	const kind = value ? letters[value.kind] : "d";
	const expiry = value?.expiresAt === undefined ? never : hexMs(checkedExpiry(value.expiresAt));
	const record = Buffer.allocUnsafe(headerLength + payload.length);
	record.write(stamp + kind + expiry + crc32(payload).toString(16).padStart(8, "0"), 0, headerLength, "latin1");
	record.set(payload, headerLength);
	return record;
}

/** One less than what twelve hex characters hold, which says never. */
function checkedExpiry(at: number): number {
	if (!Number.isInteger(at) || at < 0 || at >= greatestMs)
		throw new RangeError("an expiry is in whole milliseconds since 1970");
	return at;
}

/** The header of a record; nothing for a string that cannot be one of ours. */
export function headerOf(record: Buffer): Header | undefined {
	if (record.length < headerLength) return undefined;
	const header = record.toString("latin1", 0, headerLength);
	return isHeader(header) ? header : undefined;
}

export function isHeader(text: string): text is Header {
	return syntax.test(text);
}

export function stampOf(header: Header): Stamp {
	return header.slice(0, stampLength);
}

/** Milliseconds since 1970 after which the record reads as deleted; nothing: never. */
export function expiryOf(header: Header): number | undefined {
	const hex = header.slice(33, 45);
	return hex === never ? undefined : Number.parseInt(hex, 16);
}

export function stateOf(header: Header, now: number): RecordState {
	if (header.charAt(stampLength) === "d") return "deleted";
	const expiry = expiryOf(header);
	return expiry !== undefined && expiry <= now ? "expired" : "live";
}

/**
 * Milliseconds since 1970 when Redis may drop the record; nothing: never. Later than it stops being read by the grace:
 * until then it overrules older copies on nodes that were away. The scripts compute the same.
 */
export function physicalExpiry(header: Header, graceMs: number): number | undefined {
	if (header.charAt(stampLength) === "d") return msOf(header) + graceMs;
	const expiry = expiryOf(header);
	return expiry === undefined ? undefined : expiry + graceMs;
}

/** Whether the payload is the one that the header was written for. */
export function isWhole(record: Buffer): boolean {
	const sum = crc32(record.subarray(headerLength)).toString(16).padStart(8, "0");
	return sum === record.toString("latin1", 45, headerLength);
}

/** What a client wrote, from a live record whose header was checked; the payload shares the record's memory. */
export function valueIn(record: Buffer, header: Header): Value {
	const kind = kinds[header.charAt(stampLength)];
	if (!kind) throw new TypeError("a tombstone has no value");
	const expiresAt = expiryOf(header);
	const value: Value = { kind, payload: record.subarray(headerLength) };
	if (expiresAt !== undefined) value.expiresAt = expiresAt;
	return value;
}
