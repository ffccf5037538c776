import { ruleOf } from "../../../runtime/migrate/kindRule.ts";
import { objectRulesSchema, rulesSchema } from "../../../runtime/migrate/rules.ts";
import { rulesHash } from "../../../runtime/migrate/rulesHash.ts";

type Given = Parameters<typeof rulesSchema.parse>[0];
const issues = (kind: object) =>
	rulesSchema
		.safeParse({ kinds: { A: kind } })
		.error?.issues.map(({ path, message }) => [path.slice(2).join("/"), message]);
const hash = (given: Given) => rulesHash(rulesSchema.parse(given));

test.each([
	["a reserved field", { rename: { a: "_id" } }, "rename/a", /_id is reserved/],
	["one of our own fields", { rename: { a: "_micros" } }, "rename/a", /_micros is reserved/],
	["a field that would be escaped", { rename: { a: "x.y" } }, "rename/a", /without %, dots, NUL and leading \$/],
	["a field that looks escaped", { rename: { a: "x%2Ey" } }, "rename/a", /without %/],
	["two properties to one field", { rename: { a: "x", b: "x" } }, "rename/b", /"a" is renamed to x too/],
	["a rename of what is dropped", { rename: { a: "x" }, drop: ["b", "a"] }, "drop/1", /renamed too/],
	["a collection MongoDB refuses", { collection: "a$b" }, "collection", /no \$ or NUL/],
	["a system collection", { collection: "system.views" }, "collection", /not system/],
	["an index of nothing", { indexes: [{ keys: {} }] }, "indexes/0/keys", /at least one field/],
	["an unknown rule", { colection: "x" }, "", /colection/],
])("%s is refused where it stands", (_, kind, path, message) => {
	expect(issues(kind)).toEqual([[path, expect.stringMatching(message)]]);
});

test("kinds may share a collection, and properties may change places", () => {
	expect(issues({ rename: { a: "b", b: "a" }, collection: "shared" })).toBeUndefined();
	expect(
		rulesSchema.safeParse({ kinds: { A: { collection: "x" }, B: { collection: "x", drop: ["y"] } } }).success,
	).toBe(true);
});

test("what a kind does not say is what the defaults say", () => {
	const rules = rulesSchema.parse({
		defaults: { unmapped: "null", keepOld: true },
		kinds: { A: { unmapped: "keep", rename: { a: "b" }, drop: ["c"] } },
	});
	expect(ruleOf(rules, "A")).toMatchObject({
		...{ collection: "A", unmapped: "keep", keepOld: true, timestamps: "date", references: "id", skip: false },
		...{ renames: new Map([["a", "b"]]), drops: new Set(["c"]), indexes: [] },
	});
	expect(ruleOf(rules, "x$.y")).toMatchObject({ collection: "x%24.y", unmapped: "null", renames: new Map() });
	expect(ruleOf(rules, "constructor")).toMatchObject({ collection: "constructor", drops: new Set() });
});

test("the hash of rules is that of what they say", () => {
	const rules = { kinds: { A: { rename: { a: "x", b: "y" }, drop: ["c", "d"] }, B: { skip: true } } };
	const same = { kinds: { B: { skip: true }, A: { drop: ["d", "c"], rename: { b: "y", a: "x" } } } };
	expect(hash(same)).toBe(hash(rules));
	expect(hash(rules)).toMatch(/^[0-9a-f]{64}$/);
	const others: Given[] = [
		{},
		{ kinds: { ...rules.kinds, B: {} } },
		{ kinds: { ...rules.kinds, A: { ...rules.kinds.A, rename: { a: "y", b: "x" } } } },
		{ ...rules, defaults: { keepOld: true } },
	];
	expect(new Set([rules, ...others].map(hash)).size).toBe(others.length + 1);
});

test("an index's order of fields, and the order of rules for objects, are part of the hash", () => {
	const index = (keys: Record<string, 1>) => hash({ kinds: { A: { indexes: [{ keys }] } } });
	expect(index({ a: 1, b: 1 })).not.toBe(index({ b: 1, a: 1 }));
	const objects = (...names: string[]) => rulesHash(objectRulesSchema.parse(names.map((match) => ({ match }))));
	expect(objects("a", "b")).not.toBe(objects("b", "a"));
});
