import { createHash } from "node:crypto";
import { CanonicalWriter, digestOf, Tag } from "../../../runtime/migrate/canonical.ts";
import { Shapes } from "../../../runtime/migrate/shapes.ts";
import { treeOf } from "../../../runtime/migrate/tree.ts";
import { embedded, entity, int, key, text } from "../../support/datastoreValues.ts";
import { thing } from "../../support/roundTrip.ts";

test("a digest is the SHA-256 of the form", () => {
	const form = Buffer.from("form");
	expect(digestOf(form)).toEqual(createHash("sha256").update(form).digest());
});

test("forms that were taken are not written to any more, however long the next ones are", () => {
	const { source } = thing();
	const made = [1, 10, 70_000, 3, 200_000, 1].map((length, at) =>
		entity(key("Thing", at + 1), { t: text("é".repeat(length)) }),
	);
	const forms = made.map(source);
	const copies = forms.map((form) => Buffer.from(form));
	for (let more = 0; more < 2_000; more++) source(made[0]!);
	expect(forms.map((form, at) => form.equals(copies[at]!))).toEqual(made.map(() => true));
	for (const [at, form] of forms.entries()) {
		const value = treeOf(form).fields[0]?.[1];
		const text = made[at]?.properties?.t?.stringValue ?? "";
		expect(value?.tag === "text" && value.bytes.equals(Buffer.from(text))).toBe(true);
	}
});

test("a form that was given up leaves nothing in the next", () => {
	const { source, sourceProblem } = thing({ unmapped: "deadLetter" });
	const good = entity(key("Thing", 1), { n: int(1) });
	const before = Buffer.from(source(good));
	const bad = { key: good.key, properties: { a: int(1), in: embedded({ n: int("1.5") }) } };
	expect(sourceProblem(bad)).toMatchObject({
		...{ code: "INVALID_VALUE", path: "in.n" },
	});
	expect(source(good)).toEqual(before);
});

test("the parts of a form are read back", () => {
	const writer = new CanonicalWriter();
	writer.tag(Tag.ROOT);
	writer.tag(Tag.INTEGER);
	writer.wholeNumber(-(2 ** 53) + 1);
	writer.tag(Tag.TIMESTAMP);
	writer.wholeBigInt(-(2n ** 63n));
	writer.tag(Tag.DOUBLE);
	writer.double(-0);
	const mark = writer.uncounted();
	writer.text("é");
	writer.tag(Tag.NULL);
	writer.counted(mark, 1);
	writer.count(7);
	expect(treeOf(writer.take())).toEqual({
		id: { tag: "integer", value: -(2n ** 53n) + 1n },
		parent: { tag: "timestamp", value: -(2n ** 63n) },
		old: { tag: "double", bits: 1n << 63n },
		fields: [["é", { tag: "null" }]],
		stray: 7,
	});
	expect(() => treeOf(Buffer.of(Tag.NULL))).toThrow(RangeError);
});

test("every NaN is one", () => {
	const bits = (value: number) => {
		const writer = new CanonicalWriter();
		writer.double(value);
		return writer.take().toString("hex");
	};
	const other = Buffer.from("010000000000f8ff", "hex").readDoubleLE();
	expect([bits(Number.NaN), bits(other)]).toEqual(["000000000000f87f", "000000000000f87f"]);
});

test("shapes are found by names in their order, remembered or not", () => {
	let compiled = 0;
	const shapes = new Shapes((names) => {
		compiled++;
		return names.join();
	});
	const read = (...names: string[]) => shapes.of(Object.fromEntries(names.map((name) => [name, 0])));
	const sequences = [["a", "b"], ["a"], [], ["b", "a"], ["a", "c"], ["a", "b", "c"]];
	for (let round = 0; round < 3; round++) for (const names of sequences) expect(read(...names)).toBe(names.join());
	expect(compiled).toBe(sequences.length);
	const many = Array.from({ length: 25_000 }, (_, at) => `n${at}`);
	expect(many.filter((name) => read(name) !== name)).toEqual([]);
	for (const names of sequences) expect(read(...names)).toBe(names.join());
	expect(compiled).toBe(sequences.length + 25_000);
	expect(read("n24999")).toBe("n24999");
	expect(compiled).toBe(sequences.length + 25_001);
});
