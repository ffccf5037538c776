import { hash } from "node:crypto";
import { closeSync } from "node:fs";
import type { BlockCache } from "./blockCache.ts";
import { compareBytes } from "./bytes.ts";
import { damaged, MAX_KEY, ORDINAL_BYTES } from "./format.ts";
import { copyKey, findRow, firstRow, nextRow } from "./forwardBlock.ts";
import { ID_BYTES, idText } from "./idText.ts";
import type { Manifest } from "./manifest.ts";
import { openSegmentFile, readAt, type SegmentFile } from "./segmentFile.ts";
import { SegmentIndex } from "./segmentIndex.ts";

/** An open segment. Blocks are read when they are needed, each is checked against its digest then. */
export class Segment {
	readonly path: string;
	readonly manifest: Manifest;
	readonly #file: number;
	readonly #index: SegmentIndex;
	readonly #cache: BlockCache;
	readonly #firstPlace: number;
	readonly #idBytes: number;
	/** Of the last lookup; and whether lookups seem to come in order, when the same block is tried first. */
	#lastBlock = -1;
	#inOrder = false;

	/** HF_DAMAGED when size, end or index are not those that the manifest names. */
	constructor(path: string, manifest: Manifest, cache: BlockCache) {
		this.path = path;
		this.manifest = manifest;
		this.#cache = cache;
		this.#idBytes = ID_BYTES[manifest.format];
		const opened = openSegmentFile(path);
		this.#file = opened.file;
		try {
			this.#index = indexOf(opened, path, manifest);
		} catch (error) {
			closeSync(this.#file);
			throw error;
		}
		this.#firstPlace = cache.reserve(this.#index.blocks);
	}

	lookup(key: Uint8Array): string | undefined {
		const block = this.#blockFor(key);
		if (block === -1) return undefined;
		const bytes = this.#block(block);
		const row = findRow(bytes, this.#index.pairs(block), this.#index.prefixes[block]!, key, this.#idBytes);
		return row === -1 ? undefined : idText(this.manifest.format, bytes, row);
	}

	#blockFor(key: Uint8Array): number {
		if (this.#inOrder && this.#index.isIn(this.#lastBlock, key)) return this.#lastBlock;
		const found = this.#index.findForward(key);
		this.#inOrder = found !== -1 && (found === this.#lastBlock || found === this.#lastBlock + 1);
		this.#lastBlock = found;
		return found;
	}

	/** The encoded old key of a new id's bytes. */
	reverse(id: Buffer): Buffer | undefined {
		const block = this.#index.findReverse(id);
		if (block === -1) return undefined;
		const bytes = this.#block(block);
		const size = this.#idBytes + ORDINAL_BYTES;
		let low = 0;
		let high = bytes.length / size;
		while (low < high) {
			const middle = (low + high) >> 1;
			const difference = compareBytes(bytes, middle * size, middle * size + this.#idBytes, id, 0, id.length);
			if (difference === 0) return this.key(bytes.readUInt32BE(middle * size + this.#idBytes));
			if (difference < 0) low = middle + 1;
			else high = middle;
		}
		return undefined;
	}

	/** The encoded old key of a pair. */
	key(ordinal: number): Buffer {
		const { bytes, row } = this.#row(ordinal);
		const key = Buffer.allocUnsafe(MAX_KEY);
		return Buffer.from(key.subarray(0, copyKey(bytes, row, this.#idBytes, key)));
	}

	/** The bytes of a pair's new id. */
	id(ordinal: number): Buffer {
		const { bytes, row } = this.#row(ordinal);
		return bytes.subarray(row, row + this.#idBytes);
	}

	/** Rows are of different lengths: those before it in its block are gone past. */
	#row(ordinal: number): { bytes: Buffer; row: number } {
		const block = this.#index.blockOf(ordinal);
		const bytes = this.#block(block);
		let row = firstRow(bytes);
		for (let before = ordinal - this.#index.ordinals[block]!; before > 0 && row < bytes.length; before--)
			row = nextRow(bytes, row, this.#idBytes);
		if (row >= bytes.length) throw damaged(this.path, "an entry names a pair that is not there");
		return { bytes, row };
	}

	/** All pairs in key order; a pair is good until the next is asked for. */
	*pairs(): Generator<{ key: Buffer; id: Buffer }> {
		const key = Buffer.allocUnsafe(MAX_KEY);
		for (let block = 0; block < this.#index.forward; block++) {
			const bytes = this.#read(block);
			for (let row = firstRow(bytes); row < bytes.length; row = nextRow(bytes, row, this.#idBytes)) {
				const length = copyKey(bytes, row, this.#idBytes, key);
				yield { key: key.subarray(0, length), id: bytes.subarray(row, row + this.#idBytes) };
			}
		}
	}

	/** All entries in the order of the new ids: the id, and the number of its pair. */
	*entries(): Generator<{ id: Buffer; ordinal: number }> {
		const size = this.#idBytes + ORDINAL_BYTES;
		for (let block = this.#index.forward; block < this.#index.blocks; block++) {
			const bytes = this.#read(block);
			for (let at = 0; at < bytes.length; at += size)
				yield { id: bytes.subarray(at, at + this.#idBytes), ordinal: bytes.readUInt32BE(at + this.#idBytes) };
		}
	}

	/** Reads all blocks once. */
	checkBlocks(): void {
		for (let block = 0; block < this.#index.blocks; block++) this.#read(block);
	}

	#block(block: number): Buffer {
		const place = this.#firstPlace + block;
		const held = this.#cache.get(place);
		if (held !== undefined) return held;
		const bytes = this.#read(block);
		this.#cache.put(place, bytes);
		return bytes;
	}

	#read(block: number): Buffer {
		const from = this.#index.places[block]!;
		const bytes = readAt(this.#file, from, this.#index.places[block + 1]! - from, this.path);
		if (hash("sha256", bytes, "hex") !== this.#index.digest(block))
			throw damaged(this.path, `the digest of block ${block} does not fit`);
		return bytes;
	}

	close(): void {
		closeSync(this.#file);
	}
}

function indexOf({ size, tail, index }: SegmentFile, path: string, manifest: Manifest): SegmentIndex {
	if (size !== manifest.bytes) throw damaged(path, `it has ${size} bytes, not ${manifest.bytes}`);
	if (tail.digest.toString("hex") !== manifest.index) throw damaged(path, "its index is not the one of the manifest");
	return new SegmentIndex(index, tail, manifest, path);
}
