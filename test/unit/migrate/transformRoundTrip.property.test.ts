import fc from "fast-check";
import type { Entity, Value } from "../../../runtime/datastore/entity.ts";
import type { IdFormat } from "../../../runtime/migrate/idmap/idMap.ts";
import {
	bigEntity,
	everyValue,
	FIELDS,
	longKey,
	plainEntities,
	randomEntity,
} from "../../support/datastoreFixtures.ts";
import { array, embedded, entity, geo, int, key, type Properties, ref, text } from "../../support/datastoreValues.ts";
import { fakeMap } from "../../support/fakeMap.ts";
import { long } from "../../support/long.ts";
import { thing } from "../../support/roundTrip.ts";

const seed = Number(process.env.HOLDFAST_SEED) || Date.now() % 2 ** 31;
const numRuns = long ? 5_000 : 300;

/** A generator as the fixtures take one, from a number that fast-check chose. */
function randomOf(start: number): () => number {
	let state = (start % 2_147_483_646) + 1;
	return () => {
		state = (state * 48_271) % 2_147_483_647;
		return state / 2_147_483_647;
	};
}
const random = fc.integer({ min: 0, max: 2 ** 31 - 3 });
const rule = fc.record({
	unmapped: fc.constantFrom("null" as const, "keep" as const),
	references: fc.constantFrom("id" as const, "typed" as const),
	timestamps: fc.constantFrom("date" as const, "micros" as const),
	keepOld: fc.boolean(),
	rename: fc.constantFrom<Record<string, string>>({}, { p1: "q1", "a.b": "ab", kind: "sort" }, { p2: "p3", p3: "p2" }),
	drop: fc.constantFrom<string[]>([], ["p4", "type"]),
});
const format = fc.constantFrom<IdFormat[]>("hex", "uuid", "objectId", "integer");

function turned<T extends object>(properties: T): T {
	return Object.fromEntries(
		Object.entries(properties)
			.reverse()
			.map(([name, value]) => [name, turnedValue(value)]),
	) as T;
}
function turnedValue(value: Value): Value {
	const { entityValue: inner, arrayValue: list } = value;
	if (inner) return { ...value, entityValue: { ...inner, properties: turned(inner.properties ?? {}) } };
	return list ? { ...value, arrayValue: { values: (list.values ?? []).map(turnedValue) } } : value;
}

test("an entity and the document it becomes have one canonical form, whatever is in it", () => {
	fc.assert(
		fc.property(random, rule, format, (start, rule, format) => {
			const { bson, source, target, verify, transform } = thing(rule, fakeMap(format));
			const next = randomOf(start);
			for (let left = 5; left > 0; left--) {
				const made = randomEntity(next, "Thing");
				if (transform(made).problem?.code === "NAME_CLASH") continue;
				const raw = bson(made);
				expect(verify(made, raw)).toEqual([]);
				expect(target(raw).equals(source(made))).toBe(true);
			}
		}),
		{ seed, numRuns },
	);
});

test("the order of the source's properties leaves no trace", () => {
	fc.assert(
		fc.property(random, rule, (start, rule) => {
			const { bson, source, transform } = thing(rule);
			const made = randomEntity(randomOf(start), "Thing");
			if (transform(made).problem) return;
			const other: Entity = { ...made, properties: turned(made.properties ?? {}) };
			expect(Buffer.from(bson(other))).toEqual(Buffer.from(bson(made)));
			expect(source(other).equals(source(made))).toBe(true);
		}),
		{ seed, numRuns },
	);
});

test("different entities have different canonical forms, in the source and in the target", () => {
	fc.assert(
		fc.property(random, random, (first, second) => {
			const { bson, source, target } = thing({ unmapped: "keep" });
			const [a, b] = [first, second].map((start) => randomEntity(randomOf(start), "Thing")) as [Entity, Entity];
			const own = { ...b, key: a.key! };
			const alike = JSON.stringify(sorted(a)) === JSON.stringify(sorted(own));
			expect(source(a).equals(source(own))).toBe(alike);
			expect(target(bson(a)).equals(target(bson(own)))).toBe(alike);
		}),
		{ seed, numRuns },
	);
	/** JSON that tells doubles apart, without index flags. */
	function sorted(of: unknown): unknown {
		if (typeof of === "number") return Object.is(of, -0) ? "-0" : String(of);
		if (typeof of !== "object" || of === null || Buffer.isBuffer(of)) return of;
		if (Array.isArray(of)) return of.map(sorted);
		const entries = Object.entries(of).filter(([name]) => name !== "excludeFromIndexes");
		return entries.sort(([x], [y]) => (x < y ? -1 : 1)).map(([name, value]) => [name, sorted(value)]);
	}
});

/** What an embedded entity could be taken for, and parts of it. */
const lookalike = fc.dictionary(
	fc.constantFrom("type", "coordinates", "kind", "id", "_key", "_missing", "%74ype", "path"),
	fc.constantFrom<Value[]>(
		...[
			text("Point"),
			text("a".repeat(32)),
			text("0".repeat(36)),
			int(5),
			array({ doubleValue: 1 }, { doubleValue: 2 }),
		],
		...[geo(1, 2), ref(key("Thing", 1)), ref(key("Gone", 1)), embedded({ path: array(text("Gone"), int(1)) })],
		...[embedded({ kind: text("Thing"), id: text("b".repeat(32)) })],
	),
	{ maxKeys: 3 },
);

test("what looks like a point, a reference or one of our own fields is told from it", () => {
	fc.assert(
		fc.property(lookalike, lookalike, rule, format, (inner, outer, { references, timestamps }, format) => {
			const { bson, source, target, verify } = thing({ references, timestamps, unmapped: "keep" }, fakeMap(format));
			const made = entity(key("Thing", 1), {
				...outer,
				in: embedded(inner),
				list: array(embedded(outer)),
			} as Properties);
			const raw = bson(made);
			expect(verify(made, raw)).toEqual([]);
			expect(target(raw).equals(source(made))).toBe(true);
		}),
		{ seed, numRuns },
	);
});

test("the fixtures go through: every type, awkward names, large entities, long keys", () => {
	const { bson, verify } = thing({ unmapped: "keep", keepOld: true });
	const awkward = Object.fromEntries(FIELDS.map((name) => [name, embedded({ [name]: int(1) })]));
	const made = [
		entity(key("Thing", 1), everyValue()),
		entity(key("Thing", 2), awkward),
		...[bigEntity(key("Thing", 3)), entity(longKey("Thing"), { self: ref(longKey("Thing")) })],
		...plainEntities("Thing", 20),
	];
	for (const one of made) expect(verify(one, bson(one))).toEqual([]);
});
