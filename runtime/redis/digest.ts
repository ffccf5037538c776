import { type HeaderRange, isOutside } from "./headerRange.ts";
import type { HeaderPage } from "./port.ts";

type Entries = HeaderPage["entries"];

/**
 * What a node holds, as a 64-bit sum a bucket. A sum, because SCAN may return a key twice: with XOR a double would
 * vanish and could hide that another node lacks the key; a sum only differs once too often, and is looked into.
 */
export interface Digest {
	/** Two halves of every bucket. */
	high: Int32Array;
	low: Int32Array;
	records: number;
}

export const emptyDigest = (buckets: number): Digest => ({
	high: new Int32Array(buckets),
	low: new Int32Array(buckets),
	records: 0,
});

/** Adds a page of headers, without those that are outside the range. */
export function addTo(digest: Digest, entries: Entries, range: HeaderRange): void {
	const buckets = digest.low.length;
	for (const { key, header } of entries) {
		if (isOutside(range, header)) continue;
		const name = hash(key);
		const bucket = name & (buckets - 1);
		const [low, high] = mixHeader(name, header);
		digest.low[bucket] = digest.low[bucket]! + low;
		digest.high[bucket] = digest.high[bucket]! + high;
		digest.records++;
	}
}

/** `buckets` is a power of two. */
export const bucketOf = (key: Buffer, buckets: number): number => hash(key) & (buckets - 1);

/** All buckets as one number, 16 hex characters. */
export function summary({ high, low }: Digest): string {
	let [a, b] = [0, 0];
	for (let i = 0; i < low.length; i++) {
		// Order counts: two buckets that swapped their contents are not the same.
		a = finish(Math.imul(a, 31) + low[i]!);
		b = finish(Math.imul(b, 31) + high[i]!);
	}
	return [b, a].map((half) => (half >>> 0).toString(16).padStart(8, "0")).join("");
}

/** FNV-1a with a finish of MurmurHash3: native hashes cost more than they save on keys this short. */
function hash(key: Buffer): number {
	let h = 0x811c9dc5;
	for (let i = 0; i < key.length; i++) h = Math.imul(h ^ key[i]!, 0x01000193);
	return finish(h ^ key.length);
}

const mixed: [low: number, high: number] = [0, 0];

/** Two independent hashes of key and header; the pair is used again by the next call. */
function mixHeader(name: number, header: string): typeof mixed {
	let low = name ^ 0x9e3779b9;
	let high = Math.imul(name, 0x85ebca6b) ^ 0x27d4eb2f;
	for (let i = 0; i < header.length; i++) {
		const code = header.charCodeAt(i);
		low = Math.imul(low ^ code, 0x9e3779b1);
		high = Math.imul(high ^ code, 0x5f356495);
		// A product moves nothing downwards: without this the high bits would never count.
		high ^= high >>> 15;
	}
	mixed[0] = finish(low);
	mixed[1] = finish(high);
	return mixed;
}

function finish(h: number): number {
	let x = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
	x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35);
	return x ^ (x >>> 16);
}
