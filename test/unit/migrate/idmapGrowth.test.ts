import { readFileSync, rmSync } from "node:fs";
import { buildIdMap } from "../../../runtime/migrate/idmap/build.ts";
import { openIdMap } from "../../../runtime/migrate/idmap/open.ts";
import { verifyIdMap } from "../../../runtime/migrate/idmap/verify.ts";
import { encodeKey } from "../../../runtime/migrate/oldKey.ts";
import { type Line, MapScene, named } from "../../support/idMaps.ts";

let scene: MapScene;
beforeEach(() => {
	scene = new MapScene(named(1500));
});
afterEach(() => scene.remove());

const keyOf = (one: Line) => encodeKey({ namespace: "", path: "path" in one ? one.path : [one] });

async function idsOf(lines: readonly Line[], hash?: string): Promise<(string | undefined)[]> {
	const map = await openIdMap(scene.location, hash === undefined ? {} : { hash });
	try {
		return lines.map((one) => map.lookup(keyOf(one)));
	} finally {
		await map.close();
	}
}

test.each([
	{ kind: "deterministic" as const, secret: "a secret of some length" },
	{ kind: "random" as const },
	{ kind: "sequential" as const },
])("a raised generation adds what is new, and what was there stays: $kind", async (ids) => {
	const first = await buildIdMap(scene.inputs({ ids }));
	const [before, bytes] = [await idsOf(named(1500)), readFileSync(scene.segment())];
	scene.write(named(2500, 200));
	const second = await buildIdMap(scene.inputs({ ids, generation: 2 }));
	expect(second).toMatchObject({ count: 2700, segments: 2, changed: true });
	expect(await idsOf(named(1500))).toEqual(before);
	expect(new Set(await idsOf(named(2700))).size).toBe(2700);
	expect(readFileSync(scene.segment())).toEqual(bytes);
	expect(await buildIdMap(scene.inputs({ ids, generation: 2 }))).toEqual({ ...second, changed: false });
	await verifyIdMap(scene.location);

	const old = await openIdMap(scene.location, { hash: first.hash });
	expect(old).toMatchObject({ hash: first.hash, count: 1500 });
	await old.close();
	const [added] = await idsOf(named(1, 2600), first.hash);
	expect(added).toBeUndefined();
});

test("sequential ids go on where they were", async () => {
	const ids = { kind: "sequential" as const };
	await buildIdMap(scene.inputs({ ids }));
	scene.write([...named(1500), ...named(2, 0, "A")]);
	await buildIdMap(scene.inputs({ ids, generation: 2 }));
	expect(await idsOf([...named(1), ...named(2, 0, "A")])).toEqual(["1", "1501", "1502"]);
});

test("a generation that finds nothing new has an empty segment; several are added at once", async () => {
	const grown = await buildIdMap(scene.inputs({ generation: 3 }));
	expect(grown).toMatchObject({ count: 1500, segments: 3 });
	expect(await buildIdMap(scene.inputs({ generation: 3 }))).toEqual({ ...grown, changed: false });
	await verifyIdMap(scene.location);
	await expect(buildIdMap(scene.inputs({ generation: 2 }))).rejects.toMatchObject({ code: "HF_FROZEN" });
});

test("another secret is refused before it adds anything", async () => {
	await buildIdMap(scene.inputs());
	scene.write(named(1600));
	const ids = { kind: "deterministic" as const, secret: "another secret of some length" };
	await expect(buildIdMap(scene.inputs({ ids, generation: 2 }))).rejects.toMatchObject({ code: "HF_FROZEN" });
	expect(await buildIdMap(scene.inputs({ generation: 2 }))).toMatchObject({ count: 1600, segments: 2 });
});

test("a hash that is not in the chain is refused, and so is a chain with another map's segment", async () => {
	await buildIdMap(scene.inputs());
	await expect(openIdMap(scene.location, { hash: "0".repeat(64) })).rejects.toMatchObject({ code: "HF_FROZEN" });
	scene.write(named(1600));
	await buildIdMap(scene.inputs({ generation: 2 }));
	for (const suffix of ["ids", "json"]) rmSync(scene.segment(0, suffix));
	await buildIdMap(scene.inputs({ ids: { kind: "random" } })).catch(() => undefined);
	await expect(openIdMap(scene.location)).rejects.toMatchObject({ code: "HF_DAMAGED" });
});
