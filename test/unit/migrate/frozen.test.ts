import { differing, frozenOf, refuseAnother } from "../../../runtime/migrate/frozen.ts";
import { declaredIndexes } from "../../../runtime/migrate/indexes.ts";
import { type DatastoreMigration, migrationSchema } from "../../../runtime/migrate/model.ts";
import { fakeIdMap } from "../../support/fakeIdMap.ts";

const declare = (change: object = {}): DatastoreMigration =>
	migrationSchema.parse({
		kind: "datastore",
		name: "m",
		idMap: { location: "/map" },
		mongo: { uriVariable: "TARGET" },
		source: { project: "p", kinds: ["A", "B"] },
		database: "d",
		...change,
	}) as DatastoreMigration;
const transfer = { ends: { source: "projects/p/databases/", target: "d" }, readTime: "2026-11-21T10:00:00Z" };
const freeze = (declaration = declare(), map = fakeIdMap([]), to: Partial<typeof transfer> = transfer) =>
	frozenOf(declaration, map, { ends: transfer.ends, ...to });

test("what does not change the result may change", () => {
	const changes = [{ concurrency: 9 }, { pageSize: 7 }, { maxErrors: "5%" }];
	const order = { source: { project: "p", kinds: ["B", "A"] }, rules: { defaults: {}, kinds: {} } };
	for (const change of [...changes, order]) expect(differing(freeze(), freeze(declare(change)))).toEqual([]);
});

test("what a migration was begun with is named when it is another", () => {
	const from = freeze();
	const rules = { kinds: { A: { drop: ["x"] } } };
	expect(differing(from, freeze(declare({ rules })))).toEqual(["rules"]);
	expect(differing(from, freeze(declare({ source: { project: "p", kinds: ["A"] } })))).toEqual(["rules"]);
	expect(differing(from, freeze(declare(), fakeIdMap([], "b".repeat(64))))).toEqual(["id map"]);
	const ends = { source: "projects/q/databases/", target: "e" };
	expect(differing(from, freeze(declare(), undefined, { ...transfer, ends }))).toEqual(["source", "target"]);
	const later = freeze(declare(), undefined, { readTime: "2026-11-21T11:00:00Z" });
	expect(differing(from, later)).toEqual(["read time"]);
	expect(differing(from, later, true)).toEqual([]);
	expect(differing(from, freeze(declare(), undefined, { readTime: "2026-11-21T10:00:00.000Z" }))).toEqual([]);
	const unpinned = frozenOf(declare(), fakeIdMap([]), { ends: transfer.ends });
	expect(differing(from, unpinned)).toEqual(["read time"]);
	expect(differing(unpinned, unpinned)).toEqual([]);
	expect(() => refuseAnother({ ...from, _id: "m" }, freeze(declare({ rules })), false)).toThrow(
		"HF_FROZEN: migration m was begun with another rules than what is declared now",
	);
});

test("indexes are declared by the names that fields have in the target", () => {
	const rules = declare({
		rules: {
			kinds: {
				A: {
					collection: "as",
					rename: { owner: "by" },
					indexes: [{ keys: { owner: 1, "a.b": -1 }, unique: true }, { keys: { at: "2dsphere" } }],
				},
				B: { skip: true, indexes: [{ keys: { x: 1 } }] },
			},
		},
	}).rules;
	expect(declaredIndexes(rules)).toEqual([
		{ collection: "as", name: "by_1_a%2Eb_-1", key: { by: 1, "a%2Eb": -1 }, unique: true },
		{ collection: "as", name: "at_2dsphere", key: { at: "2dsphere" }, unique: false },
	]);
});
