import fc from "fast-check";
import {
	encodeRecord,
	expiryOf,
	headerLength,
	headerOf,
	isHeader,
	isWhole,
	physicalExpiry,
	stampOf,
	stateOf,
	valueIn,
} from "../../../runtime/redis/record.ts";
import { formatStamp, greatestMs } from "../../../runtime/redis/stamp.ts";
import type { Value } from "../../../runtime/redis/store.ts";
import { seeded } from "../../support/long.ts";

const seed = Math.floor(seeded("redis record")() * 2 ** 31);
const stampAt = (ms: number) => formatStamp({ ms, counter: 1, nodeId: "00000000000000aa" });
const bytes = fc.uint8Array({ maxLength: 300 }).map((array) => Buffer.from(array));
const value: fc.Arbitrary<Value> = fc.record(
	{
		kind: fc.constantFrom("text" as const, "json" as const, "bytes" as const),
		payload: bytes,
		expiresAt: fc.integer({ min: 0, max: greatestMs - 1 }),
	},
	{ requiredKeys: ["kind", "payload"] },
);
const stamp = fc.integer({ min: 0, max: greatestMs }).map(stampAt);

describe("a record", () => {
	it("gives back what was put in", () => {
		fc.assert(
			fc.property(stamp, value, (drawn, put) => {
				const record = encodeRecord(drawn, put);
				const header = headerOf(record)!;
				expect(stampOf(header)).toBe(drawn);
				expect(expiryOf(header)).toBe(put.expiresAt);
				expect(isWhole(record)).toBe(true);
				expect(valueIn(record, header)).toEqual(put);
			}),
			{ seed, numRuns: 500 },
		);
	});

	it("wins by its stamp, whatever else it says", () => {
		fc.assert(
			fc.property(
				fc.integer({ min: 0, max: greatestMs - 1 }),
				fc.option(value),
				fc.option(value),
				(ms, older, newer) => {
					const first = headerOf(encodeRecord(stampAt(ms), older ?? undefined))!;
					const second = headerOf(encodeRecord(stampAt(ms + 1), newer ?? undefined))!;
					expect(second > first).toBe(true);
				},
			),
			{ seed, numRuns: 200 },
		);
	});

	it("with the same stamp and other contents has another header", () => {
		const of = (text: string) => headerOf(encodeRecord(stampAt(5), { kind: "text", payload: Buffer.from(text) }));
		expect(of("a")).not.toBe(of("b"));
		expect(of("a")).toBe(of("a"));
	});

	it("is not found in a string that is none, and no string is too odd to ask", () => {
		fc.assert(
			fc.property(
				fc.oneof(
					bytes,
					fc.string().map((text) => Buffer.from(text)),
				),
				(any) => {
					const header = headerOf(any);
					expect(header === undefined || isHeader(header)).toBe(true);
				},
			),
			{ seed, numRuns: 500 },
		);
	});

	it("whose header was touched anywhere is none, or is damaged, or has another header", () => {
		const record = encodeRecord(stampAt(7), { kind: "text", payload: Buffer.from("payload") });
		fc.assert(
			fc.property(fc.integer({ min: 0, max: record.length - 1 }), fc.integer({ min: 1, max: 255 }), (at, flip) => {
				const touched = Buffer.from(record);
				touched[at]! ^= flip;
				const header = headerOf(touched);
				if (at >= headerLength) expect(isWhole(touched)).toBe(false);
				else expect(header).not.toBe(headerOf(record));
			}),
			{ seed, numRuns: 500 },
		);
	});

	it.each([
		["too short", "0".repeat(headerLength - 1)],
		["upper case", `${"A".repeat(32)}0${"f".repeat(20)}`],
		["of no kind", `${"0".repeat(32)}3${"f".repeat(20)}`],
		["not hex", `${"0".repeat(32)}0${"g".repeat(20)}`],
	])("is not one that is %s", (_, text) => expect(headerOf(Buffer.from(text))).toBeUndefined());

	it("reads as deleted past its expiry, and outlives that by the grace", () => {
		const header = headerOf(encodeRecord(stampAt(5), { kind: "text", payload: Buffer.from("x"), expiresAt: 1000 }))!;
		expect([stateOf(header, 999), stateOf(header, 1000)]).toEqual(["live", "expired"]);
		expect(physicalExpiry(header, 500)).toBe(1500);
	});

	it("without an expiry stays", () => {
		const header = headerOf(encodeRecord(stampAt(5), { kind: "text", payload: Buffer.from("x") }))!;
		expect(stateOf(header, Number.MAX_SAFE_INTEGER)).toBe("live");
		expect(physicalExpiry(header, 500)).toBeUndefined();
	});

	it("of a delete stays for the grace", () => {
		const header = headerOf(encodeRecord(stampAt(5), undefined))!;
		expect(stateOf(header, 0)).toBe("deleted");
		expect(physicalExpiry(header, 500)).toBe(505);
	});

	it("takes no expiry that its header cannot hold", () => {
		for (const expiresAt of [-1, 1.5, greatestMs, Number.NaN])
			expect(() => encodeRecord(stampAt(5), { kind: "text", payload: Buffer.alloc(0), expiresAt })).toThrow(RangeError);
	});
});
