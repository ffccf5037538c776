import {
	chmodSync,
	closeSync,
	existsSync,
	openSync,
	readFileSync,
	rmSync,
	truncateSync,
	writeFileSync,
	writeSync,
} from "node:fs";
import { join } from "node:path";
import { buildIdMap } from "../../../runtime/migrate/idmap/build.ts";
import { openIdMap } from "../../../runtime/migrate/idmap/open.ts";
import { verifyIdMap } from "../../../runtime/migrate/idmap/verify.ts";
import { encodeKey } from "../../../runtime/migrate/oldKey.ts";
import { MapScene, named } from "../../support/idMaps.ts";
import { long, seeded } from "../../support/long.ts";

const COUNT = 1200;
let scene: MapScene;
let whole: Buffer;
beforeEach(async () => {
	scene = new MapScene(named(COUNT));
	await buildIdMap(scene.inputs());
	whole = readFileSync(scene.segment());
	chmodSync(scene.segment(), 0o600);
	chmodSync(scene.segment(0, "json"), 0o600);
});
afterEach(() => scene.remove());

const damaged = { code: "HF_DAMAGED" };

/** Looks every key up, and every id back. */
async function readAll(): Promise<void> {
	const map = await openIdMap(scene.location);
	try {
		for (let i = 0; i < COUNT; i++) {
			const name = `dataset-${String(i).padStart(8, "0")}`;
			const id = map.lookup(encodeKey({ namespace: "", path: [{ kind: "Dataset", name }] }));
			expect(id).toBeDefined();
			expect(map.reverse(id!)).toBeDefined();
		}
	} finally {
		await map.close();
	}
}

function flip(at: number): void {
	const file = openSync(scene.segment(), "r+");
	writeSync(file, Buffer.from([whole[at]! ^ 0x10]), 0, 1, at);
	closeSync(file);
}

test("a file that is cut off does not open, wherever it ends", async () => {
	const tail = whole.length - 64;
	for (const size of [
		0,
		1,
		7,
		8,
		100,
		16_392,
		tail - 500,
		tail - 1,
		tail,
		tail + 30,
		whole.length - 8,
		whole.length - 1,
	]) {
		writeFileSync(scene.segment(), whole);
		truncateSync(scene.segment(), size);
		await expect(openIdMap(scene.location)).rejects.toMatchObject(damaged);
	}
	writeFileSync(scene.segment(), Buffer.concat([whole, Buffer.from([0])]));
	await expect(openIdMap(scene.location)).rejects.toMatchObject(damaged);
	rmSync(scene.segment());
	await expect(openIdMap(scene.location)).rejects.toMatchObject(damaged);
});

test("no altered byte is read: not of the blocks, the index or the end", async () => {
	await readAll();
	const random = seeded("altered bytes");
	const places = Array.from({ length: long ? 300 : 20 }, () => Math.floor(random() * whole.length));
	for (const at of [0, 8, 10, 12, 16_400, whole.length - 64, whole.length - 40, whole.length - 1, ...places]) {
		writeFileSync(scene.segment(), whole);
		flip(at);
		await expect(readAll()).rejects.toMatchObject(damaged);
		await expect(verifyIdMap(scene.location)).rejects.toMatchObject(damaged);
	}
});

test("an altered block fails when it is read, and not before", async () => {
	flip(whole.indexOf("dataset-") + 2);
	const map = await openIdMap(scene.location);
	const key = (name: string) => encodeKey({ namespace: "", path: [{ kind: "Dataset", name }] });
	expect(() => map.lookup(key("dataset-00000000"))).toThrow("HF_DAMAGED");
	expect(map.lookup(key("dataset-00001199"))).toMatch(/^[0-9a-f]{32}$/);
	await map.close();
});

test("an altered manifest is damaged, or is another map than the pinned one", async () => {
	const map = await openIdMap(scene.location);
	await map.close();
	const text = readFileSync(scene.segment(0, "json"), "utf8");
	const rewrite = (changed: string) => writeFileSync(scene.segment(0, "json"), changed);
	for (const changed of [
		"",
		"{",
		text.slice(0, -20),
		text.replace('"count": 1200', '"count": 1199'),
		text.replace('"bytes"', '"size"'),
	]) {
		rewrite(changed);
		await expect(openIdMap(scene.location)).rejects.toMatchObject(damaged);
	}
	rewrite(text.replace('"tool": "', '"tool": "x'));
	await expect(openIdMap(scene.location, { hash: map.hash })).rejects.toMatchObject({ code: "HF_FROZEN" });
	rewrite(text.replace(/"sha256": "[0-9a-f]{4}(?=[0-9a-f]{60}",\s+"index")/, '"sha256": "0000'));
	await expect(verifyIdMap(scene.location)).rejects.toMatchObject(damaged);
});

test("a segment without a manifest is not completed when it is damaged", async () => {
	rmSync(scene.segment(0, "json"));
	flip(whole.indexOf("dataset-") + 2);
	await expect(buildIdMap(scene.inputs())).rejects.toMatchObject(damaged);
	expect(existsSync(scene.segment(0, "json"))).toBe(false);
});

test("an altered index does not open: a search would go astray in it", async () => {
	for (const at of [whole.lastIndexOf("dataset-") + 9, whole.lastIndexOf('"tool"')]) {
		writeFileSync(scene.segment(), whole);
		flip(at);
		await expect(openIdMap(scene.location)).rejects.toMatchObject(damaged);
	}
});

test("a segment of another map of the same size does not open", async () => {
	const location = join(scene.folder, "other");
	const ids = { kind: "deterministic" as const, secret: "another secret of some length" };
	await buildIdMap(scene.inputs({ location, ids }));
	const other = readFileSync(join(location, "segment-0000.ids"));
	expect(other.length).toBe(whole.length);
	writeFileSync(scene.segment(), other);
	await expect(openIdMap(scene.location)).rejects.toMatchObject(damaged);
});
