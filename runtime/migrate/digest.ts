import { sha256 } from "../sha256.ts";

/** JSON with the fields of every object sorted, and without those that are `undefined`: equal values, equal text. */
export function sortedJson(value: unknown): string {
	return JSON.stringify(value, (_key, inner: unknown) =>
		inner !== null && typeof inner === "object" && !Array.isArray(inner)
			? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
			: inner,
	);
}

/** SHA-256 (hex) of plain JSON, whatever the order of its fields. */
export const jsonDigest = (value: unknown): string => sha256(sortedJson(value));
