import fc from "fast-check";
import { buildIdMap } from "../../../runtime/migrate/idmap/build.ts";
import type { IdFormat } from "../../../runtime/migrate/idmap/idMap.ts";
import { openIdMap } from "../../../runtime/migrate/idmap/open.ts";
import { verifyIdMap } from "../../../runtime/migrate/idmap/verify.ts";
import { ancestorEnds, encodeKey, type PathElement } from "../../../runtime/migrate/oldKey.ts";
import { type Line, MapScene, named } from "../../support/idMaps.ts";
import { long } from "../../support/long.ts";

const name = fc.oneof(
	fc.string({ unit: "binary", minLength: 1, maxLength: 8 }),
	fc.constantFrom("a", "a\0", "a\0\u0001", "\u{10000}", "\uffff", "=x", "a".repeat(1500), "b".repeat(5000)),
);
const step: fc.Arbitrary<PathElement> = fc.oneof(
	fc.record({ kind: fc.constantFrom("A", "Ab", "B"), id: fc.bigInt({ min: 1n, max: 2n ** 63n - 1n }).map(String) }),
	fc.record({ kind: fc.constantFrom("A", "Ab", "B"), name }),
);
const line: fc.Arbitrary<Line> = fc.record({
	namespace: fc.constantFrom("", "", "n", "n\0"),
	path: fc.array(step, { minLength: 1, maxLength: 3 }),
});

const FORMS: Record<IdFormat, RegExp> = {
	hex: /^[0-9a-f]{32}$/,
	uuid: /^[0-9a-f]{8}-[0-9a-f]{4}-[48][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
	objectId: /^[0-9a-f]{24}$/,
	integer: /^[1-9]\d*$/,
};

const keyOf = (one: Line): Buffer =>
	encodeKey("path" in one ? { namespace: one.namespace ?? "", path: one.path } : { namespace: "", path: [one] });

/** Keys of lines, and their ancestors. */
const allKeys = (lines: readonly Line[]): Set<string> =>
	new Set(
		lines.map(keyOf).flatMap((key) => [...ancestorEnds(key), key.length].map((end) => key.toString("latin1", 0, end))),
	);

test("a map has its keys and no others, and its new ids lead back", async () => {
	const forms = fc.constantFrom(
		...(["hex", "uuid", "objectId"] as const).flatMap((format) => [
			{ format, ids: { kind: "deterministic" as const, secret: "a secret of some length" } },
			{ format, ids: { kind: "random" as const } },
		]),
		{ format: "integer" as const, ids: { kind: "sequential" as const } },
	);
	const lines = fc.array(line, { minLength: 1, maxLength: 120 });
	await fc.assert(
		fc.asyncProperty(lines, lines, forms, fc.constantFrom(0, 40_000), async (known, others, form, cacheBytes) => {
			const scene = new MapScene(known);
			try {
				const built = await buildIdMap(scene.inputs(form));
				const wanted = allKeys(known);
				expect(built).toMatchObject({ count: wanted.size, segments: 1, changed: true });
				const map = await openIdMap(scene.location, { cacheBytes });
				expect(map).toMatchObject({ hash: built.hash, count: wanted.size, format: form.format });
				const ids = new Map([...wanted].map((key) => [key, map.lookup(Buffer.from(key, "latin1"))]));
				for (const [key, id] of ids) {
					expect(id).toMatch(FORMS[form.format]);
					expect(map.reverse(id!)?.toString("latin1")).toBe(key);
				}
				expect(new Set(ids.values()).size).toBe(wanted.size);
				for (const key of allKeys(others))
					expect(map.lookup(Buffer.from(key, "latin1"))).toBe(wanted.has(key) ? ids.get(key) : undefined);
				for (const cut of [...wanted].map((key) => key.slice(0, -1)))
					if (!wanted.has(cut)) expect(map.lookup(Buffer.from(cut, "latin1"))).toBeUndefined();
				await map.close();
				await verifyIdMap(scene.location);
			} finally {
				scene.remove();
			}
		}),
		{ numRuns: long ? 500 : 15 },
	);
});

test("many blocks, in order, in no order, and with a cache that holds few of them", async () => {
	const scene = new MapScene([...named(30_000), ...named(5000, 0, "Job").map((one) => ({ ...one, kind: "Z" }))]);
	await buildIdMap(scene.inputs());
	const map = await openIdMap(scene.location, { cacheBytes: 50_000 });
	const keys = Array.from({ length: 30_000 }, (_, index) => keyOf(named(1, index)[0]!));
	const ids = keys.map((key) => map.lookup(key));
	expect(new Set(ids).size).toBe(30_000);
	for (let i = 0; i < 30_000; i += 7) {
		const at = (i * 7919) % 30_000;
		expect(map.lookup(keys[at]!)).toBe(ids[at]);
		if (i % 77 === 0) expect(map.reverse(ids[at]!)).toEqual(keys[at]);
	}
	for (const absent of ["dataset-0", "dataset-00000000a", "dataset-99999999", "a", "z"])
		expect(map.lookup(keyOf({ kind: "Dataset", name: absent }))).toBeUndefined();
	for (const absent of ["", "zz", "0".repeat(32), "f".repeat(32), ids[0]!.toUpperCase(), `${ids[0]}0`])
		expect(map.reverse(absent)).toBeUndefined();
	await map.close();
	scene.remove();
});
