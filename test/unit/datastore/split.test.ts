import fc from "fast-check";
import { keyOf } from "../../../runtime/datastore/key.ts";
import type { KeyPage, KeyRange } from "../../../runtime/datastore/source.ts";
import { type SplitOptions, splitKind } from "../../../runtime/datastore/split.ts";
import { encodeKey } from "../../../runtime/migrate/oldKey.ts";
import { plainEntities, randomEntities } from "../../support/datastoreFixtures.ts";
import { entity, key, keyIn } from "../../support/datastoreValues.ts";
import { FakeDatastore, type FakeSource } from "../../support/fakeSource.ts";
import { long, seeded } from "../../support/long.ts";

async function keysIn(source: FakeSource, range: KeyRange): Promise<string[]> {
	const found: string[] = [];
	for (let page: KeyPage | undefined; !page?.done; found.push(...page.keys.map((one) => one.toString("hex"))))
		page = await source.keys(range, page?.keys.at(-1), 50);
	return found;
}

/** Every key in exactly one range, in key order; totals as they are. */
async function expectWhole(source: FakeSource, options: SplitOptions): Promise<number[]> {
	const { ranges, totals } = await splitKind(source, "", "Dataset", options);
	const parts: string[][] = [];
	for (const range of ranges) parts.push(await keysIn(source, range));
	expect(parts.flat()).toEqual(await keysIn(source, { namespace: "", kind: "Dataset" }));
	const sizes = parts.map(({ length }) => length);
	if (totals) expect(totals).toEqual(sizes);
	return sizes;
}

const random = seeded("split");
const pool = randomEntities(random, "Dataset", 3_000);

test("ranges are disjoint and cover the kind, whatever its keys and however it is divided", async () => {
	const counts = fc.integer({ min: 0, max: pool.length });
	const cut = fc.array(fc.integer({ min: 0, max: pool.length - 1 }), { maxLength: 5 });
	await fc.assert(
		fc.asyncProperty(
			counts,
			fc.integer({ min: 1, max: 20 }),
			fc.boolean(),
			cut,
			async (count, partitions, scatter, at) => {
				const source = new FakeDatastore(pool.slice(0, count)).open({ scatter });
				await expectWhole(source, { partitions, least: 10 });
				const list = at.map((index) => encodeKey(keyOf(pool[index]!.key!)));
				await expectWhole(source, { partitions, at: list });
			},
		),
		{ numRuns: long ? 300 : 15 },
	);
});

test("samples divide about evenly", async () => {
	const source = new FakeDatastore(pool).open();
	const sizes = await expectWhole(source, { partitions: 8 });
	expect(sizes).toHaveLength(8);
	for (const size of sizes) expect(Math.abs(size - 375)).toBeLessThan(30);
	expect((await splitKind(source, "", "Dataset", { partitions: 8 })).by).toBe("scatter");
});

test("without samples a walk divides, counts exactly and keeps few keys", async () => {
	const source = new FakeDatastore(plainEntities("Dataset", 5_011)).open({ scatter: false });
	const { by, totals, note } = await splitKind(source, "", "Dataset", { partitions: 7 });
	expect({ by, note }).toEqual({ by: "walk", note: undefined });
	expect(totals!.reduce((a, b) => a + b)).toBe(5_011);
	for (const total of totals!) expect(Math.abs(total - 5_011 / 7)).toBeLessThan(5_011 / 7 / 25);
	await expectWhole(source, { partitions: 7 });
});

test("a kind that cannot be divided as wanted says so", async () => {
	const few = new FakeDatastore(pool.slice(0, 250)).open({ scatter: false });
	expect(await splitKind(few, "", "Dataset", { partitions: 8 })).toMatchObject({
		...{ by: "walk", totals: [125, 125] },
		note: "2 of 8 ranges: it has too few entities for more",
	});
	const none = await splitKind(few, "", "Other", { partitions: 8 });
	expect(none).toMatchObject({ ranges: [{ namespace: "", kind: "Other" }], totals: [0], by: "whole" });
	expect(none.note).toContain("1 of 8");
	expect(await splitKind(few, "", "Dataset", { partitions: 1 })).toEqual({
		...{ ranges: [{ namespace: "", kind: "Dataset" }], totals: undefined, by: "whole" },
	});
});

test("ids are divided by their numbers, beyond 2^53 too, and names by their UTF-8 bytes", async () => {
	const ids = [3n, 2n ** 53n, 2n ** 53n + 1n, 2n ** 63n - 1n].map((id) => entity(key("Dataset", id), {}));
	const names = ["\uff21", "\u{1f600}"].map((name) => entity(key("Dataset", name), {}));
	const source = new FakeDatastore([...names, ...ids.toReversed()]).open({ scatter: false });
	const { ranges } = await splitKind(source, "", "Dataset", { partitions: 6, least: 1 });
	const firsts = ranges.slice(1).map(({ from }) => from!);
	const inOrder = [...ids, ...names].map((one) => encodeKey(keyOf(one.key!)));
	expect(firsts).toEqual(inOrder.slice(1));
});

test("a list of another namespace is refused", async () => {
	const source = new FakeDatastore([]).open();
	const at = [encodeKey(keyOf(keyIn("other", "Dataset", 1)))];
	await expect(splitKind(source, "", "Dataset", { partitions: 2, at })).rejects.toThrow("HF_SETTING");
});
