import { commonPrefix } from "./bytes.ts";
import { BLOCK_BYTES, HEADER_BYTES, LENGTH_BYTES, MOST_BYTES } from "./format.ts";

const u16 = (block: Buffer, at: number): number => (block[at]! << 8) | block[at + 1]!;

/**
 * Slots (2 bytes) of the table of a block: a power of two, a third to two thirds of them in use. A slot has where a row
 * begins among the rows (14 bits, all set where the slot is free) below two bits of the key's hash; a key is in the slot
 * of its hash or in one of those that follow it without a gap.
 */
function slotsFor(pairs: number): number {
	let slots = 2;
	while (2 * slots < 3 * pairs) slots *= 2;
	return slots;
}
const FREE = 0xffff;
const PLACE = 0x3fff;

/** FNV-1a of what follows the prefix, stirred: its lowest bits take the slot, the highest two stand in it. */
function hashOf(key: Uint8Array, from: number, to: number): number {
	let hash = 0x811c9dc5;
	for (let i = from; i < to; i++) hash = Math.imul(hash ^ key[i]!, 0x01000193);
	return Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d) ^ (hash >>> 13);
}

/** Puts a forward block together from pairs that come in order (format.ts). */
export class ForwardBlockBuilder {
	readonly #idBytes: number;
	/** Full keys, one after the other. */
	#keys: Buffer = Buffer.allocUnsafe(4 * BLOCK_BYTES);
	#ids: Buffer = Buffer.allocUnsafe(BLOCK_BYTES);
	readonly #block = Buffer.allocUnsafeSlow(MOST_BYTES);
	/** Where each key ends in `#keys`. */
	readonly #ends: number[] = [];
	#prefix = 0;

	constructor(idBytes: number) {
		this.#idBytes = idBytes;
	}

	get pairs(): number {
		return this.#ends.length;
	}

	/** False when the block is full: take it, and add the pair again. */
	add(bytes: Buffer, from: number, to: number, id: Buffer): boolean {
		const end = this.#ends.at(-1) ?? 0;
		const pairs = this.pairs + 1;
		const prefix = pairs === 1 ? to - from : this.#shared(bytes, from, to);
		if (pairs > 1 && this.#size(pairs, prefix, end + (to - from)) > BLOCK_BYTES) return false;
		this.#keys = grown(this.#keys, end, end + (to - from));
		this.#ids = grown(this.#ids, (pairs - 1) * this.#idBytes, pairs * this.#idBytes);
		bytes.copy(this.#keys, end, from, to);
		id.copy(this.#ids, (pairs - 1) * this.#idBytes, 0, this.#idBytes);
		this.#ends.push(end + (to - from));
		this.#prefix = prefix;
		return true;
	}

	/** Keys come in order: what the first shares with the last, all share. */
	#shared(bytes: Buffer, from: number, to: number): number {
		return Math.min(this.#prefix, commonPrefix(this.#keys, 0, this.#ends[0]!, bytes, from, to));
	}

	#size(pairs: number, prefix: number, keyBytes: number): number {
		return rowsFrom(pairs, prefix) + pairs * (this.#idBytes + LENGTH_BYTES - prefix) + keyBytes;
	}

	/** The block so far, good until the next is taken, and its first key; begins another. */
	take(): { block: Buffer; firstKey: Buffer } {
		const [keys, prefix, idBytes, pairs] = [this.#keys, this.#prefix, this.#idBytes, this.pairs];
		const rows = rowsFrom(pairs, prefix);
		const block = this.#block.subarray(0, this.#size(pairs, prefix, this.#ends.at(-1)!));
		block.writeUInt16BE(pairs, 0);
		block.writeUInt16BE(prefix, 2);
		keys.copy(block, HEADER_BYTES, 0, prefix);
		block.fill(0xff, HEADER_BYTES + prefix, rows);
		let begin = 0;
		let at = rows;
		for (const [row, end] of this.#ends.entries()) {
			const rest = begin + prefix;
			enter(block, hashOf(keys, rest, end), at - rows);
			this.#ids.copy(block, at, row * idBytes, (row + 1) * idBytes);
			block.writeUInt16BE(end - rest, at + idBytes);
			at += idBytes + LENGTH_BYTES + keys.copy(block, at + idBytes + LENGTH_BYTES, rest, end);
			begin = end;
		}
		const firstKey = Buffer.from(keys.subarray(0, this.#ends[0]));
		this.#ends.length = 0;
		return { block, firstKey };
	}
}

function grown(buffer: Buffer, used: number, needed: number): Buffer {
	if (needed <= buffer.length) return buffer;
	const larger = Buffer.allocUnsafe(2 * needed);
	buffer.copy(larger, 0, 0, used);
	return larger;
}

/** Takes a free slot for a row. */
function enter(block: Buffer, hash: number, place: number): void {
	const table = HEADER_BYTES + prefixOf(block);
	const mask = slotsFor(pairsOf(block)) - 1;
	let slot = hash & mask;
	while (u16(block, table + 2 * slot) !== FREE) slot = (slot + 1) & mask;
	block.writeUInt16BE(((hash >>> 30) << 14) | place, table + 2 * slot);
}

export const pairsOf = (block: Buffer): number => u16(block, 0);

export const prefixOf = (block: Buffer): number => u16(block, 2);

const rowsFrom = (pairs: number, prefix: number): number => HEADER_BYTES + prefix + 2 * slotsFor(pairs);

/** Where the first row begins. */
export const firstRow = (block: Buffer): number => rowsFrom(pairsOf(block), prefixOf(block));

/** Where the row after one begins. */
export const nextRow = (block: Buffer, row: number, idBytes: number): number =>
	row + idBytes + LENGTH_BYTES + u16(block, row + idBytes);

/**
 * Where the row of a key begins in a block of `pairs` and `prefix`, with which the key is known to begin; -1 when it has
 * none. A row begins with its new id.
 */
export function findRow(block: Buffer, pairs: number, prefix: number, key: Uint8Array, idBytes: number): number {
	const slots = slotsFor(pairs);
	const table = HEADER_BYTES + prefix;
	const hash = hashOf(key, prefix, key.length);
	const length = key.length - prefix;
	for (let slot = hash & (slots - 1); ; slot = (slot + 1) & (slots - 1)) {
		const entry = u16(block, table + 2 * slot);
		if (entry === FREE) return -1;
		if (entry >> 14 !== hash >>> 30) continue;
		const row = table + 2 * slots + (entry & PLACE);
		if (u16(block, row + idBytes) === length && isAt(block, row + idBytes + LENGTH_BYTES, key, prefix)) return row;
	}
}

function isAt(block: Buffer, at: number, key: Uint8Array, prefix: number): boolean {
	for (let i = prefix; i < key.length; i++) if (block[at + i - prefix] !== key[i]) return false;
	return true;
}

/** Copies the key of a row to `to`; how long it is. */
export function copyKey(block: Buffer, row: number, idBytes: number, to: Buffer): number {
	const prefix = prefixOf(block);
	block.copy(to, 0, HEADER_BYTES, HEADER_BYTES + prefix);
	return prefix + block.copy(to, prefix, row + idBytes + LENGTH_BYTES, nextRow(block, row, idBytes));
}
