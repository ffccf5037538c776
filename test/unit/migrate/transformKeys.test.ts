import { Long } from "mongodb";
import { array, embedded, entity, int, key, keyIn, ref, text } from "../../support/datastoreValues.ts";
import { fakeMap } from "../../support/fakeMap.ts";
import { thing } from "../../support/roundTrip.ts";

const own = key("Thing", 1);
const gone = keyIn("ns", "Account", 5, "Gone", "a b");
const kept = { _missing: { namespace: "ns", path: ["Account", Long.fromInt(5), "Gone", "a b"] } };
const elsewhere = (projectId: string, databaseId: string) => ({
	...own,
	partitionId: { projectId, databaseId, namespaceId: "" },
});

/** Written by each of the three rules. */
function byRule(properties: Parameters<typeof entity>[1], of = own) {
	const made = entity(of, properties);
	const [put, none, keep] = (["deadLetter", "null", "keep"] as const).map((unmapped) => thing({ unmapped }));
	const raw = keep!.bson(made);
	expect(keep!.verify(made, raw)).toEqual([]);
	expect(none!.verify(made, none!.bson(made))).toEqual([]);
	expect(put!.sourceProblem(made)).toEqual(put!.transform(made).problem);
	return { problem: put!.transform(made).problem, none: none!.document(made), keep: keep!.document(made) };
}

test("a reference that the map does not have goes by the rules", () => {
	const { problem, none, keep } = byRule({ list: array(int(1), embedded({ "r.s": ref(gone) })) });
	expect(problem).toEqual({
		...{ code: "UNMAPPED_REFERENCE", path: 'list[1]["r.s"]' },
		reason: "a key that the map does not have",
	});
	expect(none.list).toStrictEqual([Long.fromInt(1), { "r%2Es": null }]);
	expect(keep.list).toStrictEqual([Long.fromInt(1), { "r%2Es": kept }]);
});

test("so does an embedded entity's own key", () => {
	const { problem, none, keep } = byRule({ part: embedded({ a: int(1) }, gone) });
	expect(problem).toMatchObject({ code: "UNMAPPED_REFERENCE", path: "part._key" });
	expect(none.part).toStrictEqual({ _key: null, a: Long.fromInt(1) });
	expect(keep.part).toStrictEqual({ _key: kept, a: Long.fromInt(1) });
});

test("and a parent: it may be the key of no entity", () => {
	const { problem, none, keep } = byRule({}, keyIn("ns", "Account", 5, "Gone", "a b", "Thing", 2));
	expect(problem).toEqual({ code: "UNMAPPED_KEY", path: "_parent", reason: "its parent's key is not in the map" });
	expect(none._parent).toBeNull();
	expect(keep._parent).toStrictEqual(kept);
});

test("an entity whose own key the map does not have is put aside by any rule", () => {
	for (const unmapped of ["deadLetter", "null", "keep"] as const) {
		const rules = thing({ unmapped }, fakeMap("hex", ["Thing"]));
		const { problem } = rules.transform(entity(own, {}));
		expect(problem).toEqual({ code: "UNMAPPED_KEY", path: "_id", reason: "its key is not in the map" });
		expect(rules.sourceProblem(entity(own, {}))).toEqual(problem);
	}
});

test.each([
	["another project", "other", ""],
	["another database", "demo", "second"],
])("a key of %s is in no map, though one like it is", (_, project, database) => {
	const { problem, none, keep } = byRule({ r: ref(elsewhere(project, database)) });
	expect(problem).toMatchObject({ code: "UNMAPPED_REFERENCE", path: "r" });
	expect(none.r).toBeNull();
	expect(keep.r).toStrictEqual({ _missing: { database, path: ["Thing", Long.fromInt(1)], project } });
});

test("an incomplete key refers to nothing: it is kept by any rule", () => {
	const { problem, none, keep } = byRule({ part: embedded({}, key("Account", 5, "Part")) });
	expect(problem).toBeUndefined();
	const part = { _key: { _missing: { path: ["Account", Long.fromInt(5), "Part"] } } };
	expect([none.part, keep.part]).toStrictEqual([part, part]);
});

test("the same id in another namespace is another key", () => {
	const made = (namespace: string) => thing().document(entity(own, { r: ref(keyIn(namespace, "Thing", 1)) }));
	expect(made("").r).toBe(made("")._id);
	expect(made("ns").r).not.toBe(made("").r);
});

test("what only looks like a kept key is escaped", () => {
	const made = entity(own, { v: embedded({ _missing: embedded({ path: array(text("Gone"), int(5)) }) }) });
	const { bson, document, verify } = thing({ unmapped: "keep" });
	expect(document(made).v).toStrictEqual({ "%5Fmissing": { path: ["Gone", Long.fromInt(5)] } });
	expect(verify(made, bson(made))).toEqual([]);
	expect(verify(entity(own, { v: ref(key("Gone", 5)) }), bson(made))).toEqual(["v: old key became embedded entity"]);
});
