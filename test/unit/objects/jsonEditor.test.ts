import * as fc from "fast-check";
import { type Found, JsonEditor } from "../../../runtime/migrate/objects/jsonEditor.ts";
import { parsePaths } from "../../../runtime/migrate/objects/jsonPath.ts";
import { ContentProblem } from "../../../runtime/migrate/objects/jsonTokens.ts";

const PATHS = ["$.id", "$.items[*].dataset", "$['a \\'b'].ä[*][*]", "$.x.y"];

function edit(
	pieces: readonly Buffer[],
	{
		paths = PATHS,
		lines = false,
		replace = (_kind: string, found: Found) => JSON.stringify(`new ${Object.values(found)}`),
	} = {} as {
		paths?: string[];
		lines?: boolean;
		replace?: (kind: string, found: Found) => string | undefined;
	},
): string {
	const node = parsePaths(paths.map((path) => ({ path, kind: path })));
	const editor = new JsonEditor({ paths: node, lines, replace });
	const out = pieces.flatMap((piece) => editor.push(piece));
	return Buffer.concat([...out, ...editor.end()]).toString();
}
const whole = (text: string, options?: Parameters<typeof edit>[1]) => edit([Buffer.from(text)], options);

/** At every place once, and byte by byte. */
function* splits(text: string): Generator<Buffer[]> {
	const bytes = Buffer.from(text);
	for (let at = 0; at <= bytes.length; at++) yield [bytes.subarray(0, at), bytes.subarray(at)];
	yield [...bytes].map((byte) => Buffer.from([byte]));
}

describe("ids in JSON", () => {
	it("are replaced where they are declared, wherever the chunks end, and no other byte", () => {
		const text =
			'\r\n { "id" :"a\\u00e4ä💡", "n":1.50e+3,"items": [ {"dataset":7}, {"dataset": null,"x":"id"}], "a \'b":{"\\u00e4":[["q"],[]]},\t"x":"y"} \n';
		const wanted =
			'\r\n { "id" :"new aää💡", "n":1.50e+3,"items": [ {"dataset":"new 7"}, {"dataset": null,"x":"id"}], "a \'b":{"\\u00e4":[["new q"],[]]},\t"x":"y"} \n';
		for (const pieces of splits(text)) expect(edit(pieces)).toBe(wanted);
	});

	it("are told by kind, and replaced by any token", () => {
		const seen: unknown[] = [];
		const replace = (kind: string, found: Found) => {
			seen.push([kind, found]);
			return "12";
		};
		expect(whole('{"id":"1","items":[{"dataset":34}]}', { replace })).toBe('{"id":12,"items":[{"dataset":12}]}');
		expect(seen).toEqual([
			["$.id", { text: "1" }],
			["$.items[*].dataset", { digits: "34" }],
		]);
	});

	it("stand at the root, in lines, and twice under one name", () => {
		for (const pieces of splits('"a"\n\n 12\r\n34'))
			expect(edit(pieces, { paths: ["$"], lines: true })).toBe('"new a"\n\n "new 12"\r\n"new 34"');
		expect(whole("[1,[2],3]".replace("[2]", "2"), { paths: ["$[*]"] })).toBe('["new 1","new 2","new 3"]');
		expect(whole('{"id":"1","id":"2"}')).toBe('{"id":"new 1","id":"new 2"}');
		expect(whole("", { lines: true })).toBe("");
	});

	it("are missing from the map, or no ids", () => {
		const none = { replace: () => undefined };
		for (const [text, code] of [
			['\n{"id":"secret"}', "UNMAPPED"],
			['\n{"id":"\\ud800"}', "UNMAPPED"],
			['\n{"id":1.0}', "NOT_AN_ID"],
			['\n{"id":-1}', "NOT_AN_ID"],
			['\n{"id":true}', "NOT_AN_ID"],
			['\n{"id":["a"]}', "NOT_AN_ID"],
			['\n{"id":{}}', "NOT_AN_ID"],
		] as const)
			expect(problem(() => whole(text, none))).toEqual([code, expect.stringMatching(/^line 2(?!.*secret)/)]);
		expect(problem(() => whole("[".repeat(10_001)))[0]).toBe("TOO_DEEP");
	});

	it("leave long texts alone, in bounded memory", () => {
		const long = "x".repeat(100_000);
		expect(whole(`{"${long}":"${long}","id":"1"}`)).toBe(`{"${long}":"${long}","id":"new 1"}`);
		const pieces = Buffer.from(`{"${long}":1,"id":"${long}"}`);
		expect(
			problem(() => edit([pieces.subarray(0, 70_000), pieces.subarray(70_000, 180_000), pieces.subarray(180_000)]))[0],
		).toBe("UNMAPPED");
	});
});

function problem(fn: () => unknown): [string, string] {
	try {
		fn();
	} catch (error) {
		if (error instanceof ContentProblem) return [error.code, error.message];
		throw error;
	}
	throw new Error("there was no problem");
}

describe("JSON", () => {
	const text = fc.string({
		unit: fc.constantFrom(
			"{",
			"}",
			"[",
			"]",
			",",
			":",
			'"',
			"\\",
			"u0041",
			"1",
			"0",
			"-",
			".",
			"e",
			"+",
			"true",
			"null",
			" ",
			"\n",
			"ä",
			'"id"',
			'"a"',
		),
		maxLength: 14,
	});

	it("is told from what is not, as JSON.parse tells it", () => {
		fc.assert(
			fc.property(
				fc.oneof(
					text,
					fc.json().map((json) => json.slice(0, -1)),
					fc.json(),
				),
				(json) => {
					let valid = true;
					try {
						JSON.parse(json);
					} catch {
						valid = false;
					}
					const check = () => whole(json, { paths: ["$.none"] });
					if (valid) expect(check()).toBe(json);
					else expect(problem(check)[0]).toBe("MALFORMED");
				},
			),
			{ numRuns: 3000 },
		);
	});

	it("parses to the same with ids replaced, and keeps all other bytes", () => {
		const spaces = fc.constantFrom("", " ", "\t", "\r\n", "  ");
		const id = fc.oneof(
			fc.string({ unit: "grapheme" }).filter((one) => one.isWellFormed()),
			fc.integer({ min: 1 }),
		);
		const written = (one: string | number, ascii: boolean) =>
			ascii
				? JSON.stringify(one).replace(/[^\x20-\x7e]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`)
				: JSON.stringify(one);
		const cuts = fc.array(fc.nat({ max: 400 }), { maxLength: 6 });
		fc.assert(
			fc.property(
				id,
				fc.array(id, { maxLength: 4 }),
				fc.json(),
				fc.boolean(),
				spaces,
				cuts,
				(one, many, other, ascii, space, at) => {
					const json = (map: (token: string) => string) =>
						`${space}{${space}"other"${space}:${other},"id":${space}${map(written(one, ascii))}${space},"items":[${many
							.map((each) => `${space}{"n":1.0,"dataset":${map(written(each, ascii))}${space}}`)
							.join(",")}]}${space}`;
					const before = Buffer.from(json((token) => token));
					const ends = [...new Set(at.filter((cut) => cut < before.length))].sort((a, b) => a - b);
					const pieces = [0, ...ends].map((start, index) => before.subarray(start, ends[index] ?? before.length));
					const replaced = (found: unknown) => JSON.stringify(`<${found}>`);
					const after = edit(pieces, { replace: (_kind, found) => replaced(Object.values(found)[0]) });
					expect(after).toBe(json((token) => replaced(JSON.parse(token))));
				},
			),
			{ numRuns: 500 },
		);
	});

	it("in lines has one value a line", () => {
		const lines = { lines: true };
		expect(problem(() => whole("1 2", lines))).toEqual(["MALFORMED", expect.stringContaining("line 1")]);
		expect(problem(() => whole("1\n{\n}", lines))).toEqual(["MALFORMED", expect.stringContaining("line 2")]);
		expect(problem(() => whole("1\n2\n[1", lines))).toEqual(["MALFORMED", expect.stringContaining("line 3")]);
		expect(problem(() => whole("1\n2"))).toEqual(["MALFORMED", expect.stringContaining("line 2")]);
		expect(problem(() => whole(""))[0]).toBe("MALFORMED");
	});

	it("is refused where its ids are not UTF-8", () => {
		const broken = Buffer.concat([Buffer.from('{"id":"'), Buffer.from([0xff]), Buffer.from('"}')]);
		expect(problem(() => edit([broken]))[0]).toBe("MALFORMED");
	});
});

describe("a path", () => {
	it.each(["$..a", "$.a[0]", "$.*", "$[?(@.a)]", "$.a.", "$['a]", "a", "$.a b"])("is refused as %s", (path) => {
		expect(() => parsePaths([{ path, kind: "A" }])).toThrow("HF_SETTING");
	});

	it("stands there once", () => {
		const twice = ["$.a", "$['a']"].map((path) => ({ path, kind: "A" }));
		expect(() => parsePaths(twice)).toThrow("it is there twice");
	});
});
