import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { Sorter, type SorterLimits } from "../../../runtime/migrate/idmap/sorter.ts";
import { long } from "../../support/long.ts";

const bytes = fc.oneof(
	fc.uint8Array({ maxLength: 6 }),
	fc.array(fc.constantFrom(0, 1, 255), { maxLength: 20 }).map((list) => Uint8Array.from(list)),
);

/** Small enough for runs of a few rows, and for merges of merges. */
const limits: fc.Arbitrary<SorterLimits> = fc.record({
	arena: fc.integer({ min: 22, max: 400 }),
	rows: fc.integer({ min: 1, max: 40 }),
	fanIn: fc.integer({ min: 2, max: 4 }),
});

function sorted(rows: readonly Uint8Array[], how?: SorterLimits): Buffer[] {
	const folder = mkdtempSync(join(tmpdir(), "holdfast-sorter-"));
	try {
		const sorter = new Sorter(folder, "rows", how);
		for (const row of rows) sorter.add(Buffer.from(row));
		const [first, second] = [take(sorter), take(sorter)];
		expect(second).toEqual(first);
		if (how) expect(readdirSync(folder).length).toBeLessThanOrEqual(how.fanIn);
		return first;
	} finally {
		rmSync(folder, { recursive: true });
	}
}

function take(sorter: Sorter): Buffer[] {
	const rows = sorter.sorted();
	const found: Buffer[] = [];
	while (rows.next()) found.push(Buffer.from(rows.bytes.subarray(rows.from, rows.to)));
	rows.close();
	return found;
}

const expected = (rows: readonly Uint8Array[]): Buffer[] =>
	[...new Set(rows.map((row) => Buffer.from(row).toString("latin1")))]
		.map((text) => Buffer.from(text, "latin1"))
		.sort(Buffer.compare);

test("rows come out sorted and once, whatever the memory", () => {
	fc.assert(
		fc.property(fc.array(bytes, { maxLength: 150 }), limits, (rows, how) => {
			expect(sorted(rows, how)).toEqual(expected(rows));
		}),
		{ numRuns: long ? 1000 : 50 },
	);
});

test("rows with long common beginnings", () => {
	const rows = Array.from({ length: 3000 }, (_, index) => Buffer.from(`${"x".repeat(300)}${(index * 7919) % 1009}`));
	expect(sorted(rows)).toEqual(expected(rows));
	expect(sorted(rows, { arena: 100_000, rows: 500, fanIn: 3 })).toEqual(expected(rows));
});

test("the longest row, and one that is too long", () => {
	const longest = Buffer.alloc(65_535, 7);
	expect(sorted([longest, Buffer.from("a"), longest])).toEqual([longest, Buffer.from("a")]);
	expect(() => sorted([Buffer.alloc(65_536)])).toThrow(RangeError);
});
