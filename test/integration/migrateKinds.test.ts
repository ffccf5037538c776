import { chmodSync, existsSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Collection } from "mongodb";
import { serve } from "../../runtime/lifecycle.ts";
import { migrationHints } from "../../runtime/migrate/hints.ts";
import { openIdMap } from "../../runtime/migrate/idmap/open.ts";
import { type IdMapOutputs, type MigrationOutputs, migrationSchema } from "../../runtime/migrate/model.ts";
import { withMongo } from "../support/mongo.ts";
import { type ReplicaSet, startReplicaSet } from "../support/replicaSet.ts";
import { StorageServer } from "../support/storageServer.ts";

const OBJECTS = 60;
const folder = mkdtempSync(join(tmpdir(), "holdfast-kinds-"));
/** What the kind leaves for `holdfast migrate`. */
const kept = join(folder, "migrations", "copy.json");
let set: ReplicaSet;
let server: StorageServer;
let map: IdMapOutputs & { id?: string };

beforeAll(async () => {
	[set, server] = await Promise.all([startReplicaSet(1), StorageServer.start()]);
	process.env.KINDS_URI = set.uri;
	process.env.HOLDFAST_HOME = folder;
	server.buckets.create("from", "into");
	const names = [...Array(OBJECTS).keys()].map((index) => `dataset-${index}`);
	for (const name of names) server.buckets.put("from", `datasets/${name}/rows`, `rows of ${name}`);
	writeFileSync(join(folder, "names"), `${names.join("\n")}\n`);
});
afterAll(async () => {
	delete process.env.KINDS_URI;
	delete process.env.HOLDFAST_HOME;
	await Promise.all([set?.stop(), server?.stop()]);
	rmSync(folder, { recursive: true });
});

/** `console.log` is what a provider says to people. */
async function saying<T>(fn: () => Promise<T>): Promise<{ result: T; said: string }> {
	const lines: string[] = [];
	const spy = jest.spyOn(console, "log").mockImplementation((line) => void lines.push(String(line)));
	try {
		return { result: await fn(), said: lines.join("\n") };
	} finally {
		spy.mockRestore();
	}
}

const create = async <T>(kind: "migrate/IdMap" | "migrate/Migration", inputs: object) =>
	((await saying(() => serve(kind, "create", [inputs]))).result as { outs: T }).outs;
const update = async <T>(kind: "migrate/IdMap" | "migrate/Migration", state: object, inputs: object) =>
	((await saying(() => serve(kind, "update", ["id", state, inputs]))).result as { outs: T }).outs;
const read = async (kind: "migrate/IdMap" | "migrate/Migration", state: object) =>
	(await saying(() => serve(kind, "read", ["id", state]))).result as { inputs: object; props: object };

const mapInputs = (more: object = {}) => ({
	name: "ids",
	location: join(folder, "ids"),
	ids: { kind: "deterministic", secret: "the key of a test is no secret" },
	format: "uuid",
	sources: [{ kind: "file", path: join(folder, "names"), of: "Dataset" }],
	generation: 1,
	...more,
});
const inputs = (more: object = {}) => ({
	kind: "objects",
	name: "copy",
	idMap: { location: join(folder, "ids"), hash: map.hash },
	mongo: { uriVariable: "KINDS_URI" },
	source: { bucket: "from", endpoint: server.endpoint },
	target: { bucket: "into", endpoint: server.endpoint },
	rules: [{ match: "datasets/{Dataset}/**" }],
	timeoutMinutes: 10,
	run: "complete",
	...more,
});

test("a map is built, and found again", async () => {
	map = await create<IdMapOutputs>("migrate/IdMap", mapInputs());
	expect(map).toMatchObject({ hash: expect.stringMatching(/^[0-9a-f]{64}$/), count: OBJECTS, segments: 1 });
	expect(await create("migrate/IdMap", mapInputs())).toEqual(map);
	expect(await update("migrate/IdMap", map, mapInputs({ endpoint: "http://127.0.0.1:1" }))).toMatchObject({
		hash: map.hash,
	});
	expect(await read("migrate/IdMap", map)).toMatchObject({ props: map });
});

test.each([
	["location", () => ({ location: join(folder, "elsewhere") })],
	["format", () => ({ format: "hex" })],
	["ids", () => ({ ids: { kind: "deterministic", secret: "another key of the test" } })],
	["ids", () => ({ ids: { kind: "random" } })],
	["sources", () => ({ sources: [{ kind: "file", path: join(folder, "names"), of: "Other" }] })],
])("a built map's %s cannot be changed", async (what, change) => {
	const refused = update("migrate/IdMap", map, mapInputs(change()));
	await expect(refused).rejects.toThrow(`HF_FROZEN: id map ids is built: its ${what} cannot be changed`);
});

test("a generation more takes in what the sources have by then, and never goes back", async () => {
	writeFileSync(join(folder, "more"), "dataset-3\ndataset-new\n");
	const more = { generation: 2, sources: [{ kind: "file", path: join(folder, "more"), of: "Dataset" }] };
	const grown = await update<IdMapOutputs>("migrate/IdMap", map, mapInputs(more));
	expect(grown).toMatchObject({ count: OBJECTS + 1, segments: 2 });
	const back = update("migrate/IdMap", grown, mapInputs({ sources: more.sources }));
	await expect(back).rejects.toThrow("HF_FROZEN: id map ids has 2 segments, and never fewer again");
});

test("what a migration would do is told by looking only", async () => {
	expect(await migrationHints(inputs())).toEqual([
		"migration copy: would copy the objects of gs://from/ to gs://into/",
	]);
	expect(await migrationHints({ nonsense: true })).toEqual([]);
	expect(server.buckets.names("into")).toEqual([]);
});

test("a migration whose time is up is kept and told, and goes on to its end; then it does nothing any more", async () => {
	const slow = jest.spyOn(AbortSignal, "timeout").mockImplementation(() => AbortSignal.abort());
	const stopped = await create<MigrationOutputs>("migrate/Migration", inputs()).catch((error) => error);
	slow.mockRestore();
	expect(stopped.message).toContain(`(its file is ${kept})`);
	expect(migrationSchema.parse(JSON.parse(readFileSync(kept, "utf8")))).toMatchObject({ name: "copy" });
	expect(stopped.message).toMatch(/^HF_NOT_READY: migration copy is not complete, 0 read and 0 written so far: /);
	expect(stopped.properties).toMatchObject({ name: "copy", state: "loading", mapHash: map.hash, written: 0 });
	expect(await read("migrate/Migration", stopped.properties)).toMatchObject({ inputs: { run: "loading" } });
	const done = await update<MigrationOutputs>("migrate/Migration", stopped.properties, inputs());
	expect(done).toMatchObject({ state: "complete", mapHash: map.hash, read: OBJECTS, written: OBJECTS });
	expect(server.buckets.names("into").length).toBe(OBJECTS);
	const before = server.sent("rewrite").length;
	const again = await update<MigrationOutputs>("migrate/Migration", done, inputs({ concurrency: 8 }));
	expect(again).toMatchObject({ state: "complete", written: OBJECTS });
	expect(server.sent("rewrite").length).toBe(before);
	expect(await read("migrate/Migration", done)).toMatchObject({ inputs: { run: "complete" } });
	expect(await migrationHints(inputs())).toEqual(["migration copy: nothing, it is complete"]);
	// The map has a second segment by now, and its hash is what a program hands on.
	const grown = await openIdMap(join(folder, "ids"));
	await grown.close();
	expect(grown.former).toEqual([map.hash]);
	const idMap = { location: join(folder, "ids"), hash: grown.hash };
	expect(await update("migrate/Migration", done, inputs({ idMap }))).toMatchObject({ mapHash: map.hash });
	expect(server.sent("rewrite").length).toBe(before);
});

test.each([
	[
		"mongo",
		() => ({ mongo: { access: { stack: "other", cluster: "rs0" } } }),
		/HF_FROZEN: migration copy was begun with another mongo/,
	],
	["ledger", () => ({ ledger: "another" }), /HF_FROZEN: migration copy was begun with another ledger/],
	["rules", () => ({ rules: [{ match: "datasets/**" }] }), /HF_FROZEN: migration copy was begun with another rules/],
	["map", () => ({ idMap: { location: join(folder, "ids"), hash: "0".repeat(64) } }), /HF_FROZEN/],
	[
		"target",
		() => ({ target: { bucket: "into", prefix: "p/", endpoint: server.endpoint } }),
		/HF_FROZEN.*another target/,
	],
] as const)("with another %s it is refused", async (_, change, message) => {
	const state = { ...inputs(), state: "complete", mapHash: map.hash, read: OBJECTS, written: OBJECTS };
	await expect(update("migrate/Migration", state, inputs(change()))).rejects.toThrow(message);
	expect(JSON.parse(readFileSync(kept, "utf8"))).toMatchObject({ rules: [{ match: "datasets/{Dataset}/**" }] });
});

test("a migration that was complete and is gone from its ledger is not run again", async () => {
	const state = { ...inputs(), state: "complete", mapHash: map.hash, read: OBJECTS, written: OBJECTS };
	const inLedger = <T>(fn: (migrations: Collection<{ _id: string }>) => Promise<T>) =>
		withMongo(set.uri, (client) => fn(client.db("holdfast_migrations").collection("migrations")));
	const record = await inLedger((migrations) => migrations.findOneAndDelete({ _id: "copy" }));
	expect(await read("migrate/Migration", state)).toMatchObject({ inputs: { run: "gone" } });
	await expect(update("migrate/Migration", state, inputs())).rejects.toThrow("HF_DATA_LOST: the ledger knows nothing");
	await inLedger((migrations) => migrations.insertOne(record!));
});

test("of a replica set that is down nothing is said", async () => {
	const state = {
		...inputs({ mongo: { access: { stack: "none", cluster: "rs0" } } }),
		state: "complete",
		mapHash: map.hash,
	};
	expect(await read("migrate/Migration", { ...state, read: 1, written: 1 })).toMatchObject({
		props: { state: "complete", run: "complete", written: 1 },
	});
});

test("a removal takes nothing away, and says so", async () => {
	const remove = (kind: "migrate/IdMap" | "migrate/Migration", state: object) =>
		saying(() => serve(kind, "delete", ["id", state]));
	const ofMap = await remove("migrate/IdMap", map);
	expect(ofMap.said).toContain(`stays where it is: ${join(folder, "ids")}`);
	const ofCopy = await remove("migrate/Migration", { ...inputs(), state: "complete" });
	expect(existsSync(join(folder, "migrations"))).toBe(false);
	expect(ofCopy.said).toContain("migration copy is not undone: what it wrote stays");
	expect(server.buckets.names("into").length).toBe(OBJECTS);
});

test("a map that is altered, or gone, is drift and never made anew", async () => {
	const manifest = join(folder, "ids", "segment-0000.json");
	const text = readFileSync(manifest, "utf8");
	chmodSync(manifest, 0o644);
	writeFileSync(manifest, text.replace('"uuid"', '"hex"'));
	expect(await read("migrate/IdMap", map)).toMatchObject({ inputs: { generation: 0 }, props: { hash: map.hash } });
	await expect(update("migrate/IdMap", map, mapInputs())).rejects.toThrow(/HF_(DAMAGED|FROZEN)/);
	writeFileSync(manifest, text);
	renameSync(join(folder, "ids"), join(folder, "aside"));
	expect(await read("migrate/IdMap", map)).toMatchObject({ inputs: { generation: 0 } });
	await expect(update("migrate/IdMap", map, mapInputs())).rejects.toThrow("HF_DATA_LOST: id map ids is gone");
	renameSync(join(folder, "aside"), join(folder, "ids"));
	expect(await read("migrate/IdMap", map)).toMatchObject({ inputs: { generation: 1 } });
});
