import { HoldfastError } from "../../errors.ts";

/**
 * A segment: the pairs of old keys and new ids that one build added to a map. Numbers are big-endian, without a sign.
 *
 *     magic     "HFIDMAP1"
 *     forward   blocks of at most 16 KiB (64 KiB where one key needs it), pairs in the order of their encoded old keys
 *     reverse   blocks of at most 16 KiB, entries in the order of the new ids
 *     index     for each forward block: bytes (4), pairs (2), prefix (2), SHA-256 (32), bytes of its first key (2), first key;
 *               then for each reverse block: SHA-256 (32), first id
 *     info      the manifest as JSON, without what it says about this file
 *     tail      places of the index and the info (8 each), forward and reverse blocks (4 each), SHA-256 of index and
 *               info (32), magic
 *
 * A forward block holds: pairs (2), bytes of the prefix that all its keys share (2), the prefix; a hash table of the
 * keys; the rows in key order: new id, length of the rest (2), rest of the key. The table (forwardBlock.ts) tells in which
 * row a key may stand: a search takes as long as the lines of memory that it touches, and so it is two or three of a
 * block, not ten.
 *
 * A reverse entry is a new id and the number of its pair in the forward order (4): all entries of a block are of one
 * length. New ids are unique when they ascend in it without a repetition, and each pair is named by one.
 *
 * The manifest names the digest of the index, which has those of all blocks: whatever is read is proved by the manifest
 * without reading the rest.
 */
export const MAGIC = Buffer.from("HFIDMAP1");
export const BLOCK_BYTES = 16 * 1024;
/** Of a block with a single pair. */
export const MOST_BYTES = 64 * 1024;
export const DIGEST_BYTES = 32;
export const HEADER_BYTES = 4;
/** Of the length of a row's rest. */
export const LENGTH_BYTES = 2;
export const ORDINAL_BYTES = 4;
/** The most pairs of a segment, by the numbers that count them. */
export const MOST_PAIRS = 2 ** 32 - 1;
/** Of an encoded key: above any that Datastore takes (6 KiB), below what a block holds. */
export const MAX_KEY = 32 * 1024;

/** Where the parts of a segment lie. */
export interface Tail {
	index: number;
	info: number;
	forward: number;
	reverse: number;
	/** SHA-256 of index and info. */
	digest: Buffer;
}
export const TAIL_BYTES = 8 + 8 + 4 + 4 + DIGEST_BYTES + MAGIC.length;

export function encodeTail({ index, info, forward, reverse, digest }: Tail): Buffer {
	const tail = Buffer.alloc(TAIL_BYTES);
	tail.writeBigUInt64BE(BigInt(index), 0);
	tail.writeBigUInt64BE(BigInt(info), 8);
	tail.writeUInt32BE(forward, 16);
	tail.writeUInt32BE(reverse, 20);
	digest.copy(tail, 24);
	MAGIC.copy(tail, 24 + DIGEST_BYTES);
	return tail;
}

/** `undefined`: these are no tail's bytes. */
export function decodeTail(tail: Buffer): Tail | undefined {
	if (tail.length !== TAIL_BYTES || !tail.subarray(-MAGIC.length).equals(MAGIC)) return undefined;
	return {
		index: Number(tail.readBigUInt64BE(0)),
		info: Number(tail.readBigUInt64BE(8)),
		forward: tail.readUInt32BE(16),
		reverse: tail.readUInt32BE(20),
		digest: tail.subarray(24, 24 + DIGEST_BYTES),
	};
}

/** Entries of a reverse block. */
export const entriesPerBlock = (idBytes: number): number => Math.floor(BLOCK_BYTES / (idBytes + ORDINAL_BYTES));

export const damaged = (path: string, what: string) =>
	new HoldfastError("HF_DAMAGED", `the id map's file ${path} is cut off or altered: ${what}`, {
		next: "restore it from a copy; whoever has the secret of a deterministic map can also build it again elsewhere",
	});
