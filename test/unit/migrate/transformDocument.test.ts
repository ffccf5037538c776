import { BSON, type Document } from "mongodb";
import type { Entity, Value } from "../../../runtime/datastore/entity.ts";
import { keyOf } from "../../../runtime/datastore/key.ts";
import { encodeKey } from "../../../runtime/migrate/oldKey.ts";
import {
	array,
	blob,
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

const own = key("Account", 1, "Thing", 1);
const { bson, document, transform, verify } = thing({ keepOld: true });

/** Names of the fields, as the bytes have them. */
function names(raw: Uint8Array): string[] {
	const found: string[] = [];
	const bytes = Buffer.from(raw);
	for (let at = 4; at < bytes.length - 1; ) {
		const end = bytes.indexOf(0, at + 1);
		found.push(bytes.toString("utf8", at + 1, end));
		expect([0x02, 0x0a, 0x04]).toContain(bytes[at]);
		at =
			end +
			1 +
			(bytes[at] === 0x02 ? 4 + bytes.readInt32LE(end + 1) : bytes[at] === 0x04 ? bytes.readInt32LE(end + 1) : 0);
	}
	return found;
}

test("fields stand in one order: ours, then by the UTF-8 bytes of their names", () => {
	const made = entity(own, {
		"\u{1f600}": nul(),
		"\uff21": nul(),
		b: nul(),
		$b: nul(),
		A: nul(),
		"": nul(),
		_x: nul(),
	});
	expect(names(bson(made))).toEqual(["_id", "_parent", "_old", "%", "%24b", "A", "_x", "b", "\uff21", "\u{1f600}"]);
});

test("wide entities are as narrow ones: ours first, with and without a parent, alone and embedded", () => {
	const wide = Object.fromEntries(Array.from({ length: 40 }, (_, at) => [`p${String(at).padStart(2, "0")}`, nul()]));
	const sorted = Object.keys(wide).sort();
	const { bson, document, verify } = thing();
	const made = [own, key("Thing", 1), own].map((of, at) =>
		entity(of, { ...wide, in: embedded({ ...wide, n: int(at) }, at === 1 ? undefined : own) }),
	);
	for (const one of made) expect(verify(one, bson(one))).toEqual([]);
	const [child, root] = made.map((one) => Object.keys(document(one)));
	expect([child, root]).toEqual([
		["_id", "_parent", "in", ...sorted],
		["_id", "in", ...sorted],
	]);
	const inside = made.map((one) => Object.keys(document(one).in as object));
	expect(inside.map(([first]) => first)).toEqual(["_key", "n", "_key"]);
	expect(made.map((one) => String((document(one).in as { n: unknown }).n))).toEqual(["0", "1", "2"]);
});

test("names that an object sorts or takes for something else keep their place", () => {
	const sorts = { 10: nul(), 9: nul(), A: nul() };
	const made = entity(own, sorts);
	expect(names(bson(made))).toEqual(["_id", "_parent", "_old", "10", "9", "A"]);
	const trap = entity(own, { _bsontype: text("Long"), toBSON: nul() });
	expect(names(bson(trap))).toEqual(["_id", "_parent", "_old", "_bsontype", "toBSON"]);
	for (const properties of [sorts, trap.properties ?? {}]) {
		const inside = entity(own, { in: embedded(properties, own), list: array(embedded({ in: embedded(properties) })) });
		expect(verify(inside, bson(inside))).toEqual([]);
	}
	// What the driver looks for before it inserts.
	expect(document(made)._id).toBe(fakeMap().lookup(encodeKey(keyOf(own))));
});

test("the property __proto__ is a property", () => {
	const properties = Object.defineProperty({}, "__proto__", { value: nul(), enumerable: true });
	const made: Entity = { key: own, properties };
	expect(names(bson(made))).toEqual(["_id", "_parent", "_old", "__proto__"]);
	expect(verify(made, bson(made))).toEqual([]);
});

test("a rename that meets another property is a problem", () => {
	const { transform, sourceProblem } = thing({ rename: { a: "b" } });
	const problem = {
		code: "NAME_CLASH",
		path: expect.stringMatching(/^[ab]$/),
		reason: "a rename gives two properties one name",
	};
	const made = entity(own, { a: nul(), b: nul() });
	expect(transform(made).problem).toEqual(problem);
	expect(sourceProblem(made)).toMatchObject({ code: "NAME_CLASH" });
	expect(transform(entity(own, { a: nul() })).problem).toBeUndefined();
});

test.each([
	["text that is not Unicode", text("a\ud800"), "text that is not Unicode"],
	["a number that is none", int("1.5"), "not a 64-bit integer"],
	["a number beyond 64 bits", int(2n ** 63n), "not a 64-bit integer"],
	["an empty number", int(""), "not a 64-bit integer"],
	["a value without a type", {}, "a value without a type"],
	["a time between microseconds", { timestampValue: { seconds: "0", nanos: 1 } }, "a time with parts of a microsecond"],
	["a time that is no date", time(9e12), "a time that is no date"],
	[
		"a reference that is no key",
		{ keyValue: { path: [{ kind: "A", id: "-5" }] } },
		"an id is a whole number from 1 to 2^63 - 1",
	],
])("%s is a problem", (_, value, reason) => {
	const made: Entity = { key: own, properties: { list: array(nul(), embedded({ v: value })) } };
	expect(transform(made).problem).toEqual({ code: "INVALID_VALUE", path: "list[1].v", reason });
});

test("more levels than MongoDB takes are a problem", () => {
	const deep = (levels: number) => {
		let value = nul();
		for (let level = 0; level < levels; level++) value = embedded({ a: value });
		return transform({ key: own, properties: { a: value } }).problem?.code;
	};
	expect([deep(19), deep(98), deep(99), deep(5_000)]).toEqual([undefined, undefined, "TOO_DEEP", "TOO_DEEP"]);
});

const listOf = (values: Value[]): Entity => ({ key: own, properties: { list: { arrayValue: { values } } } });

test("a document beyond 16 MiB is a problem, one that only may be is measured", () => {
	const large = (bytes: number) => transform(listOf([blob(Buffer.alloc(bytes))])).problem;
	expect(large(2 ** 24 - 20_000)).toBeUndefined();
	expect(large(2 ** 24 - 16_384)).toMatchObject({ code: "TOO_LARGE", path: "" });
	const letters = transform({ key: own, properties: { t: text("a".repeat(6 * 2 ** 20)) } });
	expect(letters.problem).toBeUndefined();
});

test("what is said of a document's size is never too little", () => {
	const { transform } = thing({ unmapped: "keep", references: "typed", keepOld: true }, fakeMap("uuid"));
	const part = embedded({ "a.b": geo(1, 2), _id: nul() }, key("Gone", 1, "Part"));
	const links = array(ref(own), ref(key("Account", "\uff21".repeat(500), "Gone", "x")), ref(key("\uff21", 1)));
	for (const value of [
		time(1, 1),
		double(1),
		int(1),
		nul(),
		text("\uff21\u{1f600}"),
		text("\uff21".repeat(1_000)),
		part,
		links,
		blob(Buffer.of(1)),
	]) {
		for (const count of [0, 1, 10, 2_000]) {
			const { document, bytes = 0 } = transform(listOf(Array<Value>(count).fill(value))) as {
				document: Document;
				bytes: number;
			};
			expect(bytes).toBeGreaterThanOrEqual(BSON.calculateObjectSize(document));
		}
	}
});

test("one bad entity leaves nothing behind for the next", () => {
	const good = entity(own, { list: array(time(0, 1), text("x")), n: int(1) });
	const before = bson(good);
	const bad: Entity = { key: own, properties: { list: array(time(0, 2), embedded({ t: text("\udc00") })) } };
	expect(transform(bad).problem).toBeDefined();
	expect(bson(good)).toEqual(before);
	expect(verify(good, before)).toEqual([]);
});
