import { MongoClient } from "mongodb";
import { runMigration } from "../../runtime/migrate/run.ts";
import { planMigration } from "../../runtime/migrate/survey.ts";
import { type ReplicaSet, startReplicaSet } from "../support/replicaSet.ts";
import { LOADED_AT, type VerifySceneOptions, verifyScene } from "../support/verifyScene.ts";

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

/** What a replica set writes of its own accord, some of it (the keys of its cluster time) after it has its primary. */
const ITS_OWN = [{ op: "n" }, { ns: /^config\./ }, { ns: "admin.system.keys" }, { "o.create": "system.keys" }];
/** Every write that clients ever made. */
const writes = () => client.db("local").collection("oplog.rs").countDocuments({ $nor: ITS_OWN });
const inHours = (hours: number): string => new Date(Date.now() + hours * 3_600_000).toISOString();

const plan = (options: VerifySceneOptions = {}) => {
	const { declaration, parts } = verifyScene(options);
	return planMigration(declaration, {}, parts);
};

test("it says what a run would do, and changes nothing", async () => {
	const before = await writes();
	const found = await plan({ unmapped: ["o1"], expiresAt: inHours(1) });
	expect(await writes()).toBe(before);
	expect((await client.db().admin().listDatabases()).databases.map(({ name }) => name)).toEqual(
		expect.not.arrayContaining(["moved", "holdfast_migrations"]),
	);
	expect(found).toMatchObject({ state: "new", readTime: LOADED_AT, items: 212, fit: "fits" });
	// A page at a few places of each kind, which may overlap.
	expect(found.looked).toBeGreaterThanOrEqual(20 + 5 + 7);
	expect(found.refusal).toBeUndefined();
	expect(found.groups).toEqual([
		{ name: "Item", target: "Item", items: 200, partitions: 1, present: 0 },
		{ name: "Owner", target: "Owner", items: 5, partitions: 1, present: 0 },
		{ name: "tenant!Item", target: "Item", items: 7, partitions: 1, present: 0 },
	]);
	expect(found.problems).toEqual([{ group: "Owner", code: "UNMAPPED_KEY", items: 1, example: 'Owner:"o1"' }]);
	expect(found.estimate!.seconds).toBeGreaterThan(0);
	expect(found.estimate!.assumption).toContain("a plan writes nothing");
	expect(found.indexes.length).toBeGreaterThan(0);
});

test("after the load it says so, and what is there", async () => {
	const { declaration, parts } = verifyScene();
	await runMigration(declaration, {}, parts);
	const before = await writes();
	expect(before).toBeGreaterThan(219);
	const found = await planMigration(declaration, {}, parts);
	expect(await writes()).toBe(before);
	expect(found).toMatchObject({ state: "complete" });
	expect(found.groups.map(({ present }) => present)).toEqual([207, 5, 207]);
});

test("targets that hold documents already are told", async () => {
	await client.db("moved").collection("Item").insertOne({});
	expect((await plan()).notes.join()).toContain("targets hold documents already");
});

test("a source that cannot be pinned is told", async () => {
	const found = await plan({ pinned: false });
	expect(found.readTime).toBeUndefined();
	expect(found.notes.join()).toContain("cannot be pinned");
});

test("it refuses what takes longer than the source serves the read time, and what is served no more", async () => {
	const { declaration, parts } = verifyScene({ expiresAt: inHours(1) });
	const huge: typeof parts = {
		...parts,
		openTransfer: async (...args) => {
			const transfer = await parts.openTransfer(...args);
			const groups = [{ name: "Item", target: "Item", items: 1e9, partitions: 256 }];
			return { ...transfer, survey: async () => ({ groups, notes: [] }) };
		},
	};
	const { refusal } = await planMigration(declaration, {}, huge);
	expect(refusal).toMatchObject({ code: "HF_UNSAFE", next: expect.stringContaining("point-in-time recovery") });
	const expired = await plan({ expiresAt: inHours(-1) });
	expect(expired.refusal).toMatchObject({ code: "HF_EXPIRED" });
});

test("another map than the one it was begun with is refused", async () => {
	const { declaration, parts } = verifyScene();
	await runMigration(declaration, {}, parts);
	await expect(plan({ mapHash: "c".repeat(64) })).rejects.toMatchObject({ code: "HF_FROZEN" });
});
