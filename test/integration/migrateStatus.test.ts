import { MongoClient } from "mongodb";
import { runMigration } from "../../runtime/migrate/run.ts";
import { statusOf } from "../../runtime/migrate/status.ts";
import { MigrateProcess } from "../support/migrateProcess.ts";
import { scene } from "../support/migrateScene.ts";
import { type ReplicaSet, startReplicaSet } from "../support/replicaSet.ts";
import { until } from "../support/until.ts";

let set: ReplicaSet;
let client: MongoClient;

beforeAll(async () => {
	set = await startReplicaSet();
	process.env.HOLDFAST_TEST_TARGET = set.uri;
	client = await new MongoClient(set.uri).connect();
});
afterAll(async () => {
	delete process.env.HOLDFAST_TEST_TARGET;
	await client?.close();
	await set?.stop();
});
afterEach(async () => {
	for (const name of ["moved", "holdfast_migrations"]) await client.db(name).dropDatabase();
});

test("before it was begun there is nothing, and looking makes nothing", async () => {
	expect(await statusOf(scene({ plain: 1 }).declaration)).toMatchObject({ state: "absent", partitions: [] });
	expect((await client.db().admin().listDatabases()).databases.map(({ name }) => name)).not.toContain(
		"holdfast_migrations",
	);
});

test("while it is at work: who, how far, how fast, and for how long", async () => {
	const options = { plain: 3000, delay: 100, partitions: 3 };
	const { declaration } = scene(options);
	const run = new MigrateProcess(set.uri, options, { index: 0, count: 2 });
	try {
		const at = await until("a partition at work", 30_000, async () => {
			const status = await statusOf(declaration, { betweenMs: 1500 });
			return status.partitions.some(({ state, rate }) => state === "working" && rate > 0) && status;
		});
		const working = at.partitions.filter(({ state }) => state === "working");
		for (const one of working) {
			expect(one.owner!.pid).toBe(run.child.pid);
			expect(Date.now() - Date.parse(one.heartbeat!)).toBeLessThan(30_000);
			expect(one.done).toBe(one.counts.read);
		}
		expect(at).toMatchObject({ state: "loading", readTime: "2026-11-21T10:00:00Z", expiresAt: "2026-11-21T11:00:00Z" });
		expect(at.rate).toBeGreaterThan(0);
		expect(at.oldestHeartbeat).toBe(working.map(({ heartbeat }) => heartbeat).sort()[0]);
		expect(at.partitions.filter(({ state }) => state === "waiting").map(({ partition }) => partition)).toContain(1);
	} finally {
		await run.kill();
	}
});

test("after the end it is complete, with what was put aside by code", async () => {
	const options = { plain: 200, unmapped: 3 };
	const { declaration, parts } = scene(options);
	await expect(runMigration(declaration, {}, parts)).rejects.toMatchObject({ code: "HF_INCOMPLETE" });
	const status = await statusOf(declaration);
	expect(status).toMatchObject({ state: "loading", done: 200, total: 200, rate: 0, deadLetters: { UNMAPPED_KEY: 3 } });
	expect(status).not.toHaveProperty("eta");
	expect(status.counts).toMatchObject({ read: 200, written: 197, dead: 3 });
	expect(status.partitions.map(({ state }) => state)).toEqual(status.partitions.map(() => "done"));
	await runMigration(declaration, { acceptDeadLetters: true }, parts);
	expect(await statusOf(declaration)).toMatchObject({ state: "complete", completedAt: expect.any(String) });
});

test("an altered checkpoint is told, not shown", async () => {
	const { declaration, parts } = scene({ plain: 100 });
	await runMigration(declaration, {}, parts);
	const checkpoints = client.db("holdfast_migrations").collection("checkpoints");
	await checkpoints.updateOne({ "_id.job": "load" }, { $set: { "counts.read": 1_000_000 } });
	await expect(statusOf(declaration)).rejects.toMatchObject({ code: "HF_DAMAGED" });
});
