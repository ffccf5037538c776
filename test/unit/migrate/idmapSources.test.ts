import { writeFileSync } from "node:fs";
import { buildIdMap } from "../../../runtime/migrate/idmap/build.ts";
import { keysOf, openKeySource } from "../../../runtime/migrate/idmap/sourceKeys.ts";
import { verifyIdMap } from "../../../runtime/migrate/idmap/verify.ts";
import { decodeKey, keyText } from "../../../runtime/migrate/oldKey.ts";
import { entity, key, keyIn } from "../../support/datastoreValues.ts";
import { FakeDatastore } from "../../support/fakeSource.ts";
import { MapScene, named } from "../../support/idMaps.ts";

let scene: MapScene;
beforeEach(() => {
	scene = new MapScene();
});
afterEach(() => scene.remove());

async function textsOf(source: Awaited<ReturnType<typeof openKeySource>>): Promise<string[]> {
	const found: string[] = [];
	for await (const keys of source.pages()) found.push(...keys.map((one) => keyText(decodeKey(one))));
	return found;
}

async function linesAs(text: string, of?: string): Promise<string[]> {
	writeFileSync(scene.file, text);
	return textsOf(await openKeySource({ kind: "file", path: scene.file, ...(of !== undefined && { of }) }));
}

test("kinds and namespaces of a Datastore, all or those that are named", async () => {
	const entities = [
		...Array.from({ length: 2500 }, (_, index) => entity(key("Dataset", index + 1), {})),
		entity(key("__Stat__", 1), {}),
		entity(keyIn("n", "Job", "a"), {}),
	];
	const source = new FakeDatastore(entities).open({ readTime: "2026-11-21T10:00:00Z" });
	const all = keysOf(source, { namespaces: "all", kinds: "all" });
	const texts = await textsOf(all);
	expect(texts).toHaveLength(2501);
	expect(new Set(texts).size).toBe(2501);
	expect(texts).toContain('n!Job:"a"');
	expect(all.note).toEqual({ kind: "datastore", name: source.name, readTime: "2026-11-21T10:00:00Z" });

	const some = keysOf(source, { namespaces: ["", "n"], kinds: ["Job", "Gone"] });
	expect(await textsOf(some)).toEqual(['n!Job:"a"']);
	expect(some.note.of).toEqual(["namespaces , n", "kinds Job, Gone"]);
	await some.close();
	expect(source.closed).toBe(true);
});

test("a read time that is not honoured is not told of", () => {
	const source = new FakeDatastore([]).open({ readTime: "2026-11-21T10:00:00Z", pinned: false });
	expect(keysOf(source, { namespaces: "all", kinds: "all" }).note).toEqual({ kind: "datastore", name: source.name });
});

test("lines of a file: keys of each form, and bare names of a kind", async () => {
	const lines = [
		'{"kind": "A", "name": "x"}',
		'{"kind":"A","id":"9223372036854775807"}\r',
		'{"kind":"A","id":5}',
		"",
		'{"namespace":"n","path":[{"kind":"A","id":5},{"kind":"B","name":"ü"}]}',
	];
	const texts = ['A:"x"', "A:9223372036854775807", "A:5", 'n!A:5/B:"ü"'];
	expect(await linesAs(lines.join("\n"))).toEqual(texts);
	expect(await linesAs(`${lines.join("\n")}\n`)).toEqual(texts);
	expect(await linesAs("x\n17\n\né\r\n", "K")).toEqual(['K:"x"', 'K:"17"', 'K:"é"']);
	const long = Array.from({ length: 20_000 }, (_, index) => `näme-${index}`);
	expect(await linesAs(long.join("\n"), "K")).toEqual(long.map((name) => `K:${JSON.stringify(name)}`));
});

test.each([
	"no json",
	"17",
	"{}",
	'{"kind":"A"}',
	'{"kind":"","name":"x"}',
	'{"kind":"A","name":""}',
	'{"kind":"A","id":0}',
	'{"kind":"A","id":9007199254740993}',
	'{"kind":"A","id":"01"}',
	'{"kind":"A","id":"5","name":"x"}',
	'{"path":[]}',
	'{"kind":"A","name":"secret-\\ud800"}',
])("a line that is no key is refused by its number, and not told: %s", async (line) => {
	const error = await linesAs(`{"kind":"A","name":"x"}\n${line}\n`).catch((thrown: Error) => thrown);
	expect(error).toMatchObject({ code: "HF_REJECTED", message: expect.stringContaining(`line 2 of ${scene.file}`) });
	expect(String(error)).not.toContain("secret-");
});

test("a file that is not there, a key that is too long, a shape that is none", async () => {
	await expect(buildIdMap(scene.inputs({ sources: [{ kind: "file", path: "/none" }] }))).rejects.toMatchObject({
		code: "HF_REJECTED",
	});
	scene.write([{ kind: "A", name: "x".repeat(33_000) }]);
	await expect(buildIdMap(scene.inputs())).rejects.toMatchObject({ code: "HF_REJECTED" });
	const sources = [{ kind: "objects" as const, bucket: "some", prefix: "", match: ["{A}{B}"] }];
	await expect(buildIdMap(scene.inputs({ sources }))).rejects.toMatchObject({ code: "HF_SETTING" });
});

test("a map is verified against sources: what it lacks is counted", async () => {
	scene.write(named(100));
	await buildIdMap(scene.inputs());
	const { sources } = scene.inputs();
	expect(await verifyIdMap(scene.location, { sources })).toMatchObject({ count: 100, sourceKeys: 100 });
	scene.write([...named(102), { path: [{ kind: "P", id: "1" }, ...(named(1) as { kind: string; name: string }[])] }]);
	await expect(verifyIdMap(scene.location, { sources })).rejects.toMatchObject({
		code: "HF_DIFFERENT",
		message: expect.stringContaining("3 of 103 ids"),
	});
});
