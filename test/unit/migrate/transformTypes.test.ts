import { Double, Long, ObjectId } from "mongodb";
import { keyOf } from "../../../runtime/datastore/key.ts";
import { encodeKey } from "../../../runtime/migrate/oldKey.ts";
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
	keyIn,
	nul,
	ref,
	text,
	time,
} from "../../support/datastoreValues.ts";
import { fakeMap } from "../../support/fakeMap.ts";
import { thing } from "../../support/roundTrip.ts";

const own = key("Thing", 1);
const id = (of: Parameters<typeof keyOf>[0]) => fakeMap().lookup(encodeKey(keyOf(of)))!;
const written = (value: ReturnType<typeof int>, rule = {}) => thing(rule).document(entity(own, { v: value })).v;

test.each([
	["null", nul(), null],
	["a boolean", bool(false), false],
	["a small integer", int(3), Long.fromInt(3)],
	["a negative integer", int(-1), Long.fromInt(-1)],
	["the largest integer", int(2n ** 63n - 1n), Long.MAX_VALUE],
	["the smallest integer", int(-(2n ** 63n)), Long.MIN_VALUE],
	["an integer beyond a double", int(2n ** 53n + 1n), Long.fromBigInt(2n ** 53n + 1n)],
	["a whole double", double(3), new Double(3)],
	["minus zero", double(-0), new Double(-0)],
	["NaN", double(Number.NaN), new Double(Number.NaN)],
	["a text", text("a\0\u{1f600}"), "a\0\u{1f600}"],
	["bytes", blob(Buffer.of(1, 2)), Buffer.of(1, 2)],
	["a date", time(1_763_000_000, 123_000), new Date(1_763_000_000_123)],
	["a date before 1970", time(-1, 999_000), new Date(-1)],
	["a place", geo(48.2, 16.4), { type: "Point", coordinates: [new Double(16.4), new Double(48.2)] }],
	["an empty array", array(), []],
	["a mixed array", array(int(1), double(1), nul()), [Long.fromInt(1), new Double(1), null]],
	["an embedded entity", embedded({ "a.b": int(1), a: nul() }), { a: null, "a%2Eb": Long.fromInt(1) }],
])("%s", (_, value, expected) => {
	expect(written(value)).toStrictEqual(expected);
});

test("what a date cannot hold stands beside it, by the path of field names", () => {
	const at = time(1_763_000_000, 123_456);
	const made = entity(own, { z: at, "t.s": array(text("x"), embedded({ at })), even: time(5, 2_000) });
	expect(thing({ rename: { z: "made" } }).document(made)).toStrictEqual({
		_id: id(own),
		even: new Date(5_002),
		made: new Date(1_763_000_000_123),
		"t%2Es": ["x", { at: new Date(1_763_000_000_123) }],
		_micros: [
			{ path: ["made"], us: Long.fromInt(456) },
			{ path: ["t%2Es", 1, "at"], us: Long.fromInt(456) },
		],
	});
});

test("times may be integers of microseconds", () => {
	const rule = { timestamps: "micros" as const };
	expect(written(time(1_763_000_000, 123_456), rule)).toStrictEqual(Long.fromBigInt(1_763_000_000_123_456n));
	expect(written(time(-1, 999_999), rule)).toStrictEqual(Long.fromInt(-1));
	expect(written(time(253_402_300_799, 999_999), rule)).toStrictEqual(Long.fromBigInt(253_402_300_799_999_999n));
});

test.each([
	["hex", /^[0-9a-f]{32}$/],
	["uuid", /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/],
])("ids of the format %s are text", (format, shape) => {
	const document = thing({}, fakeMap(format as "hex")).document(
		entity(key("Account", "a", "Thing", 1), { r: ref(own) }),
	);
	for (const found of [document._id, document._parent, document.r]) expect(found).toMatch(shape);
});

test("ids may be ObjectIds or integers", () => {
	const child = entity(key("Account", "a", "Thing", 1), { r: ref(own) });
	const objectIds = thing({}, fakeMap("objectId")).document(child);
	for (const found of [objectIds._id, objectIds._parent, objectIds.r]) expect(found).toBeInstanceOf(ObjectId);
	const integers = thing({}, fakeMap("integer")).document(child);
	for (const found of [integers._id, integers._parent, integers.r]) expect(found).toBeInstanceOf(Long);
	expect(String(integers._id)).toBe(fakeMap("integer").lookup(encodeKey(keyOf(child.key!))));
});

test("parent, old key and references are new ids, wherever they stand", () => {
	const [parent, other] = [key("Account", 7), keyIn("ns", "Dataset", "a b")];
	const child = entity(keyIn("", "Account", 7, "Thing", "x"), {
		r: ref(other),
		list: array(ref(other), embedded({ r: ref(parent) }, key("Part", 1))),
	});
	const both = { r: id(other), list: [id(other), { _key: { kind: "Part", id: id(key("Part", 1)) }, r: id(parent) }] };
	expect(thing({ keepOld: true }).document(child)).toStrictEqual({
		...{ _id: id(child.key!), _parent: id(parent), _old: 'Account:7/Thing:"x"' },
		...both,
	});
	const typed = thing({ references: "typed" }).document(child);
	expect(typed.r).toStrictEqual({ kind: "Dataset", id: id(other) });
	expect(typed._parent).toBe(id(parent));
});

test("properties are renamed and left out, those of embedded entities are not", () => {
	const rule = { rename: { a: "b", b: "a" }, drop: ["c"] };
	const made = entity(own, { a: int(1), b: int(2), c: int(3), in: embedded({ a: int(1), c: int(3) }) });
	expect(thing(rule).document(made)).toStrictEqual({
		...{ _id: id(own), a: Long.fromInt(2), b: Long.fromInt(1) },
		in: { a: Long.fromInt(1), c: Long.fromInt(3) },
	});
});
