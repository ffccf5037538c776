import { createHash } from "node:crypto";
import { closeSync, fchmodSync, fsyncSync, openSync, writeSync } from "node:fs";
import { encodeTail, entriesPerBlock, HEADER_BYTES, MAGIC, ORDINAL_BYTES } from "./format.ts";
import { ForwardBlockBuilder } from "./forwardBlock.ts";
import { ID_BYTES } from "./idText.ts";
import type { Manifest, SegmentInfo } from "./manifest.ts";

const sha256 = (bytes: Buffer): Buffer => createHash("sha256").update(bytes).digest();

const OUT_BYTES = 256 * 1024;

/** Writes a segment's file (format.ts) from its beginning to its end: pairs in key order, entries in id order, the rest. */
export class SegmentWriter {
	readonly #file: number;
	readonly #hash = createHash("sha256");
	readonly #idBytes: number;
	readonly #block: ForwardBlockBuilder;
	/** The parts of the index: 42 bytes and a key for a block of 16 KiB. */
	readonly #index: Buffer[] = [];
	readonly #reverse: Buffer;
	#entries = 0;
	#bytes = 0;
	#counts = { forward: 0, reverse: 0 };
	/** What is not written yet. One buffer for all: memory that is let go of is not soon given back. */
	readonly #out = Buffer.allocUnsafeSlow(OUT_BYTES);
	#pending = 0;

	/** Of a file that is not there yet. */
	constructor(path: string, format: SegmentInfo["format"]) {
		this.#idBytes = ID_BYTES[format];
		this.#block = new ForwardBlockBuilder(this.#idBytes);
		this.#reverse = Buffer.allocUnsafeSlow(entriesPerBlock(this.#idBytes) * (this.#idBytes + ORDINAL_BYTES));
		this.#file = openSync(path, "wx", 0o600);
		this.#put(MAGIC);
	}

	#put(bytes: Buffer): void {
		for (let at = 0; at < bytes.length; ) {
			const copied = bytes.copy(this.#out, this.#pending, at);
			at += copied;
			this.#pending += copied;
			if (this.#pending === OUT_BYTES) this.#flush();
		}
		this.#bytes += bytes.length;
	}

	#flush(): void {
		const bytes = this.#out.subarray(0, this.#pending);
		this.#hash.update(bytes);
		for (let at = 0; at < bytes.length; ) at += writeSync(this.#file, bytes, at);
		this.#pending = 0;
	}

	pair(key: Buffer, from: number, to: number, id: Buffer): void {
		if (this.#block.add(key, from, to, id)) return;
		this.#endForward();
		this.#block.add(key, from, to, id);
	}

	#endForward(): void {
		if (this.#block.pairs === 0) return;
		const { block, firstKey } = this.#block.take();
		const numbers = Buffer.alloc(6);
		numbers.writeUInt32BE(block.length, 0);
		numbers.writeUInt16BE(firstKey.length, 4);
		const [size, length] = [numbers.subarray(0, 4), numbers.subarray(4)];
		this.#index.push(Buffer.concat([size, block.subarray(0, HEADER_BYTES), sha256(block), length, firstKey]));
		this.#counts.forward++;
		this.#put(block);
	}

	/** An entry of the reverse order: a new id, and the number of its pair (4 bytes), as they stand in `bytes`. */
	entry(bytes: Buffer, from: number, to: number): void {
		this.#endForward();
		bytes.copy(this.#reverse, this.#entries * (to - from), from, to);
		if (++this.#entries === entriesPerBlock(this.#idBytes)) this.#endReverse();
	}

	#endReverse(): void {
		if (this.#entries === 0) return;
		const block = this.#reverse.subarray(0, this.#entries * (this.#idBytes + ORDINAL_BYTES));
		this.#index.push(Buffer.concat([sha256(block), block.subarray(0, this.#idBytes)]));
		this.#counts.reverse++;
		this.#put(block);
		this.#entries = 0;
	}

	/** Writes the end and makes the file last. */
	end(info: SegmentInfo): Manifest {
		this.#endForward();
		this.#endReverse();
		const place = this.#bytes;
		for (const part of this.#index) this.#put(part);
		const infoPlace = this.#bytes;
		const infoText = Buffer.from(JSON.stringify(info));
		this.#put(infoText);
		const digest = createHash("sha256");
		for (const part of [...this.#index, infoText]) digest.update(part);
		const index = digest.digest();
		this.#put(encodeTail({ index: place, info: infoPlace, ...this.#counts, digest: index }));
		this.#flush();
		fchmodSync(this.#file, 0o444);
		fsyncSync(this.#file);
		return { ...info, bytes: this.#bytes, sha256: this.#hash.digest("hex"), index: index.toString("hex") };
	}

	close(): void {
		closeSync(this.#file);
	}
}
