import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { gunzipSync, gzipSync } from "node:zlib";
import { Checksum } from "../../../runtime/gcs/checksum.ts";
import { contentRule, remapped, remappedDigest, replacer } from "../../../runtime/migrate/objects/contents.ts";
import { itemProblem } from "../../../runtime/migrate/objects/itemProblem.ts";
import { Naming } from "../../../runtime/migrate/objects/naming.ts";
import { map, newId, objectsDeclaration } from "../../support/objectScene.ts";

const rule = contentRule({ format: "ndjson", ids: [{ path: "$.id", kind: "Dataset" }] });
const before = Array.from({ length: 3000 }, (_, index) => `{"id":"d${index % 100}","n": ${index}.0}`).join("\n");
const after = before.replace(/d\d+/g, (id) => newId("Dataset", id));
const pieces = (bytes: Buffer, size = 1000) =>
	Readable.from(
		Array.from({ length: Math.ceil(bytes.length / size) }, (_, index) =>
			bytes.subarray(index * size, (index + 1) * size),
		),
	);

describe("contents", () => {
	it("are remapped as they stream, packed or not, and have one digest", async () => {
		const plain = await buffer(remapped(pieces(Buffer.from(before)), rule, undefined, replacer(map)));
		expect(plain.toString()).toBe(after);
		const packed = await buffer(remapped(pieces(gzipSync(before)), rule, "gzip", replacer(map)));
		expect(gunzipSync(packed).toString()).toBe(after);
		const digest = { crc32c: new Checksum().update(Buffer.from(after)).crc32c, size: after.length };
		expect(await remappedDigest(pieces(gzipSync(before)), rule, "gzip", replacer(map))).toEqual(digest);
	});

	it.each([
		[gzipSync(before).subarray(0, 100), "gzip", "ENCODING"],
		[Buffer.from(before), "gzip", "ENCODING"],
		[Buffer.from(before), "br", "ENCODING"],
		[Buffer.from('{"id":"other"}'), undefined, "UNMAPPED"],
		[Buffer.from('{"id":99999999999999999999}'), undefined, "NOT_AN_ID"],
		[Buffer.from('{"id":9999999999999999999}'), undefined, "UNMAPPED"],
		[Buffer.from("{"), undefined, "MALFORMED"],
	])("that are not what the rule says are told so (%#)", async (bytes, encoding, code) => {
		const read = async () => buffer(remapped(pieces(bytes), rule, encoding, replacer(map)));
		await expect(read().catch((error) => itemProblem(error).code)).resolves.toBe(code);
	});

	it("keep numbers where new ids are numbers", () => {
		const numbers = { ...map, format: "integer" as const, lookup: () => "7" };
		expect(replacer(numbers)("Dataset", { digits: "5" })).toBe("7");
		expect(replacer(numbers)("Dataset", { text: "5" })).toBe('"7"');
		expect(replacer({ ...map, lookup: () => "ab" })("Dataset", { digits: "5" })).toBe('"ab"');
	});
});

describe("names", () => {
	const of = (unmatched: string, name: string) =>
		new Naming(objectsDeclaration("http://127.0.0.1:1", { unmatched }), map).of(name);

	it("go by the first rule that fits, below the prefixes", () => {
		expect(of("deadLetter", "v1/reports/d1.json")).toEqual({ rule: 1, to: `v2/r/${newId("Report", "d1")}.json` });
		expect(of("deadLetter", "v1/tmp/reports/d1.json")).toEqual({ rule: 0, skip: true });
	});

	it("that no rule fits are put aside, copied or left out", () => {
		expect(of("deadLetter", "v1/x")).toMatchObject({ rule: -1, problem: { code: "UNMATCHED" } });
		expect(of("copy", "v1/x")).toEqual({ rule: -1, to: "v2/x" });
		expect(of("skip", "v1/x")).toEqual({ rule: -1, skip: true });
	});

	it("are refused with rules that do not hold together", () => {
		const wrong = (rules: unknown) => () => new Naming(objectsDeclaration("http://127.0.0.1:1", { rules }), map);
		expect(wrong([{ match: "{A}-{B}" }])).toThrow("HF_SETTING");
		expect(wrong([{ match: "{A}", to: "{B}" }])).toThrow("HF_SETTING");
		const ids = [{ path: "$..a", kind: "A" }];
		expect(wrong([{ match: "**", content: { format: "json", ids } }])).toThrow("HF_SETTING");
	});
});
