import * as fc from "fast-check";
import { openBucket } from "../../../runtime/gcs/openBucket.ts";
import { partitionsOf } from "../../../runtime/migrate/objects/makeManifest.ts";
import { between, compareNames, nameRanges } from "../../../runtime/migrate/objects/nameRanges.ts";
import { StorageServer } from "../../support/storageServer.ts";

const names = fc.string({ unit: fc.constantFrom("a", "b", "z", "~", " ", "/", "ä", "💡", "\u0001"), maxLength: 6 });

describe("a text between two", () => {
	it("lies between them, by UTF-8 bytes", () => {
		fc.assert(
			fc.property(names, names, (one, other) => {
				fc.pre(one !== other);
				const [low, high] = [one, other].sort(compareNames) as [string, string];
				for (const bound of [high, undefined]) {
					const middle = between(low, bound);
					if (middle === undefined) continue;
					expect(compareNames(low, middle)).toBeLessThan(0);
					if (bound !== undefined) expect(compareNames(middle, bound)).toBeLessThan(0);
				}
			}),
			{ numRuns: 2000 },
		);
	});

	it("is found again and again", () => {
		let [low, high] = ["datasets/a", "datasets/b"];
		for (let step = 0; step < 40; step++) {
			const middle = between(low, high) as string;
			expect(middle).toBeDefined();
			if (step % 2 === 0) low = middle;
			else high = middle;
		}
	});
});

describe("ranges of names", () => {
	let server: StorageServer;
	beforeEach(async () => {
		server = await StorageServer.start();
		server.buckets.create("from");
		server.buckets.pageSize = 10;
	});
	afterEach(() => server.stop());
	const ranges = (prefix: string, wanted = 8) =>
		nameRanges(openBucket({ bucket: "from", endpoint: server.endpoint }), prefix, wanted);

	it("share a large bucket out, without a gap", async () => {
		for (let index = 0; index < 400; index++) server.buckets.put("from", `data/set-2024/${index.toString(36)}/x`, "");
		server.buckets.put("from", "other", "");
		const found = await ranges("data/");
		expect(found).toHaveLength(8);
		expect(found[0]?.from).toBe("");
		expect(found.at(-1)?.until).toBeUndefined();
		for (const [index, { until }] of found.slice(0, -1).entries()) expect(until).toBe(found[index + 1]?.from);
		const sizes = found.map(
			({ from, until }) =>
				server.buckets
					.names("from")
					.filter((name) => name.startsWith("data/"))
					.filter((name) => compareNames(name, from) >= 0 && (until === undefined || compareNames(name, until) < 0))
					.length,
		);
		expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(400);
		expect(Math.max(...sizes)).toBeLessThan(250);
	});

	it("are one for a page, for none, and for names that are all alike", async () => {
		expect(await ranges("")).toEqual([{ from: "" }]);
		server.buckets.put("from", "x", "");
		expect(await ranges("")).toEqual([{ from: "" }]);
		for (let index = 0; index < 20; index++) server.buckets.put("from", `💡${"ä".repeat(index)}`, "");
		const found = await ranges("💡");
		expect(found[0]?.from).toBe("");
		expect(found.at(-1)?.until).toBeUndefined();
	});
});

describe("partitions", () => {
	it("are neighbours joined, as many as a record holds", () => {
		const name = (index: number) => String(index).padStart(6, "0");
		const stretches = Array.from({ length: 2500 }, (_, index) => ({
			from: index === 0 ? "" : name(index),
			...(index < 2499 && { until: name(index + 1) }),
			count: 2,
			digest: "d",
		}));
		const found = partitionsOf("m", stretches);
		expect(found).toHaveLength(834);
		expect(found.reduce((sum, { total = 0 }) => sum + total, 0)).toBe(5000);
		for (const [index, { range }] of found.slice(0, -1).entries())
			expect(range.until).toBe(found[index + 1]?.range.from);
		expect(found.at(-1)?.range.until).toBeUndefined();
		expect(partitionsOf("m", [{ from: "", count: 0, digest: "" }])).toMatchObject([
			{ index: 0, total: 0, range: { manifest: "m", from: "" } },
		]);
	});
});
