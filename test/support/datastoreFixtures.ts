import type { Entity, Key, Value } from "../../runtime/datastore/entity.ts";
import {
	array,
	blob,
	bool,
	DOUBLES,
	double,
	embedded,
	entity,
	geo,
	INTEGERS,
	int,
	key,
	keyIn,
	MAX,
	NAMES,
	nul,
	type Properties,
	ref,
	type Steps,
	TIMES,
	text,
	time,
	unindexed,
} from "./datastoreValues.ts";

export type Random = () => number;

const below = (random: Random, limit: number): number => Math.floor(random() * limit);
const pick = <T>(random: Random, from: readonly T[]): T => from[below(random, from.length)]!;

/** Property names that are awkward in BSON, in JavaScript or in what Holdfast reserves. */
export const FIELDS = [
	...["a.b", "$set", "%", "%2E", "a%b", "$", ".", "..", "_id", "_parent", "_old", "_micros", "_key", "%5F_id"],
	...["type", "coordinates", "kind", "id", "\uff21", "\u{1f600}", "é", "constructor", "toString", "1", "a b"],
	"nul\u0000",
];

/** Each value by itself, by a name for people: what a round trip must keep. */
export function everyValue(): Properties {
	const deep = (depth: number): Value => (depth === 0 ? int(1) : embedded({ in: deep(depth - 1) }));
	return {
		...{
			null: nul(),
			true: bool(true),
			false: bool(false),
			empty: array(),
			emptyText: text(""),
			emptyBlob: blob(Buffer.of()),
		},
		...Object.fromEntries(INTEGERS.map((value) => [`int ${value}`, int(value)])),
		...Object.fromEntries(DOUBLES.map((value) => [`double ${Object.is(value, -0) ? "-0" : value}`, double(value)])),
		...Object.fromEntries(TIMES.map(([seconds, micros]) => [`time ${seconds} ${micros}`, time(seconds, micros)])),
		...{
			text: text("\uff21\u{1f600} é nul\u0000"),
			long: unindexed(text("é".repeat(2_000))),
			blob: blob(Buffer.of(0, 255, 10)),
		},
		...{
			geo: geo(-90, 180),
			geoZero: geo(0, -0),
			ref: ref(key("Dataset", 5)),
			dangling: ref(key("Gone", "x", "Dataset", "\u{1f600}")),
		},
		mixed: array(
			nul(),
			int(3),
			double(3),
			text("3"),
			bool(true),
			time(0, 3),
			geo(3, 4),
			ref(key("Dataset", "a")),
			blob(Buffer.of(3)),
		),
		entities: array(
			embedded({ tags: array(int(1), text("x")), at: time(1_763_000_000, 7) }),
			embedded({}),
			embedded({ n: nul() }),
		),
		embedded: embedded({
			inner: embedded({ ref: ref(key("Dataset", 5)) }),
			list: array(ref(key("Dataset", 5)), ref(key("Gone", 1))),
		}),
		keyed: embedded({ x: int(1) }, key("Part", 7)),
		keyedByName: array(embedded({ x: int(1) }, key("Dataset", 5, "Part", "p"))),
		deep: deep(19),
	};
}

/** A key of 1 to 3 steps; ids and names next to each other. */
export function randomKey(random: Random, kind: string, namespace = ""): Key {
	const steps: Steps = [];
	for (let depth = below(random, 3); depth > 0; depth--)
		steps.push(pick(random, ["Account", "\u{1f600}", "\uff21", "Dataset"]), idOrName(random));
	return keyIn(namespace, ...steps, kind, idOrName(random));
}

function idOrName(random: Random): bigint | string {
	if (random() < 0.5) return `${pick(random, NAMES).slice(0, 20)}${random() < 0.5 ? "" : below(random, 1_000)}`;
	return random() < 0.1
		? pick(random, [1n, 255n, 256n, MAX])
		: 1n + (BigInt(below(random, 2 ** 31)) << BigInt(below(random, 32)));
}

function randomValue(random: Random, depth: number, inArray: boolean): Value {
	const flat: (() => Value)[] = [
		...[
			() => nul(),
			() => bool(random() < 0.5),
			() => int(pick(random, INTEGERS)),
			() => double(pick(random, DOUBLES)),
		],
		...[
			() => time(...pick(random, TIMES)),
			() => text(pick(random, NAMES)),
			() => geo(below(random, 90), -below(random, 180)),
		],
		...[() => blob(Buffer.from(pick(random, NAMES))), () => ref(randomKey(random, pick(random, ["Dataset", "Gone"])))],
		...[() => int(below(random, 1_000)), () => double(random() * 1e9), () => text(String(below(random, 1e9)))],
	];
	const perhaps = (value: Value): Value => (random() < 0.2 ? unindexed(value) : value);
	if (depth === 0 || random() < 0.7) return inArray ? pick(random, flat)() : perhaps(pick(random, flat)());
	if (!inArray && random() < 0.5) {
		const values = Array.from({ length: below(random, 4) }, () => randomValue(random, depth - 1, true));
		// All or none: where only some are indexed, a Datastore of old does not keep their order.
		return array(...(random() < 0.2 ? values.map(unindexed) : values));
	}
	const own = random() < 0.3 ? randomKey(random, "Part") : undefined;
	return embedded(randomProperties(random, depth - 1), own);
}

/** Up to 6 properties of any type, some with awkward names. */
export function randomProperties(random: Random, depth = 3): Properties {
	const properties: Properties = {};
	for (let left = below(random, 7); left > 0; left--)
		properties[random() < 0.3 ? pick(random, FIELDS) : `p${below(random, 20)}`] = randomValue(random, depth, false);
	return properties;
}

/** An entity of any shape. The seed's generator decides all: the same seed, the same entities. */
export const randomEntity = (random: Random, kind: string, namespace = ""): Entity =>
	entity(randomKey(random, kind, namespace), randomProperties(random));

/** As many with different keys. */
export function randomEntities(random: Random, kind: string, count: number, namespace = ""): Entity[] {
	const found = new Map<string, Entity>();
	while (found.size < count) {
		const next = randomEntity(random, kind, namespace);
		found.set(JSON.stringify(next.key), next);
	}
	return [...found.values()];
}

/** Small and alike, as a load measures them: 8 properties, ids from 1. */
export function plainEntities(kind: string, count: number): Entity[] {
	return Array.from({ length: count }, (_, at) =>
		entity(key(kind, at + 1), {
			...{
				name: text(`name ${at}`),
				size: int(at),
				ratio: double(at / 7),
				made: time(1_763_000_000 + at, at % 1_000_000),
			},
			...{
				done: bool(at % 2 === 0),
				parent: ref(key(kind, (at % count) + 1)),
				tags: array(text("a"), text(`t${at % 100}`)),
				note: nul(),
			},
		}),
	);
}

/** Just below the service's limit of 1 MiB - 4 bytes. */
export const bigEntity = (own: Key): Entity => entity(own, { big: unindexed(blob(Buffer.alloc(2 ** 20 - 1_000, 7))) });

/** A key of almost 6 KiB: four steps with names of 1,500 bytes, the limit of one. */
export const longKey = (kind: string): Key => {
	const name = "\u{1f600}".repeat(370);
	return key("Account", name, "Account", name, "Account", name, kind, name);
};
