import * as fc from "fast-check";
import type { IdMap } from "../../../runtime/migrate/idmap/idMap.ts";
import { checkTarget, idsOf, match, parseShape, rename } from "../../../runtime/migrate/objects/shape.ts";
import { decodeKey, keyText } from "../../../runtime/migrate/oldKey.ts";

const mapped = (lookup: (text: string) => string | undefined) =>
	({ lookup: (key: Uint8Array) => lookup(keyText(decodeKey(Buffer.from(key)))) }) as IdMap;
const ids = (shape: string, name: string) => idsOf(parseShape(shape), name).map(keyText);

/** Every way in which the parts of a shape can share out a name among them. */
function readings(parts: ReturnType<typeof parseShape>["parts"], name: string): number {
	const [first, ...rest] = parts;
	if (first === undefined) return name === "" ? 1 : 0;
	if (first.is === "text") return name.startsWith(first.text) ? readings(rest, name.slice(first.text.length)) : 0;
	const allowed = { name: /^[^/]+$/su, id: /^[1-9][0-9]*$/, segment: /^[^/]*$/su, rest: /^.*$/su }[first.is];
	let found = 0;
	for (let end = 0; end <= name.length; end++)
		if (allowed.test(name.slice(0, end))) found += readings(rest, name.slice(end));
	return found;
}

describe("a shape", () => {
	it("finds old ids, of text and of digits", () => {
		expect(ids("datasets/{Dataset}/**", "datasets/ä b/x/y.json")).toEqual(['Dataset:"ä b"']);
		expect(ids("datasets/{Dataset}/**", "datasets/a/")).toEqual(['Dataset:"a"']);
		expect(ids("a/{Account#}/{Dataset}.json", "a/12/x.json.json")).toEqual(["Account:12", 'Dataset:"x.json"']);
		expect(ids("{A#}-{B}", "12-3-4")).toEqual(["A:12", 'B:"3-4"']);
		expect(ids("**/{Report}", "a/b/c%2Fd")).toEqual(['Report:"c%2Fd"']);
		expect(ids("{A}", "💡")).toEqual(['A:"💡"']);
	});

	it("fits no other names", () => {
		for (const [shape, name] of [
			["datasets/{Dataset}/**", "datasets//x"],
			["datasets/{Dataset}/**", "datasets/a"],
			["datasets/{Dataset}", "datasets/a/b"],
			["{A#}", "0"],
			["{A#}", "007"],
			["{A#}", "-1"],
			["{A#}", "9223372036854775808"],
			["a.b/{A}", "aXb/c"],
		] as const)
			expect(match(parseShape(shape), name)).toBeUndefined();
		expect(match(parseShape("{A#}"), "9223372036854775807")).toEqual(["9223372036854775807"]);
	});

	it.each([
		"{A}{B}",
		"{A}-{B}",
		"**/x/**",
		"*-*",
		"{A#}{B}",
		"1{A#}",
		"{A}1{B#}",
		"{A#}2-{B}",
		"a{",
		"a}",
		"{}",
		"**{A}",
	])("is refused as %s", (text) => expect(() => parseShape(text)).toThrow("HF_SETTING"));

	it("fits a name in one way only, or is refused", () => {
		const part = fc.constantFrom("{A}", "{B}", "{A#}", "{B#}", "*", "**", "/", "-", "a", "1", "a/");
		const name = fc.string({ unit: fc.constantFrom("/", "-", "a", "1", "2", "ä"), maxLength: 9 });
		fc.assert(
			fc.property(fc.array(part, { minLength: 1, maxLength: 6 }), name, (parts, text) => {
				let shape: ReturnType<typeof parseShape>;
				try {
					shape = parseShape(parts.join(""));
				} catch (error) {
					expect(String(error)).toContain("HF_SETTING");
					return;
				}
				const ways = readings(shape.parts, text);
				expect(ways).toBeLessThanOrEqual(1);
				expect(match(shape, text) !== undefined).toBe(ways === 1);
			}),
			{ numRuns: 2000 },
		);
	});
});

describe("a rename", () => {
	const shape = parseShape("datasets/{Dataset}/**");

	it("puts new ids into the new form", () => {
		const map = mapped((old) => (old === 'Dataset:"a/b"' ? "wrong" : `<${old}>`));
		expect(rename(shape, parseShape("d/{Dataset}/files/**"), "datasets/a/b/c%", map)).toEqual({
			name: 'd/<Dataset:"a">/files/b/c%',
		});
		expect(rename(shape, shape, "other/a", map)).toBeUndefined();
	});

	it("names the id that the map has not", () => {
		const map = mapped(() => undefined);
		expect(rename(shape, shape, "datasets/a/b", map)).toEqual({
			unmapped: { namespace: "", path: [{ kind: "Dataset", name: "a" }] },
		});
	});

	it("keeps everything but ids, whatever the text", () => {
		const text = fc.string({ unit: "grapheme", minLength: 1 }).filter((id) => !id.includes("/") && id.isWellFormed());
		const rest = fc.string({ unit: "grapheme" });
		fc.assert(
			fc.property(text, rest, (id, tail) => {
				const map = mapped((old) => (old === `Dataset:${JSON.stringify(id)}` ? "new" : undefined));
				expect(rename(shape, shape, `datasets/${id}/${tail}`, map)).toEqual({ name: `datasets/new/${tail}` });
			}),
		);
	});

	it("is refused to a form with other parts", () => {
		expect(() => checkTarget(shape, parseShape("{Other}/**"))).toThrow("HF_SETTING");
		expect(() => checkTarget(shape, parseShape("**/{Dataset}"))).toThrow("HF_SETTING");
		expect(() => checkTarget(shape, parseShape("x-{Dataset}/y/**"))).not.toThrow();
	});
});
