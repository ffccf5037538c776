import { existsSync, mkdtempSync, readdirSync, renameSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Document, MongoClient } from "mongodb";
import { tellingFiles } from "../support/canaries.ts";
import { type DatastoreEmulator, describeWithEmulator, startDatastore } from "../support/datastoreEmulator.ts";
import { plainEntities } from "../support/datastoreFixtures.ts";
import { killedAt } from "../support/interrupted.ts";
import { adminUri, withMongo } from "../support/mongo.ts";
import { TestStack } from "../support/stack.ts";

jest.setTimeout(300_000);

const ENTITIES = 1240;

describeWithEmulator("a migration of a stack", () => {
	let emulator: DatastoreEmulator;
	let stack: TestStack;
	let maps: string;
	const scratch = mkdtempSync(join(tmpdir(), "holdfast-scratch-"));

	beforeAll(async () => {
		emulator = await startDatastore();
		await emulator.load([...plainEntities("Account", 40), ...plainEntities("Dataset", 1200)]);
		stack = await TestStack.create("migrate", { members: 1 });
		maps = join(stack.home, "maps");
		declare();
	});
	afterAll(async () => {
		await TestStack.destroyAll();
		await emulator?.stop();
		rmSync(scratch, { recursive: true });
	});

	const place = (kinds: string[]) => ({ project: emulator.project, emulator: emulator.address, kinds });

	/** Writes the stack's settings: one map of both kinds, one migration of them, and what is given beyond. */
	function declare(rules: object = {}, more: { idMaps?: object; migrations?: object } = {}): void {
		const both = place(["Account", "Dataset"]);
		const sources = [{ kind: "datastore", ...both }];
		const move = { kind: "datastore", idMap: "ids", source: both, database: "moved", pageSize: 100, rules };
		stack.configure(
			{},
			{
				"holdfast:idMaps": { ids: { location: join(maps, "ids"), sources }, ...more.idMaps },
				"holdfast:migrations": { move, ...more.migrations },
			},
		);
	}

	const inMongo = <T>(fn: (client: MongoClient) => Promise<T>) => withMongo(adminUri(stack.record()), fn);
	const ledger = (client: MongoClient) =>
		client.db("holdfast_migrations").collection<Document & { _id: string }>("migrations");
	const outputs = async () => JSON.parse((await stack.pulumi("stack", "output", "--json")).stdout);
	const exported = async (...words: string[]) => (await stack.pulumi("stack", "export", ...words)).stdout;

	test("the preview says what would move, before anything is there", async () => {
		const { stdout } = await stack.must("preview");
		expect(stdout).toContain("migration move: would load 2 kinds, about 1,240 entities, into database moved");
		expect(existsSync(maps)).toBe(false);
	});

	test("an up that is killed between a write and its checkpoint is finished by the next, and a third changes nothing", async () => {
		await killedAt(stack, "migrate/written");
		const hash = (await inMongo((client) => ledger(client).findOne({ _id: "move" })))!.mapHash;
		const preview = await stack.must("preview");
		expect(preview.stdout).toMatch(/migration move: would go on, \d+% done \([\d,]+ of 1,240\)/);
		expect((await stack.must("up")).stdout).toContain(`Id map ids: ${ENTITIES} ids, ${hash}\nMigration move: complete`);
		const counts = await inMongo(async (client) =>
			Promise.all(["Account", "Dataset"].map((kind) => client.db("moved").collection(kind).countDocuments())),
		);
		expect(counts).toEqual([40, 1200]);
		expect(await outputs()).toMatchObject({
			idMaps: { ids: { hash, count: ENTITIES } },
			migrations: { move: { state: "complete" } },
		});
		expect(await stack.changes()).toEqual({ same: expect.any(Number) });
		expect((await stack.must("preview")).stdout).not.toContain("migration move");
	});

	test("what a stack moved is verified by the file that it left", async () => {
		const file = join(stack.home, stack.name, "migrations", "move.json");
		expect((await stack.must("migrate", "verify", file)).stdout).toContain("migration move, verification 1: EQUAL");
		expect((await stack.must("migrate", "status", file)).stdout).toContain("migration move: complete, 1,240 of 1,240");
	});

	test("the key of the map is in the state alone, encrypted", async () => {
		const { deployment } = JSON.parse(await exported("--show-secrets"));
		const key = deployment.resources.find(({ urn }: { urn: string }) => urn.endsWith("::ids-id-map")).outputs.value;
		const secret = JSON.parse(key.plaintext);
		expect(secret).toMatch(/^[\w-]{43}$/);
		expect(await exported()).not.toContain(secret);
		expect(tellingFiles(stack.home, { key: secret }, scratch)).toEqual({});
		expect(JSON.stringify(await outputs())).not.toContain(secret);
	});

	test("what is frozen cannot be edited, and nothing comes of trying", async () => {
		declare({ kinds: { Dataset: { drop: ["note"] } } });
		const rules = await stack.holdfast("up");
		expect([rules.code, rules.stdout + rules.stderr]).toEqual([1, expect.stringMatching(/HF_FROZEN.*another rules/)]);
		declare({}, { idMaps: { ids: { location: join(maps, "elsewhere"), sources: [{ kind: "file", path: "x" }] } } });
		const map = await stack.holdfast("up");
		expect([map.code, map.stdout + map.stderr]).toEqual([1, expect.stringMatching(/HF_FROZEN.*location and sources/)]);
		declare();
		await stack.must("up");
		expect(await stack.changes()).toEqual({ same: expect.any(Number) });
	});

	test("a map that is gone is drift, and not made anew", async () => {
		renameSync(join(maps, "ids"), join(maps, "aside"));
		expect((await stack.must("refresh")).stdout).toMatch(/generation.*1 => 0/);
		const { code, stdout, stderr } = await stack.holdfast("up");
		expect([code, stdout + stderr]).toEqual([1, expect.stringContaining("HF_DATA_LOST: id map ids is gone")]);
		expect(existsSync(join(maps, "ids"))).toBe(false);
		renameSync(join(maps, "aside"), join(maps, "ids"));
		await stack.must("up", "--refresh");
		expect(await stack.changes()).toEqual({ same: expect.any(Number) });
	});

	test("a complete migration that the ledger forgot is drift, and not run again", async () => {
		const record = await inMongo((client) => ledger(client).findOneAndDelete({ _id: "move" }));
		expect((await stack.must("refresh")).stdout).toMatch(/run *: "complete" => "gone"/);
		const { code, stdout, stderr } = await stack.holdfast("up");
		expect([code, stdout + stderr]).toEqual([1, expect.stringContaining("HF_DATA_LOST: the ledger knows nothing")]);
		await inMongo((client) => ledger(client).insertOne(record!));
		await stack.must("up", "--refresh");
		expect(await stack.changes()).toEqual({ same: expect.any(Number) });
	});

	test("dead letters leave a migration created but not complete, and its removal undoes nothing", async () => {
		const part = { location: join(maps, "part"), sources: [{ kind: "datastore", ...place(["Account"]) }] };
		const letters = {
			kind: "datastore",
			idMap: "part",
			source: place(["Account", "Dataset"]),
			database: "letters",
			maxErrors: 5000,
		};
		declare({}, { idMaps: { part }, migrations: { letters } });
		for (const _ of [1, 2]) {
			const { code, stdout, stderr } = await stack.holdfast("up");
			expect([code, stdout + stderr]).toEqual([
				1,
				expect.stringContaining("HF_NOT_READY: migration letters is not complete"),
			]);
			expect(stdout + stderr).toContain("1200 dead letters");
		}
		expect(await exported()).toContain("migrate:Migration::letters");
		declare({}, { idMaps: { part } });
		expect((await stack.must("up")).stdout).toContain("migration letters is not undone");
		expect(await inMongo((client) => client.db("letters").collection("Account").countDocuments())).toBe(40);
	});

	test("the stack goes, and its maps stay", async () => {
		await stack.must("down", "--delete-data", stack.name);
		expect(existsSync(join(stack.home, stack.name))).toBe(false);
		expect(readdirSync(join(maps, "ids")).sort()).toEqual(["segment-0000.ids", "segment-0000.json"]);
		stack.forget();
	});
});
