import { Double, MongoClient } from "mongodb";
import type { Failpoint } from "../../runtime/failpoint.ts";
import { type Ledger, openLedger } from "../../runtime/migrate/ledger.ts";
import { runMigration } from "../../runtime/migrate/run.ts";
import { verifyMigration } from "../../runtime/migrate/verify.ts";
import { openRun } from "../../runtime/migrate/verifyRuns.ts";
import { type ReplicaSet, startReplicaSet } from "../support/replicaSet.ts";
import { VerifyProcess } from "../support/verifyProcess.ts";
import { item, verifyScene } from "../support/verifyScene.ts";

jest.setTimeout(240_000);

const SCENE = { items: 400, partitions: 8 };
let set: ReplicaSet;
let client: MongoClient;
const ledger = () => client.db("holdfast_migrations");

/** Loaded once, with differences of each kind; each test is a run of its own. */
beforeAll(async () => {
	set = await startReplicaSet();
	process.env.HOLDFAST_TEST_TARGET = set.uri;
	client = await new MongoClient(set.uri).connect();
	const { declaration, parts, newId } = verifyScene(SCENE);
	await runMigration(declaration, {}, parts);
	const items = client.db("moved").collection<{ _id: string }>("Item");
	await items.updateMany(
		{ _id: { $in: [7, 8, 300].map((id) => newId(item(id))) } },
		{ $set: { count: new Double(3) } },
	);
	await items.deleteOne({ _id: newId(item(111)) });
	await items.insertOne({ _id: "foreign" });
});
afterAll(async () => {
	delete process.env.HOLDFAST_TEST_TARGET;
	await client?.close();
	await set?.stop();
});

const expected = { source: 407, equal: 403, different: 3, missing: 1, extra: 1, excused: 0 };

async function inOneProcess() {
	const { declaration, parts } = verifyScene(SCENE);
	const { report } = await verifyMigration(declaration, {}, parts);
	expect(report!.groups[0]).toMatchObject(expected);
	return report!;
}

test("four processes come to the same report as one", async () => {
	const alone = await inOneProcess();
	const processes = [0, 1, 2, 3].map((index) => new VerifyProcess(SCENE, { index, count: 4 }));
	const ended = await Promise.all(processes.map((one) => one.ended));
	expect(ended.map(({ code, stderr }) => [code, stderr])).toEqual(ended.map(() => [0, ""]));
	const reports = ended.flatMap(({ outcome }) => outcome?.report ?? []);
	expect(reports.length).toBeGreaterThan(0);
	for (const report of reports) {
		expect(report.run).toBe(alone.run + 1);
		expect(report.groups).toEqual(alone.groups);
		expect(report.differences).toEqual(alone.differences);
		expect(report.sha256).toBe(reports[0]!.sha256);
	}
});

test.each([1, 2])("a run that another process begins after look %i of this one is the run of both", async (at) => {
	const real = openLedger(client, "holdfast_migrations");
	const name = `begun ${at}`;
	const begin = (ledger: Ledger) => openRun(ledger, name, undefined, async () => []);
	let [looks, other] = [0, 0];
	const collection = <T extends object>(of: string) =>
		new Proxy(real.collection<T>(of), {
			get(target, key) {
				if (key !== "findOne") return Reflect.get(target, key);
				return async (...query: Parameters<typeof target.findOne>) => {
					const found = await target.findOne(...query);
					if (++looks === at) other = (await begin(real))._id.run;
					return found;
				};
			},
		});
	const own = await begin({ ...real, collection });
	expect([own._id.run, other]).toEqual([1, 1]);
	expect(await real.collection("reports").deleteMany({ "_id.migration": name })).toMatchObject({ deletedCount: 1 });
});

const points: Failpoint[] = ["verify/compared", "verify/checkpointed"];
test.each(points)("killed at %s, the next run goes on and counts nothing twice", async (point) => {
	const whole = await inOneProcess();
	await new VerifyProcess(SCENE, {}, point).killedAtFailpoint();
	const unfinished = await ledger().collection("reports").findOne({ state: "comparing" });
	expect(unfinished).toMatchObject({ _id: { run: whole.run + 1 } });
	const { code, outcome, stderr } = await new VerifyProcess(SCENE).ended;
	expect([code, stderr]).toEqual([0, ""]);
	expect(outcome!.report!.run).toBe(whole.run + 1);
	expect(outcome!.report!.groups).toEqual(whole.groups);
	expect(outcome!.report!.differences).toEqual(whole.differences);
});

test("stopped by SIGTERM it keeps what it did", async () => {
	const whole = await inOneProcess();
	const slow = new VerifyProcess({ ...SCENE, delay: 100 }, { concurrency: 1 });
	while (
		(await ledger()
			.collection("checkpoints")
			.countDocuments({ "_id.job": `verify-${whole.run + 1}` })) === 0
	);
	slow.child.kill("SIGTERM");
	const { code } = await slow.ended;
	expect(code).toBe(75);
	const { outcome } = await new VerifyProcess(SCENE).ended;
	expect(outcome!.report!.run).toBe(whole.run + 1);
	expect(outcome!.report!.groups).toEqual(whole.groups);
});
