import fc from "fast-check";
import {
	quoteIdentifier,
	quoteLiteral,
	quoteSetting,
	splitIdentifiers,
} from "../../../runtime/postgres/identifiers.ts";
import { marked, ownerIn, ownerOf, planRemoval } from "../../../runtime/postgres/objectLedger.ts";
import { planSettings, sameSettings } from "../../../runtime/postgres/objectSettings.ts";

const seed = Number(process.env.HOLDFAST_SEED) || Date.now() % 2 ** 31;
const text = fc.string({ unit: fc.oneof(fc.constantFrom(..."'\"\\$, \n"), fc.string({ minLength: 1, maxLength: 1 })) });

test("names and texts end where they should, whatever is in them", () => {
	expect(quoteIdentifier('a"b; DROP')).toBe('"a""b; DROP"');
	expect(quoteLiteral("it's")).toBe("'it''s'");
	expect(quoteLiteral("a\\'b")).toBe("E'a\\\\''b'");
	expect(quoteSetting("app.tenant")).toBe('"app"."tenant"');
});

test(`a list of names is read as it is written (seed ${seed})`, () => {
	expect(splitIdentifiers('"$user", Public,  "a ""b"", c"')).toEqual(["$user", "public", 'a "b", c']);
	expect(splitIdentifiers("")).toEqual([]);
	const names = fc.array(text.filter((name) => name !== ""));
	fc.assert(
		fc.property(names, (list) => {
			expect(splitIdentifiers(list.map(quoteIdentifier).join(", "))).toEqual(list);
		}),
		{ seed },
	);
});

describe("the ledger", () => {
	const owner = ownerOf({ stack: "local", cluster: "pg0" }, "role", "a b]\n[holdfast x]/%");

	test("is the last line of a comment, and keeps what people wrote", () => {
		expect(owner).toMatch(/^local\/pg0\/role\/[^\s[\]]+$/);
		for (const comment of [
			null,
			"",
			"ask Bo",
			"two\nlines\n",
			"[holdfast other/pg0/role/x]",
			"note\n[holdfast x/y/role/z]",
		]) {
			const after = marked(comment, owner);
			expect(ownerIn(after)).toBe(owner);
			expect(marked(after, owner)).toBe(after);
		}
		expect(marked("ask Bo", owner)).toBe(`ask Bo\n[holdfast ${owner}]`);
		expect(marked("note\n[holdfast x/y/role/z]", owner)).toBe(`note\n[holdfast ${owner}]`);
	});

	test("is not what merely looks alike", () => {
		for (const comment of [null, "", "[holdfast]", "[holdfast a] b", "holdfast a", "[holdfast a b]"])
			expect(ownerIn(comment)).toBeUndefined();
	});

	test("lets only what is ours be dropped", () => {
		expect(planRemoval("role a", undefined, owner)).toEqual({ kind: "nothing" });
		expect(planRemoval("role a", { comment: marked("x", owner) }, owner)).toEqual({ kind: "drop" });
		for (const comment of [null, marked(null, "other")])
			expect(planRemoval("role a", { comment }, owner)).toMatchObject({ kind: "leave" });
	});
});

describe("settings", () => {
	const sqls = (found: Record<string, string>, desired: Record<string, string>) =>
		planSettings('ROLE "a"', found, desired).map(({ sql }) => sql);

	test("are set and reset until they are exactly as declared", () => {
		expect(sqls({ work_mem: "1MB", jit: "off" }, { work_mem: "2MB", "app.t": "it's" })).toEqual([
			'ALTER ROLE "a" RESET "jit"',
			`ALTER ROLE "a" SET "work_mem" TO '2MB'`,
			`ALTER ROLE "a" SET "app"."t" TO 'it''s'`,
		]);
		expect(sqls({ DateStyle: "ISO" }, { datestyle: "ISO" })).toEqual([]);
		expect(sqls({ work_mem: "1MB" }, { work_mem: "1024kB" })).toHaveLength(1);
	});

	test("that are lists of names are compared and written as such", () => {
		expect(sqls({ search_path: '"$user", app' }, { search_path: '"$user",App' })).toEqual([]);
		expect(sqls({}, { search_path: '"$user", app, "A, b"' })).toEqual([
			`ALTER ROLE "a" SET "search_path" TO '$user', 'app', 'A, b'`,
		]);
		expect(sqls({}, { search_path: "" })).toEqual([`ALTER ROLE "a" SET "search_path" TO ''`]);
		expect(sameSettings({ search_path: '""' }, { search_path: "" })).toBe(true);
		expect(sameSettings({ search_path: "a, b" }, { search_path: "b, a" })).toBe(false);
	});
});
