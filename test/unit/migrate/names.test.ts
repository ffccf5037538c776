import fc from "fast-check";
import {
	collectionName,
	compareUtf8,
	escapeFirst,
	escapeName,
	isCollectionName,
	RESERVED_AT_ROOT,
	RESERVED_INSIDE,
	unescapeName,
} from "../../../runtime/migrate/names.ts";
import { FIELDS } from "../../support/datastoreFixtures.ts";

const seed = Number(process.env.HOLDFAST_SEED) || Date.now() % 2 ** 31;
const places = [RESERVED_AT_ROOT, RESERVED_INSIDE];
const letter = fc.constantFrom(..."%.$_\0 aEi25Fkp", "\uff21", "\u{1f600}", "é");
const name = fc.oneof(
	fc.constantFrom(...FIELDS, ...RESERVED_AT_ROOT, ...RESERVED_INSIDE, "", "%74ype", "type", "kind", "%6Bind"),
	fc.array(letter, { maxLength: 8 }).map((letters) => letters.join("")),
	fc.string({ unit: "grapheme" }),
);

test("names are escaped as documented", () => {
	const escaped = (from: string) => escapeName(from, RESERVED_AT_ROOT);
	expect(["a", "a.b", "$set", "a$", "100%", "a\0b", "", "_id", "_micros", "_key", "_x"].map(escaped)).toEqual([
		"a",
		"a%2Eb",
		"%24set",
		"a$",
		"100%25",
		"a%00b",
		"%",
		"%5Fid",
		"%5Fmicros",
		"_key",
		"_x",
	]);
	expect(escapeName("_key", RESERVED_INSIDE)).toBe("%5Fkey");
	expect(escapeName("_id", RESERVED_INSIDE)).toBe("_id");
	expect([escapeFirst("type"), escapeFirst("kind")]).toEqual(["%74ype", "%6Bind"]);
});

test("what is escaped is read back, is a field that MongoDB takes, and is nobody else's", () => {
	fc.assert(
		fc.property(
			fc.constantFrom(...places),
			fc.uniqueArray(name, { minLength: 1, maxLength: 30 }),
			(reserved, names) => {
				const fields = names.map((one) => escapeName(one, reserved));
				expect(fields.map((field) => unescapeName(field, reserved))).toEqual(names);
				expect(new Set(fields).size).toBe(names.length);
				for (const field of fields) {
					expect(field).not.toMatch(/^$|^\$|[.\0]/);
					expect(reserved.has(field)).toBe(false);
				}
			},
		),
		{ seed },
	);
});

test("a field that no property is written as has no name", () => {
	for (const field of ["a.b", "100%", "%2e", "%61", "_id", "$x", "a%24", "%74ype"]) {
		expect(unescapeName(field, RESERVED_AT_ROOT)).toBeUndefined();
	}
	expect(unescapeName("%74ype", RESERVED_INSIDE)).toBe("type");
	expect(unescapeName("%63oordinates", RESERVED_INSIDE)).toBeUndefined();
});

test("names are compared as their UTF-8 bytes are", () => {
	fc.assert(
		fc.property(name, name, (a, b) => {
			expect(Math.sign(compareUtf8(a, b))).toBe(Buffer.compare(Buffer.from(a), Buffer.from(b)));
		}),
		{ seed },
	);
	expect(compareUtf8("\uff21", "\u{1f600}")).toBeLessThan(0);
});

test("any kind is a collection of its own", () => {
	const kinds = ["Dataset", "a$b", "a.b", ".a.", "a..b", "system.users", "100%", "a\0b", "system", "é"];
	expect(kinds.map(collectionName)).toEqual([
		"Dataset",
		"a%24b",
		"a.b",
		"%2Ea%2E",
		"a.%2Eb",
		"%73ystem.users",
		"100%25",
		"a%00b",
		"system",
		"é",
	]);
	fc.assert(
		fc.property(
			fc.uniqueArray(
				name.filter((kind) => kind !== ""),
				{ maxLength: 30 },
			),
			(names) => {
				const collections = names.map(collectionName);
				expect(new Set(collections).size).toBe(names.length);
				for (const collection of collections) expect(isCollectionName(collection)).toBe(true);
			},
		),
		{ seed },
	);
	for (const refused of ["a$", ".a", "a.", "a..b", "a\0", "system.x"]) expect(isCollectionName(refused)).toBe(false);
});
