import { sha256 } from "../sha256.ts";
import type { ObjectRule, Rules } from "./rules.ts";

/** SHA-256 (hex) of what rules say. The order in which kinds and properties are named does not matter. */
export const rulesHash = (rules: Rules | readonly ObjectRule[]): string => sha256(JSON.stringify(ordered(rules)));

/** Lists keep their order, and so do the keys of an index: it is part of what they say. */
function ordered(value: unknown, name?: string): unknown {
	if (Array.isArray(value)) {
		const items = value.map((item) => ordered(item));
		return name === "drop" ? items.sort() : items;
	}
	if (typeof value !== "object" || value === null) return value;
	const entries = Object.entries(value).filter(([, item]) => item !== undefined);
	if (name !== "keys") entries.sort(([a], [b]) => (a < b ? -1 : 1));
	return entries.map(([key, item]) => [key, ordered(item, key)]);
}
