import { gunzipSync, gzipSync } from "node:zlib";
import { MongoClient } from "mongodb";
import { runMigration } from "../../runtime/migrate/run.ts";
import { type VerifyOptions, verifyMigration } from "../../runtime/migrate/verify.ts";
import { type Expected, fill, objectParts, objectsDeclaration } from "../support/objectScene.ts";
import { type ReplicaSet, startReplicaSet } from "../support/replicaSet.ts";
import { StorageServer } from "../support/storageServer.ts";
import type { Stored } from "../support/storedBuckets.ts";

let set: ReplicaSet;
let server: StorageServer;
let expected: Expected[];

beforeAll(async () => {
	set = await startReplicaSet(1);
	process.env.HOLDFAST_TEST_TARGET = set.uri;
});
afterAll(() => set.stop());
beforeEach(async () => {
	const client = await new MongoClient(set.uri).connect();
	await client.db("holdfast_migrations").dropDatabase();
	await client.close();
	server = await StorageServer.start();
	server.buckets.create("from", "into");
	server.buckets.pageSize = 5;
	expected = fill(server.buckets, 10);
	await runMigration(objectsDeclaration(server.endpoint), {}, objectParts);
});
afterEach(() => server.stop());

async function verify(options: VerifyOptions = {}) {
	const { report } = await verifyMigration(objectsDeclaration(server.endpoint), options, objectParts);
	if (!report) throw new Error("there is no report");
	return report;
}
const at = (index: number) => expected[index] as Expected;
const copy = (index: number) => server.buckets.get("into", at(index).to) as Stored;
/** Puts a copy back with other bytes or metadata, as somebody's hand would. */
const change = (index: number, bytes: Buffer | string, metadata: object = {}) =>
	server.buckets.put("into", at(index).to, bytes, { ...copy(index).resource, ...metadata });

describe("a verification of objects", () => {
	it("finds everything equal, contents that are packed another way too", async () => {
		const packed = at(2);
		change(2, gzipSync(gunzipSync(copy(2).bytes), { level: 1 }));
		expect(packed.to).toContain("/logs/");
		const report = await verify();
		expect(report).toMatchObject({
			verdict: "equal",
			differences: [],
			groups: [{ source: 31, equal: 30, excused: 1 }],
		});
		const [first] = report.groups;
		expect(first?.digests?.source).toBe(first?.digests?.target);
		const [second] = (await verify()).groups;
		expect(second?.digests).toEqual(first?.digests);
	});

	it("finds each difference, and no other", async () => {
		server.buckets.delete("into", at(0).to);
		change(1, copy(1).bytes.toString().replace("1.50", "1.51"));
		change(2, gzipSync(`${gunzipSync(copy(2).bytes)}\n`));
		change(3, copy(3).bytes.toString().toUpperCase());
		change(6, copy(6).bytes, {
			cacheControl: undefined,
			metadata: { ...(copy(6).resource.metadata as object), owner: "b" },
		});
		const other = { ...(copy(9).resource.metadata as object), "holdfast-source-generation": "1" };
		change(9, copy(9).bytes, { metadata: other });
		server.buckets.put("into", "v2/extra", "x");
		server.buckets.put("into", "not below the prefix", "x");
		server.buckets.put("from", at(12).name, "changed", server.buckets.get("from", at(12).name)?.resource);
		server.buckets.put("from", "v1/datasets/d0/new", "x");
		server.buckets.put("from", "v1/zzz", "x");
		server.buckets.delete("from", at(15).name);
		server.buckets.delete("from", "v1/tmp/x");
		server.buckets.put("from", "v1/tmp/y", "x");
		const { differences, groups } = await verify();
		expect(groups[0]?.digests?.source).not.toBe(groups[0]?.digests?.target);
		const found = Object.fromEntries(
			differences.map(({ source, target, kind, paths }) => [source ?? target, [kind, ...(paths ?? [])]]),
		);
		const since = "since the migration began";
		expect(found).toEqual({
			[at(0).name]: ["missing"],
			[at(1).name]: ["different", "crc32c"],
			[at(2).name]: ["different", expect.stringContaining("size"), "crc32c"],
			[at(3).name]: ["different", "crc32c"],
			[at(6).name]: ["different", "cacheControl", "metadata.owner"],
			[at(9).name]: ["different", "metadata.holdfast-source-generation"],
			"v2/extra": ["extra"],
			[at(12).name]: ["different", `the source changed ${since}`],
			"v1/datasets/d0/new": ["missing", `the source has it ${since}`],
			"v1/zzz": ["missing", `the source has it ${since}`],
			[at(15).name]: ["different", "the source has it no more"],
		});
	});

	it("looks at a sample", async () => {
		server.buckets.delete("into", at(0).to);
		const all = await verify({ sample: 1000 });
		expect(all.differences).toHaveLength(1);
		const { groups, differences } = await verify({ sample: 3 });
		const [{ source, equal, missing } = { source: 0, equal: 0, missing: 0 }] = groups;
		// Whether the one that is gone is among them is chance.
		expect([source, equal + missing]).toEqual([3, 3]);
		expect(differences).toEqual(missing === 0 ? [] : all.differences);
	});
});
