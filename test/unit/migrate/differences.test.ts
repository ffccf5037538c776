import { BSON, Decimal128, Double, Int32, Long, Timestamp } from "mongodb";
import { digestOf } from "../../../runtime/migrate/canonical.ts";
import { differences } from "../../../runtime/migrate/differences.ts";
import type { TargetDocument } from "../../../runtime/migrate/transform.ts";
import {
	array,
	blob,
	bool,
	double,
	embedded,
	entity,
	geo,
	int,
	key,
	nul,
	ref,
	text,
	time,
} from "../../support/datastoreValues.ts";
import { fakeMap } from "../../support/fakeMap.ts";
import { thing } from "../../support/roundTrip.ts";

const at = time(1_763_000_000, 123_456);
const made = entity(key("Account", 1, "Thing", 1), {
	...{
		n: int(3),
		d: double(3),
		z: double(-0),
		nan: double(Number.NaN),
		s: text("secret"),
		yes: bool(true),
		none: nul(),
		at,
	},
	...{ place: geo(10, 20), bytes: blob(Buffer.of(1, 2)), empty: array(), r: ref(key("Thing", 2)) },
	tags: array(int(1), embedded({ at, "a.b": geo(1, 2), gone: ref(key("Gone", 1)) }, key("Part", 1)), at),
});
// biome-ignore lint/suspicious/noExplicitAny: a document is damaged here in every way
type Loose = Record<string, any>;
const put = (into: Loose, name: string | number, value: unknown) => Object.assign(into, { [name]: value });
const cut = (from: Loose, name: string) => Reflect.deleteProperty(from, name);
const { bson, document, source, target, verify } = thing({ unmapped: "keep" });

function damaged(damage: (document: Loose) => unknown): string[] {
	const written = document(made);
	damage(written);
	const raw = BSON.serialize(written);
	const found = verify(made, raw);
	expect(digestOf(target(raw)).equals(digestOf(source(made)))).toBe(found.length === 0);
	return found;
}

test("a document as it was written differs in nothing", () => {
	expect(damaged(() => {})).toEqual([]);
	// Nor does one whose fields somebody put in another order.
	expect(damaged((it) => cut(it, "n") && put(it, "n", Long.fromInt(3)))).toEqual([]);
	expect(verify(made, bson(made))).toEqual([]);
});

test.each<[string, (it: Loose) => unknown, string[]]>([
	[
		"a geo point the wrong way round",
		(it) => it.place.coordinates.reverse(),
		["place: latitude and longitude swapped"],
	],
	["one inside", (it) => it.tags[1]["a%2Eb"].coordinates.reverse(), ['tags[1]["a.b"]: latitude and longitude swapped']],
	["a 32-bit integer", (it) => put(it, "n", new Int32(3)), ["n: integer became 32-bit integer"]],
	["a double for an integer", (it) => put(it, "n", new Double(3)), ["n: integer became double"]],
	["an integer for a double", (it) => put(it, "d", Long.fromInt(3)), ["d: double became integer"]],
	["a plain number for a double", (it) => put(it, "d", 3), ["d: double became 32-bit integer"]],
	["zero for minus zero", (it) => put(it, "z", new Double(0)), ["z: the sign of zero is lost"]],
	["null for NaN", (it) => put(it, "nan", null), ["nan: double became null"]],
	["another text", (it) => put(it, "s", "Secret"), ["s: text differs"]],
	["another boolean", (it) => put(it, "yes", false), ["yes: boolean differs"]],
	["a missing null", (it) => cut(it, "none"), ["none: missing"]],
	["a missing empty array", (it) => cut(it, "empty"), ["empty: missing"]],
	["another field", (it) => put(it, "more", 1), ["more: not in the source"]],
	["a field no property is written as", (it) => put(it, "a.b", 1), ['["<a.b>"]: not in the source']],
	["other bytes", (it) => put(it, "bytes", Buffer.of(1)), ["bytes: blob differs"]],
	["a UUID for bytes", (it) => put(it, "bytes", new BSON.UUID()), ["bytes: blob became binary of another subtype"]],
	["a decimal", (it) => put(it, "d", Decimal128.fromString("3")), ["d: double became 128-bit decimal"]],
	["a BSON timestamp", (it) => put(it, "n", new Timestamp(3n)), ["n: integer became BSON timestamp"]],
	["another id", (it) => put(it, "_id", "0".repeat(32)), ["_id: text differs"]],
	["no parent", (it) => cut(it, "_parent"), ["_parent: missing"]],
	["an old key that is not kept", (it) => put(it, "_old", "x"), ["_old: not in the source"]],
	["another reference", (it) => put(it, "r", "0".repeat(32)), ["r: text differs"]],
	["another own key", (it) => put(it.tags[1]._key, "kind", "Whole"), ["tags[1]._key.kind: text differs"]],
	["no own key", (it) => cut(it.tags[1], "_key"), ["tags[1]._key: missing"]],
	[
		"another kept key",
		(it) => put(it.tags[1].gone._missing.path, "1", Long.fromInt(2)),
		["tags[1].gone.path[1]: integer differs"],
	],
	["a kept key and more", (it) => put(it.tags[1].gone, "x", 1), ["tags[1].gone: old key became embedded entity"]],
	["a kept key beside others", (it) => put(it.tags[1], "_missing", {}), ['tags[1]["<_missing>"]: not in the source']],
	[
		"a missing element",
		(it) => it.tags.pop(),
		["tags: 3 elements became 2", "_micros: entries that belong to no date: 1"],
	],
])("%s is found", (_, damage, expected) => {
	expect(damaged(damage)).toEqual(expected);
});

test("lost microseconds are found, wherever they belong", () => {
	const lost = (path: string) => `${path}: timestamp differs by 456 us`;
	expect(damaged((it) => cut(it, "_micros"))).toEqual([lost("at"), lost("tags[1].at"), lost("tags[2]")]);
	expect(damaged((it) => put(it, "_micros", it._micros.slice(0, 1)))).toEqual([lost("tags[1].at"), lost("tags[2]")]);
	expect(damaged((it) => put(it._micros[1].path, "1", new Int32(2)))).toEqual([
		...[lost("tags[1].at"), "_micros: entries that belong to no date: 1"],
	]);
	expect(damaged((it) => put(it._micros[0], "us", Long.fromInt(455)))).toEqual(["at: timestamp differs by 1 us"]);
	expect(damaged((it) => put(it, "at", new Date(0)))).toEqual(["at: timestamp differs"]);
});

test("microseconds that are none are found", () => {
	const stray = ["_micros: entries that belong to no date: 1"];
	expect(damaged((it) => it._micros.push({ path: ["n"], us: Long.fromInt(1) }))).toEqual(stray);
	expect(damaged((it) => it._micros.push(it._micros[0]))).toEqual(stray);
	expect(damaged((it) => it._micros.push({ path: ["at"] }))).toEqual(stray);
	expect(damaged((it) => it._micros.push(5))).toEqual(stray);
	expect(damaged((it) => put(it, "_micros", "x"))).toContain("_micros: entries that belong to no date: 1");
});

test("a field that stands there twice is found", () => {
	const once = Buffer.from(BSON.serialize(document(made)));
	for (const [name, told] of [
		["n", "n: there twice"],
		["_id", '["<_id>"]: not in the source'],
	] as const) {
		const more = Buffer.from(BSON.serialize({ [name]: null }));
		const twice = Buffer.concat([once.subarray(0, -1), more.subarray(4)]);
		twice.writeInt32LE(twice.length);
		expect(verify(made, twice)).toContain(told);
	}
});

test("no more than ten differences are told, and never a value", () => {
	const many = Object.fromEntries(Array.from({ length: 20 }, (_, index) => [`p${index}`, text(`private ${index}`)]));
	const own = entity(key("Thing", 1), many);
	const raw = BSON.serialize({ _id: document(own)._id, p0: "hidden" });
	const found = verify(own, raw);
	expect(found).toHaveLength(10);
	expect(found.join()).not.toMatch(/private|hidden/);
});

test("typed references, old keys and integer times are compared as what they are", () => {
	const typed = thing({ references: "typed", keepOld: true, timestamps: "micros" }, fakeMap("objectId"));
	const own = entity(key("Thing", 1), { r: ref(key("Thing", 2)), at });
	const raw = (damage: (document: Loose) => unknown) => {
		const written: TargetDocument = typed.document(own);
		damage(written);
		return typed.verify(own, BSON.serialize(written));
	};
	expect(raw(() => {})).toEqual([]);
	expect(raw((it) => put(it.r, "kind", "Other"))).toEqual(["r.kind: text differs"]);
	expect(raw((it) => put(it, "r", it.r.id))).toEqual(["r: reference became object id"]);
	expect(raw((it) => put(it, "at", new Date(0)))).toEqual(["at: integer became timestamp"]);
	expect(raw((it) => put(it, "_old", "x"))).toEqual(["_old: text differs"]);
	expect(raw((it) => put(it, "_id", String(it._id)))).toEqual(["_id: object id became text"]);
});

test("what is not BSON is told from what differs", () => {
	const raw = Buffer.from(bson(made));
	for (const cut of [raw.subarray(0, 40), Buffer.alloc(0), Buffer.alloc(5, 0xff)]) {
		expect(() => target(cut)).toThrow(/HF_DAMAGED/);
	}
	expect(verify(made, raw)).toEqual([]);
});

test("equal forms differ in nothing", () => {
	expect(differences(source(made), source(made))).toEqual([]);
});
