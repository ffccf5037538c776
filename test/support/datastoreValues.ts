import type { Entity, Key, Value } from "../../runtime/datastore/entity.ts";
import { entityOf, rawBytes } from "../../runtime/datastore/raw.ts";

export const PROJECT = "demo";
export type Properties = Record<string, Value>;

/** Steps of a path: a kind, then a number or bigint (an id) or a text (a name), and so on. */
export type Steps = (string | number | bigint)[];

/** `keyOf("Account", 5, "Dataset", "a")`. */
export const key = (...steps: Steps): Key => keyIn("", ...steps);

export function keyIn(namespace: string, ...steps: Steps): Key {
	const path: NonNullable<Key["path"]> = [];
	for (let at = 0; at < steps.length; at += 2) {
		const [kind, id] = [String(steps[at]), steps[at + 1]];
		if (id === undefined) path.push({ kind });
		else path.push(typeof id === "string" ? { kind, name: id } : { kind, id: String(id) });
	}
	return { partitionId: { projectId: PROJECT, databaseId: "", namespaceId: namespace }, path };
}

export const nul = (): Value => ({ nullValue: "NULL_VALUE" });
export const bool = (booleanValue: boolean): Value => ({ booleanValue });
export const int = (integer: bigint | number | string): Value => ({ integerValue: String(integer) });
export const double = (doubleValue: number): Value => ({ doubleValue });
/** Seconds since 1970 and microseconds of the second. */
export const time = (seconds: number, micros = 0): Value => ({
	timestampValue: { seconds: String(seconds), nanos: micros * 1000 },
});
export const text = (stringValue: string): Value => ({ stringValue });
export const blob = (bytes: Uint8Array): Value => ({ blobValue: Buffer.from(bytes) });
export const geo = (latitude: number, longitude: number): Value => ({ geoPointValue: { latitude, longitude } });
export const ref = (to: Key): Value => ({ keyValue: to });
export const embedded = (properties: Properties, own?: Key): Value => ({
	entityValue: { properties, ...(own && { key: own }) },
});
export const array = (...values: Value[]): Value => ({ arrayValue: { values } });
export const unindexed = (value: Value): Value => ({ ...value, excludeFromIndexes: true });

/** An entity as the client decodes it: with defaults, and the names of what is set. */
export const entity = (own: Key, properties: Properties): Entity => entityOf(rawBytes({ key: own, properties }));

/** The largest integer, and id. */
export const MAX = 2n ** 63n - 1n;
/** First and last second of the years 1 and 9999: the ends of a timestamp. */
const [YEAR_1, YEAR_9999] = [-62_135_596_800, 253_402_300_799];

/** By UTF-16 the third is before the second, by UTF-8 after it. */
export const NAMES = ["a", "\uff21", "\u{1f600}", "a\u0000b", "a b", "A", "é", "e\u0301", "10", "9", "z".repeat(1_500)];
export const INTEGERS = [0n, 1n, -1n, 2n ** 31n, -(2n ** 31n) - 1n, 2n ** 53n, 2n ** 53n + 1n, MAX, -MAX - 1n];
export const DOUBLES = [
	...[0, -0, 3, 0.1, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 5e-324, -2.5e-310],
	...[2 ** 53, 2 ** 63, Number.MAX_VALUE],
];
export const TIMES: (readonly [number, number])[] = [
	...[[0, 0] as const, [0, 1] as const, [-1, 999_999] as const, [1_763_000_000, 123_456] as const],
	...[[1_763_000_000, 123_000] as const, [YEAR_1, 0] as const, [YEAR_1, 1] as const, [YEAR_9999, 999_999] as const],
];
