import { MongoClient } from "mongodb";
import type { Failpoint } from "../../runtime/failpoint.ts";
import { runMigration } from "../../runtime/migrate/run.ts";
import { verifyMigration } from "../../runtime/migrate/verify.ts";
import { ChildRun } from "../support/childRun.ts";
import { type Expected, fill, objectParts, objectsDeclaration } from "../support/objectScene.ts";
import { type ReplicaSet, startReplicaSet } from "../support/replicaSet.ts";
import { StorageServer } from "../support/storageServer.ts";

let set: ReplicaSet;
let server: StorageServer;
let expected: Expected[];

beforeAll(async () => {
	set = await startReplicaSet(1);
	process.env.HOLDFAST_TEST_TARGET = set.uri;
});
afterAll(async () => {
	await set.stop();
});
beforeEach(async () => {
	const client = await new MongoClient(set.uri).connect();
	await client.db("holdfast_migrations").dropDatabase();
	await client.close();
	server = await StorageServer.start();
	server.buckets.create("from", "into");
	server.buckets.rewriteBytes = 100;
	server.buckets.pageSize = 20;
	expected = fill(server.buckets, 30);
});
afterEach(() => server.stop());

/** Runs until a failpoint and is killed there. */
const killedAt = (failpoint: Failpoint) =>
	new ChildRun("objectRun.ts", server.endpoint, {}, failpoint).killedAtFailpoint();

describe("a run that is killed", () => {
	it.each([
		"objects/manifest",
		"objects/rewriting",
		"objects/copied",
	] as const)("at %s leaves what the next one completes, with one copy of everything", async (failpoint) => {
		await killedAt(failpoint);
		const { state, counts } = await runMigration(objectsDeclaration(server.endpoint), {}, objectParts);
		expect(state).toBe("complete");
		const { written = 0, equal = 0, ...others } = counts;
		expect(written + equal).toBe(expected.length);
		expect(others).toMatchObject({ read: expected.length + 1, skipped: 1 });
		expect(others.conflicts ?? 0).toBe(0);
		if (failpoint === "objects/copied") expect(equal).toBeGreaterThan(0);
		expect(new Set(server.buckets.names("into"))).toEqual(new Set(expected.map(({ to }) => to)));
		const { report } = await verifyMigration(objectsDeclaration(server.endpoint), {}, objectParts);
		expect(report?.verdict).toBe("equal");
		// Nothing was ever replaced.
		for (const { query } of server.sent("rewrite")) expect(query.ifGenerationMatch).toBe("0");
	});
});
