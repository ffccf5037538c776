import { mkdirSync, mkdtempSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Addition, addSegment } from "../../../runtime/migrate/idmap/addSegment.ts";
import { localPlace } from "../../../runtime/migrate/idmap/localPlace.ts";
import { type Manifest, manifestText } from "../../../runtime/migrate/idmap/manifest.ts";
import { openIdMap } from "../../../runtime/migrate/idmap/open.ts";
import { SegmentWriter } from "../../../runtime/migrate/idmap/segmentWriter.ts";
import { Sorter } from "../../../runtime/migrate/idmap/sorter.ts";
import { verifyIdMap } from "../../../runtime/migrate/idmap/verify.ts";
import { sha256 } from "../../../runtime/sha256.ts";
import { MapScene } from "../../support/idMaps.ts";

let scene: MapScene;
beforeEach(() => {
	scene = new MapScene();
	mkdirSync(scene.location);
});
afterEach(() => scene.remove());

const id = (number: number): Buffer => Buffer.alloc(16, number);
const key = (letter: string): Buffer => Buffer.from(`\0\u0001${letter}\0\u0001\u0001\0\0\0\0\0\0\0\u0001`);

interface Contents {
	pairs: [string, number][];
	/** New id, and number of its pair. */
	entries: [number, number][];
	count?: number;
}

/** Writes a segment with every digest right, whatever is in it. */
async function segment(
	number: number,
	{ pairs, entries, count = pairs.length }: Contents,
	before?: Manifest,
): Promise<Manifest> {
	const writer = new SegmentWriter(scene.segment(number), "hex");
	for (const [letter, newId] of pairs) writer.pair(key(letter), 0, key(letter).length, id(newId));
	for (const [newId, ordinal] of entries) {
		const entry = Buffer.concat([id(newId), Buffer.from([0, 0, 0, ordinal])]);
		writer.entry(entry, 0, entry.length);
	}
	const manifest = writer.end({
		version: 1,
		name: "things",
		strategy: "random",
		format: "hex",
		segment: number,
		count,
		before: before?.count ?? 0,
		keys: { count, sha256: "0".repeat(64) },
		sources: [],
		tool: "0",
		previous: before ? sha256(manifestText(before)) : null,
	});
	writer.close();
	writeFileSync(scene.segment(number, "json"), manifestText(manifest));
	return manifest;
}

const verdict = () =>
	verifyIdMap(scene.location).then(
		() => "whole",
		(error: Error) => error.message,
	);
const good: Contents = {
	pairs: [
		["a", 3],
		["b", 1],
		["c", 2],
	],
	entries: [
		[1, 1],
		[2, 2],
		[3, 0],
	],
};

test("a segment that is right", async () => {
	await segment(0, good);
	expect(await verdict()).toBe("whole");
});

test.each<[string, Partial<Contents>]>([
	[
		"its old keys are not in order",
		{
			pairs: [
				["a", 3],
				["c", 1],
				["b", 2],
			],
		},
	],
	[
		"its old keys are not in order",
		{
			pairs: [
				["a", 3],
				["b", 1],
				["b", 2],
			],
		},
	],
	[
		"its new ids are not in order",
		{
			pairs: [
				["a", 1],
				["b", 1],
				["c", 2],
			],
			entries: [
				[1, 0],
				[1, 1],
				[2, 2],
			],
		},
	],
	[
		"its new ids are not in order",
		{
			entries: [
				[2, 2],
				[1, 1],
				[3, 0],
			],
		},
	],
	[
		"a new id names the pair of another",
		{
			entries: [
				[1, 2],
				[2, 2],
				[3, 0],
			],
		},
	],
	[
		"a new id names the pair of another",
		{
			entries: [
				[1, 1],
				[2, 2],
				[3, 9],
			],
		},
	],
	[
		"its index does not fit its blocks",
		{
			entries: [
				[1, 1],
				[2, 2],
			],
		},
	],
	["its index does not fit its blocks", { count: 2 }],
])("digests that fit do not hide what is wrong: %s", async (what, wrong) => {
	await segment(0, { ...good, ...wrong });
	expect(await verdict()).toContain(what);
});

test.each<[string, Contents]>([
	["old key that a segment before it has", { pairs: [["b", 9]], entries: [[9, 0]] }],
	["that a segment before it has", { pairs: [["d", 1]], entries: [[1, 0]] }],
])("what two segments both have is found: %s", async (what, second) => {
	const first = await segment(0, good);
	await segment(1, second, first);
	expect(await verdict()).toContain(what);
});

test("two keys that would get one new id are refused, in one segment and across two", async () => {
	const place = localPlace(scene.location);
	const ids = (source: Buffer) => id(source[2]! % 2);
	const add = async (letters: string[], { links, map }: Pick<Addition, "links" | "map">) => {
		const sorter = new Sorter(scene.folder, letters.join(""));
		for (const letter of letters) sorter.add(key(letter));
		const rows = sorter.sorted();
		const folder = mkdtempSync(join(scene.folder, "work-"));
		const to = { place, links, map, inputs: scene.inputs({ ids: { kind: "random" } }), ids, notes: [], folder };
		return addSegment(to, rows, letters.length, {}).finally(() => rows.close());
	};
	const refused = { code: "HF_REJECTED", message: expect.stringContaining("the same new id") };
	await expect(add(["a", "b", "c"], { links: [], map: undefined })).rejects.toMatchObject(refused);
	expect(readdirSync(scene.location)).toEqual([]);

	expect(await add(["a"], { links: [], map: undefined })).toBe(true);
	const map = await openIdMap(scene.location);
	await expect(add(["a", "c"], { links: map.links, map })).rejects.toMatchObject(refused);
	expect(await add(["a", "b"], { links: map.links, map })).toBe(true);
	await map.close();
	expect(await verdict()).toBe("whole");
});
