import { setTimeout as sleep } from "node:timers/promises";
import { openSource } from "../../runtime/datastore/open.ts";
import type { DatastoreSource } from "../../runtime/datastore/source.ts";
import { splitKind } from "../../runtime/datastore/split.ts";
import { collectedKeys } from "../support/collectedKeys.ts";
import {
	type DatastoreEmulator,
	describeWithEmulator,
	startDatastore,
	startFirestoreInDatastoreMode,
} from "../support/datastoreEmulator.ts";
import { plainEntities } from "../support/datastoreFixtures.ts";
import { entity, int, key, keyIn } from "../support/datastoreValues.ts";
import { until } from "../support/until.ts";

const RANGE = { namespace: "", kind: "Dataset" };
const item = (id: number, n: number) => entity(key("Dataset", id), { n: int(n) });
const values = async (source: DatastoreSource): Promise<(string | number | undefined)[]> =>
	(await source.page(RANGE, undefined, 100)).entities.map(({ properties }) => String(properties!.n!.integerValue));

/** A whole second that is over, with what was written before it and not what comes after. */
async function moment(): Promise<string> {
	const seconds = Math.floor(Date.now() / 1000) + 1;
	await sleep((seconds + 1) * 1000 - Date.now() + 50);
	return new Date(seconds * 1000).toISOString().replace(".000Z", "Z");
}

describeWithEmulator("a server that honours read times", () => {
	let emulator: DatastoreEmulator;
	beforeAll(async () => {
		emulator = await startFirestoreInDatastoreMode();
	});
	afterAll(() => emulator?.stop());

	test("serves the past, whatever was written since", async () => {
		await emulator.load([item(1, 1), item(2, 1)]);
		const readTime = await moment();
		await emulator.load([item(1, 2), item(3, 2)]);
		await emulator.remove([key("Dataset", 2)]);
		const options = { project: emulator.project, emulator: emulator.address };
		const [now, then] = [await openSource(options), await openSource({ ...options, readTime })];
		try {
			expect(then).toMatchObject({ pinned: true, readTime });
			expect([await values(then), await values(now)]).toEqual([
				["1", "1"],
				["2", "2"],
			]);
			expect([await then.count("", "Dataset"), await now.count("", "Dataset")]).toEqual([2, 2]);
			const { keys } = await then.page(RANGE, undefined, 100);
			expect((await then.lookup(keys)).map((one) => one?.properties?.n?.integerValue)).toEqual(["1", "1"]);
			expect((await now.lookup(keys)).map((one) => one?.properties?.n?.integerValue)).toEqual(["2", undefined]);
		} finally {
			await Promise.all([now.close(), then.close()]);
		}
	});

	test("divides without samples, and says how to name kinds it cannot tell", async () => {
		await emulator.load(plainEntities("Plain", 1_000));
		const source = await openSource({ project: emulator.project, emulator: emulator.address });
		try {
			const { by, totals } = await splitKind(source, "", "Plain", { partitions: 4 });
			expect({ by, totals }).toEqual({ by: "walk", totals: [250, 250, 250, 250] });
			await expect(source.kinds("")).rejects.toThrow("list the kinds in the declaration");
			await expect(source.namespaces()).rejects.toThrow("list the namespaces in the declaration");
		} finally {
			await source.close();
		}
	});
});

describeWithEmulator("a server that ignores read times", () => {
	let emulator: DatastoreEmulator;
	beforeAll(async () => {
		emulator = await startDatastore({ onDisk: true });
	});
	afterAll(() => emulator?.stop());

	test("is read in the present, and known to be", async () => {
		await emulator.load([item(1, 1)]);
		const readTime = await moment();
		await emulator.load([item(1, 2)]);
		const source = await openSource({ project: emulator.project, emulator: emulator.address, readTime });
		try {
			expect({ pinned: source.pinned, expiresAt: source.expiresAt }).toEqual({ pinned: false, expiresAt: undefined });
			expect(await values(source)).toEqual(["2"]);
		} finally {
			await source.close();
		}
	});

	test("tells namespaces and kinds, and divides by samples", async () => {
		await emulator.load([...plainEntities("Plain", 2_000), entity(keyIn("n", "Account", "a", "\u{1f600}", 1), {})]);
		const source = await openSource({ project: emulator.project, emulator: emulator.address });
		try {
			expect(await source.namespaces()).toEqual(["", "n"]);
			expect([await source.kinds(""), await source.kinds("n")]).toEqual([["Dataset", "Plain"], ["\u{1f600}"]]);
			const { by, ranges } = await splitKind(source, "", "Plain", { partitions: 4 });
			expect({ by, ranges: ranges.length }).toEqual({ by: "scatter", ranges: 4 });
			const sizes: number[] = [];
			for (const range of ranges) {
				let size = 0;
				for (let page = await source.keys(range, undefined, 300); ; ) {
					size += page.keys.length;
					if (page.done) break;
					page = await source.keys(range, page.keys.at(-1), 300);
				}
				sizes.push(size);
			}
			expect(sizes.reduce((a, b) => a + b)).toBe(2_000);
			for (const size of sizes) expect(size).toBeGreaterThan(250);
			const keys = await collectedKeys(source, { namespaces: "all", kinds: "all" });
			expect(keys.length).toBe(1 + 2_000 + 2);
		} finally {
			await source.close();
		}
	});

	test("may end and come back in the middle of a read", async () => {
		await emulator.load(plainEntities("Restarted", 900));
		const source = await openSource({ project: emulator.project, emulator: emulator.address });
		try {
			const first = await source.page({ namespace: "", kind: "Restarted" }, undefined, 300);
			// What it has on disk it writes some time after the commit.
			await sleep(2_000);
			await emulator.pause();
			const rest = until("the rest", 60_000, async () => {
				let count = first.keys.length;
				for (let page = first; !page.done; count += page.keys.length)
					page = await source.page({ namespace: "", kind: "Restarted" }, page.keys.at(-1), 300);
				return count;
			});
			await sleep(500);
			await emulator.resume();
			expect(await rest).toBe(900);
		} finally {
			await source.close();
		}
	});
});
