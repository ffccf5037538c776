import type { Digest } from "./digest.ts";

export const differsIn = (a: Digest, b: Digest, bucket: number): boolean =>
	a.low[bucket] !== b.low[bucket] || a.high[bucket] !== b.high[bucket];

/** How many buckets are not the same. */
export function differing(a: Digest, b: Digest): number {
	let count = 0;
	for (let bucket = 0; bucket < a.low.length; bucket++) if (differsIn(a, b, bucket)) count++;
	return count;
}
