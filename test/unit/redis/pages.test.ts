import fc from "fast-check";
import { infoFields, parseMark } from "../../../runtime/redis/facts.ts";
import { packHeaders, unpackHeaders } from "../../../runtime/redis/pages.ts";
import { encodeRecord, headerOf } from "../../../runtime/redis/record.ts";
import { formatStamp } from "../../../runtime/redis/stamp.ts";
import { seeded } from "../../support/long.ts";

const seed = Math.floor(seeded("redis pages")() * 2 ** 31);

it("gives back packed headers, whatever their keys", () => {
	const entry = fc.record({
		key: fc.uint8Array({ maxLength: 512 }).map((bytes) => Buffer.from(bytes)),
		header: fc
			.nat(1e9)
			.map((ms) => headerOf(encodeRecord(formatStamp({ ms, counter: 0, nodeId: "0".repeat(16) }), undefined))!),
	});
	fc.assert(
		fc.property(fc.array(entry, { maxLength: 20 }), (entries) => {
			expect(unpackHeaders(packHeaders(entries))).toEqual(entries);
		}),
		{ seed, numRuns: 200 },
	);
});

it("reads INFO, also values with colons", () => {
	const fields = infoFields("# Server\r\nredis_version:7.0.15\r\nexecutable:/a:b\r\n\r\nnothing\r\n");
	expect([...fields]).toEqual([
		["redis_version", "7.0.15"],
		["executable", "/a:b"],
	]);
});

it.each([
	"",
	"{",
	"null",
	'{"at":"x"}',
	'{"phase":"odd","at":1,"runId":"a","members":[]}',
])("takes %j for no mark", (text) => expect(parseMark(text)).toBeUndefined());

it("reads a mark", () => {
	const mark = { phase: "equal", at: 5, runId: "a", members: ["n:1"] } as const;
	expect(parseMark(JSON.stringify(mark))).toEqual(mark);
});
