import { existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Double, MongoClient } from "mongodb";
import { buildIdMap } from "../../runtime/migrate/idmap/build.ts";
import { idMapSchema } from "../../runtime/migrate/model.ts";
import {
	type DatastoreEmulator,
	describeWithEmulator,
	startFirestoreInDatastoreMode,
} from "../support/datastoreEmulator.ts";
import { plainEntities } from "../support/datastoreFixtures.ts";
import { entity, int, key } from "../support/datastoreValues.ts";
import { MigrateCli } from "../support/migrateCli.ts";
import { type ReplicaSet, startReplicaSet } from "../support/replicaSet.ts";
import { until } from "../support/until.ts";

jest.setTimeout(300_000);

const CANARY = "s3cret-canary";
const declaration = {
	...{ kind: "datastore", name: "shop", database: "shop", idMap: { location: "map" } },
	...{ mongo: { uriVariable: "TARGET" }, source: { project: "demo", kinds: ["Plain"] } },
};

describe("what is refused before anything runs", () => {
	let cli: MigrateCli;
	beforeAll(() => {
		cli = new MigrateCli();
	});
	afterAll(() => cli.remove());

	test.each([
		[["fly", "a.yaml"], /there is no migrate fly: plan, run, resume, verify, status, retry-dead-letters/],
		[["run"], /needs a file/],
		[["run", "nowhere.yaml"], /there is no file .*nowhere\.yaml/],
		[["run", "a.yaml", "--index", "1"], /not of how many/],
		[["run", "a.yaml", "--colour"], /unknown option/],
		[["verify", "--check", "nowhere.json"], /there is no file/],
	])("%j is a matter of usage", async (words, said) => {
		const { code, stderr } = await cli.run(...words);
		expect(stderr).toMatch(said);
		expect(code).toBe(2);
		expect(stderr).not.toMatch(/^\s+at /m);
	});

	test("every problem of a file is told with its path, and no value", async () => {
		const wrong = {
			...declaration,
			source: { project: 5, kinds: [] },
			rules: { kinds: { Plain: { colour: CANARY } } },
			idMap: {},
		};
		const { code, stderr } = await cli.run("run", cli.write("wrong.yaml", wrong));
		expect(code).toBe(2);
		for (const path of ["HF_SETTING", "source.project", "source.kinds", "rules.kinds.Plain", "idMap.location"])
			expect(stderr).toContain(path);
		expect(stderr).not.toContain(CANARY);
		const torn = await cli.run("run", cli.write("torn.yaml", `kind: datastore\nname: "${CANARY}`));
		expect([torn.code, torn.stderr.includes(CANARY)]).toEqual([2, false]);
		expect(torn.stderr).toMatch(/line \d+/);
	});

	test("with --json a refusal is data", async () => {
		const { code, stdout } = await cli.run("run", "nowhere.yaml", "--json");
		expect(code).toBe(2);
		expect(JSON.parse(stdout)).toMatchObject({ error: { code: "HF_USAGE" } });
	});

	test("a target that is not in the environment, by a file of the folder where the command was given", async () => {
		const words = ["status", cli.write("shop.yaml", declaration)];
		for (const { code, stderr } of [await cli.run(...words), await cli.runByNpm(...words)])
			expect([code, stderr]).toEqual([2, expect.stringContaining("the environment has no TARGET")]);
	});
});

describeWithEmulator("a migration by hand", () => {
	let set: ReplicaSet;
	let emulator: DatastoreEmulator;
	let client: MongoClient;
	let cli: MigrateCli;
	const items = () => client.db("shop").collection<{ _id: string }>("Plain");

	beforeAll(async () => {
		[set, emulator] = await Promise.all([startReplicaSet(1, { testCommands: true }), startFirestoreInDatastoreMode()]);
		await emulator.load(plainEntities("Plain", 120));
		// The emulator serves what was there at a whole second that is over.
		await new Promise((resolve) => setTimeout(resolve, 2100));
		client = await new MongoClient(set.uri).connect();
		cli = new MigrateCli({ TARGET: set.uri, DATASTORE_EMULATOR_HOST: emulator.address });
		const source = {
			kind: "datastore",
			project: "demo",
			namespaces: [""],
			kinds: ["Plain"],
			emulator: emulator.address,
		};
		const ids = { kind: "deterministic", secret: "0123456789abcdef" };
		const map = { name: "shop", location: join(cli.folder, "map"), ids, format: "hex", sources: [source] };
		await buildIdMap(idMapSchema.parse({ ...map, sources: [{ ...source, readTime: lastSecond() }] }));
	});
	afterAll(async () => {
		await client?.close();
		await Promise.all([set?.stop(), emulator?.stop()]);
		cli?.remove();
	});

	const lastSecond = () => new Date(Date.now() - 1000).toISOString().replace(/\.\d+Z$/, "Z");
	const declare = (readTime: string) =>
		cli.write("shop.yaml", { ...declaration, readTime, source: { ...declaration.source, namespaces: [""] } });

	test("planned, begun, resumed, verified, reported, checked", async () => {
		const file = declare(lastSecond());
		expect(await cli.run("resume", file)).toMatchObject({
			code: 2,
			stderr: expect.stringContaining("was never begun"),
		});
		expect((await cli.run("status", file)).stdout).toContain("migration shop was not begun");

		const plan = await cli.run("plan", file);
		expect(plan).toMatchObject({ code: 0 });
		expect(plan.stdout).toMatch(/Plain +Plain +120 +1 +0/);
		expect(plan.stdout).toMatch(/about \d+:\d\d at /);

		const early = await cli.run("verify", file);
		expect([early.code, early.stderr]).toEqual([4, expect.stringContaining("was not begun yet")]);

		const run = await cli.run("run", file, "--json");
		expect(run).toMatchObject({ code: 0 });
		expect(JSON.parse(run.stdout)).toMatchObject({ state: "complete", counts: { read: 120, written: 120 } });
		for (const line of run.stderr.split("\n").filter((text) => text.startsWith("{")))
			expect(JSON.parse(line)).toMatchObject({ progress: { phase: "load" } });
		expect((await cli.run("run", file)).stdout).toContain("migration shop was complete already: 120 read");

		const verified = await cli.run("verify", file, "--report", "report.json");
		expect(verified).toMatchObject({ code: 0, stdout: expect.stringContaining("EQUAL") });
		expect(statSync(join(cli.folder, "report.json")).mode & 0o777).toBe(0o600);
		expect((await cli.run("verify", "--check", "report.json")).code).toBe(0);
		expect(await cli.run("verify", file, "--check", "report.json")).toMatchObject({
			code: 0,
			stdout: expect.stringContaining("as it stands in the ledger"),
		});

		const status = JSON.parse((await cli.run("status", file, "--json")).stdout);
		expect(status).toMatchObject({ state: "complete", done: 120, total: 120, deadLetters: {}, conflicts: 0 });
		expect(status.verifications).toEqual([expect.objectContaining({ run: 1, verdict: "equal" })]);
	});

	test("a report that was altered is damaged", async () => {
		const path = join(cli.folder, "report.json");
		expect(existsSync(path)).toBe(true);
		const text = readFileSync(path, "utf8");
		writeFileSync(path, text.replace('"equal": 120', '"equal": 121'));
		expect(await cli.run("verify", "--check", "report.json")).toMatchObject({ code: 11 });
	});

	test("a source that changed, and a target that did, end with 14", async () => {
		const file = "shop.yaml";
		expect((await cli.run("verify", file, "--read-time", "now")).stdout).toMatch(/the source did not change in a way/);
		await emulator.load([entity(key("Plain", 999_999), { a: int(1) })]);
		const now = await cli.run("verify", file, "--read-time", "now");
		expect(now).toMatchObject({ code: 14, stdout: expect.stringMatching(/missing: Plain:999999/) });
		expect(now.stderr).toMatch(/if it is interrupted, go on with --read-time \d{4}-/);
		await items().updateMany({}, { $set: { size: new Double(1.5) } });
		expect(await cli.run("verify", file, "--json")).toMatchObject({ code: 14 });
		expect(await cli.run("verify", file, "--sample", "20")).toMatchObject({
			code: 14,
			stdout: expect.stringContaining("proves little"),
		});
	});

	test("SIGTERM ends a run in order, and resume goes on", async () => {
		const slow = {
			...declaration,
			name: "slow",
			database: "slow",
			pageSize: 1,
			concurrency: 1,
			readTime: lastSecond(),
		};
		const file = cli.write("slow.yaml", { ...slow, source: { ...declaration.source, namespaces: [""] } });
		// Too slow to be through before it is told to stop.
		await set.slowInserts(0, 250);
		const { child, ended } = cli.start("run", file, "--metrics-port", "0");
		const checkpoints = client.db("holdfast_migrations").collection("checkpoints");
		await until("a checkpoint", 60_000, () => checkpoints.findOne({ "_id.migration": "slow", "_id.job": "load" }));
		child.kill("SIGTERM");
		const { code, stderr } = await ended;
		await set.slowInserts(0, 0);
		expect(stderr).toMatch(/metrics at http:\/\/127\.0\.0\.1:\d+\/metrics/);
		expect(stderr).toMatch(/stopping after the pages at hand/);
		expect([code, stderr]).toEqual([75, expect.stringContaining("HF_RETRY")]);
		const status = JSON.parse((await cli.run("status", file, "--json")).stdout);
		expect(status).toMatchObject({ state: "loading", partitions: [{ state: "stopped", total: 121 }] });
		expect(status.done).toBeLessThan(121);
		const resumed = await cli.run("resume", file, "--json", "--accept-dead-letters");
		expect(JSON.parse(resumed.stdout)).toMatchObject({ state: "complete", counts: { read: 121, dead: 1 } });
	});

	test("what was put aside is told by its code, tried again, and accepted", async () => {
		const aside = { ...declaration, name: "aside", database: "aside", readTime: lastSecond() };
		const file = cli.write("aside.yaml", { ...aside, source: { ...declaration.source, namespaces: [""] } });
		expect((await cli.run("plan", file)).stdout).toMatch(
			/a load would put aside:\n {2}Plain: 1 UNMAPPED_KEY, e\.g\. Plain:999999/,
		);
		expect(await cli.run("run", file)).toMatchObject({ code: 13, stderr: expect.stringContaining("HF_INCOMPLETE") });
		expect((await cli.run("status", file)).stdout).toContain("dead letters: 1 UNMAPPED_KEY; conflicts: 0");
		const again = await cli.run("retry-dead-letters", file);
		expect(again).toMatchObject({ code: 13, stdout: "0 of 1 passed; 1 dead letters and 0 conflicts are left\n" });
		expect(await cli.run("verify", file)).toMatchObject({
			code: 0,
			stdout: expect.stringMatching(/121 +120 +0 +0 +0 +1/),
		});
		expect(await cli.run("run", file, "--accept-dead-letters")).toMatchObject({ code: 0 });
	});

	test("another map is refused", async () => {
		const other = { ...declaration, idMap: { location: "map", hash: "0".repeat(64) } };
		expect(await cli.run("run", cli.write("other.yaml", other))).toMatchObject({ code: 10 });
	});
});
