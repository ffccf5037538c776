import { createHmac } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { buildIdMap } from "../../../runtime/migrate/idmap/build.ts";
import { openIdMap } from "../../../runtime/migrate/idmap/open.ts";
import { encodeKey } from "../../../runtime/migrate/oldKey.ts";
import { sha256 } from "../../../runtime/sha256.ts";
import { MapScene, named } from "../../support/idMaps.ts";

let scene: MapScene;
beforeEach(() => {
	scene = new MapScene(named(2000));
});
afterEach(() => scene.remove());

const filesOf = (one: MapScene) =>
	Object.fromEntries(readdirSync(one.location).map((name) => [name, readFileSync(join(one.location, name))]));
const oldKey = (name: string) => encodeKey({ namespace: "", path: [{ kind: "Dataset", name }] });

test("the same keys give the same bytes, in another order and with repetitions too", async () => {
	const built = await buildIdMap(scene.inputs());
	const other = new MapScene([...named(1500, 500).reverse(), ...named(1000)]);
	expect(await buildIdMap(other.inputs())).toEqual(built);
	expect(filesOf(other)).toEqual(filesOf(scene));
	expect(Object.keys(filesOf(scene))).toEqual(["segment-0000.ids", "segment-0000.json"]);
	other.remove();
});

test("a deterministic id is an HMAC of name and key", async () => {
	await buildIdMap(scene.inputs());
	const key = oldKey("dataset-00000007");
	const wanted = (name: string, secret: string) =>
		createHmac("sha256", secret).update(`${name}\0`).update(key).digest("hex").slice(0, 32);
	const map = await openIdMap(scene.location);
	expect(map.lookup(key)).toBe(wanted("things", "a secret of some length"));
	await map.close();

	const long = "é".repeat(50);
	const inputs = scene.inputs({ location: join(scene.folder, "long"), ids: { kind: "deterministic", secret: long } });
	await buildIdMap(inputs);
	const second = await openIdMap(inputs.location);
	expect(second.lookup(key)).toBe(wanted("things", long));
	await second.close();
});

test("files are read-only, and the manifest tells what is in them", async () => {
	const { hash } = await buildIdMap(scene.inputs());
	for (const suffix of ["ids", "json"]) expect(statSync(scene.segment(0, suffix)).mode & 0o777).toBe(0o444);
	const text = readFileSync(scene.segment(0, "json"), "utf8");
	expect(hash).toBe(sha256(text));
	expect(JSON.parse(text)).toMatchObject({
		version: 1,
		strategy: "deterministic",
		count: 2000,
		bytes: statSync(scene.segment()).size,
		sha256: sha256(readFileSync(scene.segment())),
		sources: [{ kind: "file", name: "ids.ndjson" }],
		previous: null,
	});
	expect(text + readFileSync(scene.segment(), "latin1")).not.toContain("a secret of some length");
});

test("building again changes nothing, and says so", async () => {
	const first = await buildIdMap(scene.inputs());
	const before = statSync(scene.segment()).ino;
	expect(await buildIdMap(scene.inputs())).toEqual({ ...first, changed: false });
	expect(statSync(scene.segment()).ino).toBe(before);
});

test("random ids count as the same when their keys are the same", async () => {
	const inputs = scene.inputs({ ids: { kind: "random" } });
	const first = await buildIdMap(inputs);
	expect(await buildIdMap(inputs)).toEqual({ ...first, changed: false });
	const other = await buildIdMap({ ...inputs, location: join(scene.folder, "other") });
	expect(other.hash).not.toBe(first.hash);
});

test("sequential ids are 1, 2, 3 in key order", async () => {
	const { location } = scene.inputs();
	await buildIdMap(scene.inputs({ ids: { kind: "sequential" } }));
	const map = await openIdMap(location);
	expect(map.lookup(oldKey("dataset-00000000"))).toBe("1");
	expect(map.lookup(oldKey("dataset-00001999"))).toBe("2000");
	expect(map.reverse("2001")).toBeUndefined();
	await map.close();
});

test("what differs is refused as frozen, and nothing is changed", async () => {
	await buildIdMap(scene.inputs());
	const before = filesOf(scene);
	const frozen = (change: Parameters<MapScene["inputs"]>[0] = {}) =>
		expect(buildIdMap(scene.inputs(change))).rejects.toMatchObject({ code: "HF_FROZEN" });
	await frozen({ name: "others" });
	await frozen({ format: "uuid" });
	await frozen({ ids: { kind: "random" } });
	await frozen({ ids: { kind: "deterministic", secret: "another secret of some length" } });
	scene.write(named(2001));
	await frozen();
	scene.write(named(1999));
	await frozen();
	scene.write([...named(1999), ...named(1, 5000)]);
	await frozen();
	expect(filesOf(scene)).toEqual(before);
	rmSync(scene.location, { recursive: true });
	scene.write([]);
	await expect(buildIdMap(scene.inputs())).rejects.toMatchObject({ code: "HF_REJECTED" });
	expect(readdirSync(scene.location)).toEqual([]);
});

test("a builder that finds the segment of another compares with it", async () => {
	const ids = { kind: "random" as const };
	const outcomes = await Promise.all([1, 2, 3].map(() => buildIdMap(scene.inputs({ ids }))));
	expect(new Set(outcomes.map(({ hash }) => hash)).size).toBe(1);
	expect(outcomes.filter(({ changed }) => changed)).toHaveLength(1);
	expect(readdirSync(scene.location)).toEqual(["segment-0000.ids", "segment-0000.json"]);
});

test("a segment without its manifest is completed, with the ids it has", async () => {
	const ids = { kind: "random" as const };
	const first = await buildIdMap(scene.inputs({ ids }));
	renameSync(scene.segment(0, "json"), join(scene.folder, "manifest"));
	await expect(openIdMap(scene.location)).rejects.toMatchObject({ code: "HF_REJECTED" });
	expect(await buildIdMap(scene.inputs({ ids }))).toEqual({ ...first, changed: false });
	expect(readFileSync(scene.segment(0, "json"))).toEqual(readFileSync(join(scene.folder, "manifest")));
});

test("what killed builders left is taken away, what live ones work with is not", async () => {
	const { hostname } = await import("node:os");
	const [dead, live, foreign] = [
		`.build-${hostname()}-1-0-x`,
		`.build-${hostname()}-${process.pid}-`,
		".build-other-1-0-x",
	];
	const ticks = readFileSync(`/proc/${process.pid}/stat`, "utf8").split(") ")[1]!.split(" ")[19];
	for (const name of [dead, `${live}${ticks}-y`, foreign]) mkdirSync(join(scene.location, name), { recursive: true });
	await buildIdMap(scene.inputs());
	expect(readdirSync(scene.location).filter((name) => name.startsWith("."))).toEqual(
		[`${live}${ticks}-y`, foreign].sort(),
	);
});

test("a build that is stopped leaves nothing and may be run again", async () => {
	const signal = AbortSignal.abort();
	await expect(buildIdMap(scene.inputs(), { signal })).rejects.toMatchObject({ code: "HF_RETRY" });
	expect(readdirSync(scene.location)).toEqual([]);
});
