import { hash, randomFillSync } from "node:crypto";
import type { IdMapInputs } from "../model.ts";
import { ID_BYTES } from "./idText.ts";

/** The new id of an encoded old key that stands in a buffer. `ordinal` counts the pairs of the whole map from 0. */
export type NewIds = (key: Buffer, from: number, to: number, ordinal: number) => Buffer;

/** What it gives is good until it is called again. */
export function newIds({ name, ids, format }: Pick<IdMapInputs, "name" | "ids" | "format">): NewIds {
	if (ids.kind === "sequential") return sequential();
	const make = ids.kind === "random" ? random(ID_BYTES[format]) : deterministic(ids.secret, name);
	if (format !== "uuid") return make;
	const version = ids.kind === "random" ? 0x40 : 0x80;
	return (...key) => {
		const id = make(...key);
		id[6] = (id[6]! & 0x0f) | version;
		id[8] = (id[8]! & 0x3f) | 0x80;
		return id;
	};
}

function sequential(): NewIds {
	const id = Buffer.alloc(8);
	return (_key, _from, _to, ordinal) => {
		id.writeUInt32BE(Math.floor((ordinal + 1) / 2 ** 32), 0);
		id.writeUInt32BE((ordinal + 1) >>> 0, 4);
		return id;
	};
}

function random(bytes: number): NewIds {
	const pool = Buffer.alloc(bytes * 1024);
	let at = pool.length;
	return () => {
		if (at === pool.length) {
			randomFillSync(pool);
			at = 0;
		}
		at += bytes;
		return pool.subarray(at - bytes, at);
	};
}

const BLOCK = 64;
const sha256Into = (to: Buffer, at: number, bytes: Buffer): number => to.write(hash("sha256", bytes, "hex"), at, "hex");

/**
 * HMAC-SHA-256 of map name, NUL and key (RFC 2104) by two one-shot hashes: a quarter of the time of `createHmac`, which
 * makes an object of OpenSSL's for every id.
 */
function deterministic(secret: string, name: string): NewIds {
	const key = Buffer.alloc(BLOCK);
	const bytes = Buffer.from(secret, "utf8");
	if (bytes.length > BLOCK) sha256Into(key, 0, bytes);
	else bytes.copy(key);
	const inner = Buffer.concat([key.map((byte) => byte ^ 0x36), Buffer.from(`${name}\0`), Buffer.alloc(0x10000)]);
	const outer = Buffer.concat([key.map((byte) => byte ^ 0x5c), Buffer.alloc(32)]);
	const begin = BLOCK + Buffer.byteLength(name) + 1;
	const id = Buffer.alloc(32);
	return (source, from, to) => {
		const end = begin + source.copy(inner, begin, from, to);
		sha256Into(outer, BLOCK, inner.subarray(0, end));
		sha256Into(id, 0, outer);
		return id;
	};
}
