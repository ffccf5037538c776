import { chmodSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { buildIdMap } from "../../../runtime/migrate/idmap/build.ts";
import { openIdMap } from "../../../runtime/migrate/idmap/open.ts";
import { verifyIdMap } from "../../../runtime/migrate/idmap/verify.ts";
import { encodeKey } from "../../../runtime/migrate/oldKey.ts";
import { MapScene, named } from "../../support/idMaps.ts";
import { StorageServer } from "../../support/storageServer.ts";

const LOCATION = "gs://maps/some/where";
const OBJECTS = ["some/where/segment-0000.ids", "some/where/segment-0000.json"];
const key = encodeKey({ namespace: "", path: [{ kind: "Dataset", name: "dataset-00000007" }] });

let scene: MapScene;
let server: StorageServer;
const home = process.env.HOLDFAST_HOME;
beforeEach(async () => {
	scene = new MapScene(named(2000));
	process.env.HOLDFAST_HOME = join(scene.folder, "home");
	server = await StorageServer.start();
	server.buckets.create("maps");
});
afterEach(async () => {
	await server.stop();
	scene.remove();
	if (home === undefined) delete process.env.HOLDFAST_HOME;
	else process.env.HOLDFAST_HOME = home;
});

const inputs = (change = {}) => scene.inputs({ location: LOCATION, endpoint: server.endpoint, ...change });
const kept = () => join(scene.folder, "home", "idmaps");
const open = async (hash?: string) => {
	const map = await openIdMap(LOCATION, { endpoint: server.endpoint, ...(hash !== undefined && { hash }) });
	await map.close();
	return map;
};

test("a map in a bucket has the bytes of one in a folder; objects are only ever created", async () => {
	const built = await buildIdMap(inputs());
	expect(server.buckets.names("maps")).toEqual(OBJECTS);
	expect(server.sent("begin").map(({ query }) => query.ifGenerationMatch)).toEqual(["0", "0"]);
	expect(server.sent("begin").map(({ query, json }) => query.name ?? json?.name)).toEqual(OBJECTS);
	expect(await buildIdMap(scene.inputs())).toEqual(built);
	for (const suffix of ["ids", "json"])
		expect(server.buckets.get("maps", `some/where/segment-0000.${suffix}`)!.bytes).toEqual(
			readFileSync(scene.segment(0, suffix)),
		);
	const uploads = server.sent("begin").length;
	expect(await buildIdMap(inputs())).toEqual({ ...built, changed: false });
	expect(server.sent("begin")).toHaveLength(uploads);
	expect(await verifyIdMap(LOCATION, { endpoint: server.endpoint })).toMatchObject({ count: 2000 });
	expect(readdirSync(kept()).filter((name) => name.startsWith("."))).toEqual([]);
});

test("another machine brings the segment here once, and checks it", async () => {
	const { hash } = await buildIdMap(inputs());
	rmSync(kept(), { recursive: true });
	server.requests.length = 0;
	for (let times = 0; times < 2; times++) {
		const map = await openIdMap(LOCATION, { endpoint: server.endpoint, hash });
		expect(map.lookup(key)).toMatch(/^[0-9a-f]{32}$/);
		await map.close();
	}
	expect(server.sent("read").filter(({ path }) => path.endsWith(".ids"))).toHaveLength(1);

	const [file] = readdirSync(kept());
	chmodSync(join(kept(), file!), 0o600);
	writeFileSync(join(kept(), file!), "cut");
	await expect(open()).rejects.toMatchObject({ code: "HF_DAMAGED" });
});

test("a segment that is another than its manifest says is damaged, and not kept", async () => {
	await buildIdMap(inputs());
	rmSync(kept(), { recursive: true });
	const stored = server.buckets.get("maps", OBJECTS[0]!)!;
	server.buckets.put("maps", OBJECTS[0]!, Buffer.concat([stored.bytes.subarray(0, 100), stored.bytes.subarray(101)]));
	await expect(open()).rejects.toMatchObject({ code: "HF_DAMAGED" });
	server.buckets.delete("maps", OBJECTS[0]!);
	await expect(open()).rejects.toMatchObject({ code: "HF_DAMAGED" });
	expect(existsSync(kept()) ? readdirSync(kept()) : []).toEqual([]);
	server.buckets.delete("maps", OBJECTS[1]!);
	await expect(open()).rejects.toMatchObject({ code: "HF_REJECTED" });
});

test("a segment that was uploaded without its manifest is completed", async () => {
	const ids = { kind: "random" as const };
	const built = await buildIdMap(inputs({ ids }));
	const manifest = server.buckets.get("maps", OBJECTS[1]!)!.bytes;
	server.buckets.delete("maps", OBJECTS[1]!);
	expect(await buildIdMap(inputs({ ids }))).toEqual({ ...built, changed: false });
	expect(server.buckets.get("maps", OBJECTS[1]!)!.bytes).toEqual(manifest);
});

test("an upload whose answer is lost is taken for what it is: our own map", async () => {
	let lost = 0;
	server.fault = ({ method, path }) =>
		method === "PUT" && path.startsWith("/session/") && lost++ === 0 ? { drop: "after" } : undefined;
	const { hash } = await buildIdMap(inputs({ ids: { kind: "random" } }));
	expect(lost).toBeGreaterThan(1);
	await open(hash);
	expect(server.buckets.names("maps")).toEqual(OBJECTS);
});

test("a location that names no bucket", async () => {
	await expect(openIdMap("gs://")).rejects.toMatchObject({ code: "HF_SETTING" });
});

test("two builders: one uploads, the other finds it there", async () => {
	const ids = { kind: "random" as const };
	const outcomes = await Promise.all([1, 2].map(() => buildIdMap(inputs({ ids }))));
	expect(new Set(outcomes.map(({ hash }) => hash)).size).toBe(1);
	expect(outcomes.filter(({ changed }) => changed)).toHaveLength(1);
	await open(outcomes[0]!.hash);
});

test("names of objects are a source, by shapes below their prefix", async () => {
	server.buckets.create("things");
	server.buckets.pageSize = 3;
	for (const name of ["dataset-1/a", "dataset-1/b/c", "dataset-2/a", "stray"])
		server.buckets.put("things", `old/${name}`, "");
	for (const name of ["old/jobs/17.json", "old/jobs/x.json", "elsewhere/dataset-3/a"])
		server.buckets.put("things", name, "");
	const sources = [
		{
			kind: "objects" as const,
			bucket: "things",
			prefix: "old/",
			endpoint: server.endpoint,
			match: ["jobs/{Job#}.json", "dataset-{Dataset}/**"],
		},
	];
	expect(await buildIdMap(scene.inputs({ sources }))).toMatchObject({ count: 3 });
	const map = await openIdMap(scene.location);
	const has = (path: Parameters<typeof encodeKey>[0]["path"]) =>
		map.lookup(encodeKey({ namespace: "", path })) !== undefined;
	expect(has([{ kind: "Dataset", name: "1" }]) && has([{ kind: "Dataset", name: "2" }])).toBe(true);
	expect(has([{ kind: "Job", id: "17" }])).toBe(true);
	expect(has([{ kind: "Dataset", name: "3" }])).toBe(false);
	expect(map.links[0]!.sources).toEqual([{ kind: "objects", name: "gs://things/old/", of: sources[0]!.match }]);
	await map.close();
});
