import { setTimeout as sleep } from "node:timers/promises";
import type { Checkpoint } from "../../runtime/migrate/checkpoint.ts";
import { type ClaimOptions, claim } from "../../runtime/migrate/lease.ts";
import { openLedger } from "../../runtime/migrate/ledger.ts";
import { thisProcess } from "../../runtime/migrate/owner.ts";
import { runMigration } from "../../runtime/migrate/run.ts";
import { killLeftovers } from "../support/childRun.ts";
import { MigrateProcess } from "../support/migrateProcess.ts";
import { type SceneOptions, scene } from "../support/migrateScene.ts";
import { targetForTests } from "../support/migrateTarget.ts";
import { until } from "../support/until.ts";

const target = targetForTests();
afterEach(killLeftovers);
const checkpoints = () => target.client.db("holdfast_migrations").collection<Checkpoint>("checkpoints");
const loading = () => checkpoints().find({ "_id.job": "load" }).sort({ "_id.partition": 1 }).toArray();

test("four processes and one leave the same bytes", async () => {
	const options: SceneOptions = { plain: 600, any: 80, partitions: 4 };
	const alone = new MigrateProcess(target.set.uri, options);
	expect((await alone.ended).code).toBe(0);
	const wanted = await target.contents();
	await target.empty();
	const four = [0, 1, 2, 3].map((index) => new MigrateProcess(target.set.uri, options, { index, count: 4 }));
	const ended = await Promise.all(four.map((one) => one.ended));
	expect(ended.map(({ code }) => code)).toEqual([0, 0, 0, 0]);
	const outcomes = ended.map(({ outcome }) => outcome!);
	const last = outcomes.filter(({ state }) => state === "complete");
	expect(last.length).toBeGreaterThan(0);
	expect(last[0]!.counts).toEqual({ read: 680, written: 680 });
	for (const { state, open } of outcomes) expect(open > 0).toBe(state === "loading");
	expect(await target.contents()).toEqual(wanted);
	// Each partition was claimed once, by the process whose share it is.
	const found = await loading();
	expect(found.length).toBeGreaterThanOrEqual(8);
	for (const { fence } of found) expect(fence).toBe(1);
	const owners = found.map(({ owner, _id }) => `${_id.partition % 4} ${owner.pid}`);
	expect(new Set(owners).size).toBe(4);
});

test("two runs of the same share at once do everything once", async () => {
	const options: SceneOptions = { plain: 600, partitions: 6, delay: 200 };
	const two = [0, 1].map(() => new MigrateProcess(target.set.uri, options, { concurrency: 2 }));
	const ended = await Promise.all(two.map((one) => one.ended));
	expect(ended.map(({ code, stderr }) => [code, stderr])).toEqual([
		[0, ""],
		[0, ""],
	]);
	const { counts } = ended.map(({ outcome }) => outcome!).find(({ state }) => state === "complete")!;
	expect(counts).toEqual({ read: 600, written: 600 });
	expect(new Set((await loading()).map(({ owner }) => owner.pid)).size).toBe(2);
});

test("a run that slept while another took over writes no checkpoint and tells so", async () => {
	const options: SceneOptions = { plain: 400, partitions: 1, delay: 250 };
	const sleeper = new MigrateProcess(target.set.uri, options);
	await until("its first checkpoint", 20_000, async () => (await loading())[0]?.counts.read);
	process.kill(sleeper.child.pid!, "SIGSTOP");
	const { declaration, parts } = scene({ ...options, delay: 0 });
	const { counts, state } = await runMigration(declaration, { takeOver: true }, parts);
	expect(state).toBe("complete");
	expect(counts.read).toBe(400);
	const [before] = await loading();
	expect(before).toMatchObject({ fence: 2, done: true, owner: { pid: process.pid } });
	process.kill(sleeper.child.pid!, "SIGCONT");
	const { code, stderr } = await sleeper.ended;
	expect(stderr).toContain("HF_LOCKED: another run has taken over partition 0 of load of migration test");
	expect(code).toBe(8);
	expect(await loading()).toEqual([before]);
	expect(await target.client.db("moved").collection("Plain").countDocuments()).toBe(400);
});

test("a partition that another run holds is named, and the rest of the share is done", async () => {
	const options: SceneOptions = { plain: 300, partitions: 3 };
	const holder = new MigrateProcess(target.set.uri, options, { concurrency: 1 }, "migrate/claimed");
	await holder.hangs();
	const stop = new AbortController();
	const { declaration, parts } = scene(options);
	const running = runMigration(declaration, { signal: stop.signal }, parts).catch((error: Error) => error);
	await until("the rest", 20_000, async () => (await loading()).filter(({ done }) => done).length === 2);
	await sleep(100);
	stop.abort();
	expect(String(await running)).toContain(`HF_RETRY: stopped while process ${holder.child.pid} of`);
	await holder.kill();
	// Its process is gone: nobody waits for its lease.
	expect((await runMigration(declaration, {}, parts)).counts).toEqual({ read: 300, written: 300 });
});

test("whoever waits long enough for a partition learns who holds it, and may take it over", async () => {
	const holder = new MigrateProcess(target.set.uri, { plain: 100, partitions: 1 }, {}, "migrate/claimed");
	await holder.hangs();
	const ledger = openLedger(target.client, "holdfast_migrations");
	const id = { migration: "test", job: "load", partition: 0 };
	const claiming = (how: Partial<ClaimOptions>) =>
		thisProcess().then((me) => claim(ledger, id, { me, waitMs: 300, signal: new AbortController().signal, ...how }));
	await expect(claiming({})).rejects.toMatchObject({
		code: "HF_LOCKED",
		message: expect.stringMatching(
			`process ${holder.child.pid} of .* is at work on partition 0 of load of migration test`,
		),
		next: expect.stringContaining("--take-over"),
	});
	const lease = await claiming({ takeOver: true });
	await lease.giveBack(lease.reached);
	await holder.kill();
});

test("SIGTERM finishes the page, leaves a checkpoint and the partition to others, and exits 75", async () => {
	const options: SceneOptions = { plain: 500, partitions: 1, delay: 400 };
	const run = new MigrateProcess(target.set.uri, options);
	const moved = target.client.db("moved").collection("Plain");
	await until("the first pages", 20_000, async () => (await moved.countDocuments()) >= 100);
	run.child.kill("SIGTERM");
	const { code, stderr } = await run.ended;
	expect(stderr).toContain("HF_RETRY: migration test was stopped before it was through");
	expect(code).toBe(75);
	const [left] = await loading();
	const there = await moved.countDocuments();
	expect(there).toBeLessThan(500);
	// The checkpoint says all that is there: nothing will be done again.
	expect(left).toMatchObject({ done: false, counts: { read: there, written: there }, leaseUntil: new Date(0) });
	const { declaration, parts } = scene({ ...options, delay: 0 });
	expect((await runMigration(declaration, {}, parts)).counts).toEqual({ read: 500, written: 500 });
});
