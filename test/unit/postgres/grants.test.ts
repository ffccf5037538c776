import fc from "fast-check";
import { type AclItem, covers, foundGrant, planGrants, type Target } from "../../../runtime/postgres/grants.ts";
import { GRANT_KINDS, privilegesOf } from "../../../runtime/postgres/grantsPrivileges.ts";
import type { Grant } from "../../../runtime/postgres/objectArguments.ts";

const seed = Number(process.env.HOLDFAST_SEED) || Date.now() % 2 ** 31;
const VERSION = 180_000;
const item = (grantee: string, privilege: string, more: Partial<AclItem> = {}): AclItem => ({
	...{ grantor: "owner", grantee, privilege, grantable: false },
	...more,
});
const table = (name: string, acl: AclItem[] = []): Target => ({
	...{ on: "tables", schema: "app", name, sql: `app.${name}`, owner: "owner", acl },
});
const read: Grant = { role: "reader", on: "tables", schema: "app", privileges: ["SELECT"] };
const sqls = (targets: Target[], desired: Grant[], previous: Grant[] = []) =>
	planGrants(targets, desired, previous, VERSION).map(({ sql }) => sql);

test("what is missing is granted, objects and privileges together", () => {
	const both: Grant = { ...read, privileges: ["SELECT", "INSERT"] };
	expect(sqls([table("a"), table("b")], [both])).toEqual(['GRANT INSERT, SELECT ON TABLE app.a, app.b TO "reader"']);
	expect(sqls([table("a", [item("reader", "SELECT")]), table("b")], [read])).toEqual([
		'GRANT SELECT ON TABLE app.b TO "reader"',
	]);
	expect(sqls([table("a")], [{ ...read, privileges: ["ALL"] }])).toEqual([
		`GRANT ${[...privilegesOf("tables")].sort().join(", ")} ON TABLE app.a TO "reader"`,
	]);
});

test("declarations that overlap add up on each object", () => {
	const more: Grant = { ...read, objects: ["b"], privileges: ["UPDATE"], grantable: true };
	expect(sqls([table("a"), table("b")], [read, more])).toEqual([
		'GRANT SELECT ON TABLE app.a, app.b TO "reader"',
		'GRANT UPDATE ON TABLE app.b TO "reader" WITH GRANT OPTION',
	]);
});

test("revoked is what a declared role has beyond, and what was declared before; of others nothing", () => {
	const acl = [
		item("reader", "SELECT"),
		item("reader", "DELETE"),
		item("stranger", "DELETE"),
		item("public", "SELECT"),
	];
	expect(sqls([table("a", acl)], [read])).toEqual(['REVOKE DELETE ON TABLE app.a FROM "reader"']);
	expect(sqls([table("a", acl)], [], [read])).toEqual(['REVOKE DELETE, SELECT ON TABLE app.a FROM "reader"']);
	expect(sqls([table("a", acl)], [], [])).toEqual([]);
	expect(sqls([table("a", acl)], [], [{ ...read, objects: ["b"] }])).toEqual([]);
	expect(sqls([table("a", [item("reader", "SELECT", { grantable: true })])], [read])).toEqual([
		'REVOKE GRANT OPTION FOR SELECT ON TABLE app.a FROM "reader"',
	]);
});

test("everybody is a word, never a role's name, and an owner is left alone", () => {
	const everybody: Grant = { role: "public", on: "database", privileges: [] };
	const target: Target = {
		on: "database",
		sql: "db",
		owner: "owner",
		acl: [item("public", "CONNECT"), item("owner", "CREATE")],
	};
	expect(sqls([target], [everybody, { ...everybody, role: "owner" }])).toEqual([
		"REVOKE CONNECT ON DATABASE db FROM PUBLIC",
	]);
});

test("what somebody else granted is revoked in that role's name", () => {
	expect(sqls([table("a", [item("reader", "SELECT", { grantor: 'le"nder' })])], [{ ...read, privileges: [] }])).toEqual(
		['SET LOCAL ROLE "le""nder"', 'REVOKE SELECT ON TABLE app.a FROM "reader"', "SET LOCAL ROLE NONE"],
	);
});

test("defaults are of one role's future objects, in one schema or all", () => {
	const future: Grant = { ...read, forRole: "owner" };
	const target = (more: Partial<Target>): Target => ({
		on: "tables",
		sql: "",
		forRole: "owner",
		owner: "owner",
		acl: [],
		...more,
	});
	expect(sqls([target({ schema: "app" }), table("a")], [future])).toEqual([
		'ALTER DEFAULT PRIVILEGES FOR ROLE "owner" IN SCHEMA "app" GRANT SELECT ON TABLES TO "reader"',
	]);
	const { schema: _, ...everywhere } = { ...future, role: "public", on: "routines" as const, privileges: [] };
	expect(sqls([target({ on: "routines", acl: [item("public", "EXECUTE")] })], [everywhere])).toEqual([
		'ALTER DEFAULT PRIVILEGES FOR ROLE "owner" REVOKE EXECUTE ON ROUTINES FROM PUBLIC',
	]);
});

test("thousands of objects are named in batches", () => {
	const statements = sqls(
		Array.from({ length: 1200 }, (_, i) => table(`t${i}`)),
		[read],
	);
	expect(statements.map((sql) => sql.split("app.").length - 1)).toEqual([500, 500, 200]);
});

test("a declaration as it is: what every object has, and what none declares", () => {
	const grants: Grant[] = [read, { ...read, objects: ["b"], privileges: ["INSERT"], grantable: true }];
	const targets = [
		table("a", [item("reader", "SELECT")]),
		table("b", [item("reader", "SELECT"), item("reader", "INSERT", { grantable: true })]),
	];
	expect(grants.map((grant) => foundGrant(grant, grants, targets, VERSION))).toEqual(grants);
	expect(foundGrant(read, grants, [...targets, table("c")], VERSION)).toEqual({ ...read, privileges: [] });
	const extra = table("c", [item("reader", "SELECT", { grantable: true }), item("reader", "TRIGGER")]);
	expect(foundGrant(read, grants, [...targets, extra], VERSION)).toEqual({
		...read,
		privileges: ["SELECT", "TRIGGER"],
		grantable: true,
	});
});

/** Carries out GRANT and REVOKE as a server would, for plain names. */
function apply(targets: readonly Target[], sql: string): Target[] {
	const [, future, verb, option, privileges, what, role, grantable] =
		/^(ALTER DEFAULT PRIVILEGES .*? )?(GRANT|REVOKE) (GRANT OPTION FOR )?(.*?) ON (.*?) (?:TO|FROM) (\S+)( WITH GRANT OPTION)?$/.exec(
			sql,
		)!;
	const grantee = role === "PUBLIC" ? "public" : role!.slice(1, -1);
	const names = what!.replace(/^\w+ /, "").split(", ");
	const meant = (target: Target) =>
		future
			? target.forRole !== undefined &&
				what ===
					`${{ schema: "SCHEMA", tables: "TABLE", sequences: "SEQUENCE", routines: "ROUTINE", types: "TYPE", database: "" }[target.on]}S` &&
				future.includes("IN SCHEMA") === (target.schema !== undefined)
			: target.forRole === undefined && names.includes(target.sql);
	return targets.map((target) => {
		if (!meant(target)) return target;
		const list = privileges!.split(", ");
		const rest = target.acl.filter((one) => one.grantee !== grantee || !list.includes(one.privilege));
		if (verb === "REVOKE" && !option) return { ...target, acl: rest };
		return {
			...target,
			acl: [...rest, ...list.map((privilege) => item(grantee, privilege, { grantable: grantable !== undefined }))],
		};
	});
}

test(`once carried out, nothing is left to do, and nobody else has lost or won anything (seed ${seed})`, () => {
	const role = fc.constantFrom("reader", "writer", "public", "owner");
	const kinds = GRANT_KINDS.flatMap((on): Target[] => {
		const schema = on === "database" ? {} : { schema: "app" };
		const objects = ["a", "b"].map((name) => ({ on, ...schema, name, sql: `${on}_${name}`, owner: "owner", acl: [] }));
		const general = { on, sql: "", owner: "owner", forRole: "owner", acl: [] };
		return on === "database" || on === "schema"
			? [objects[0]!, ...(on === "schema" ? [general] : [])]
			: [...objects, general, { ...general, ...schema }];
	});
	const acl = (on: Target["on"]) =>
		fc.uniqueArray(
			fc.record({
				grantee: fc.constantFrom("reader", "writer", "public", "stranger", "owner"),
				privilege: fc.constantFrom(...privilegesOf(on)),
				grantable: fc.boolean(),
			}),
			{
				selector: (one) => `${one.grantee} ${one.privilege}`,
			},
		);
	const targets = fc.tuple(
		...kinds.map((target) =>
			acl(target.on).map((items) => ({ ...target, acl: items.map((one) => ({ grantor: "owner", ...one })) })),
		),
	);
	const grant = fc
		.record({ role, target: fc.constantFrom(...kinds), one: fc.boolean(), mask: fc.nat(), grantable: fc.boolean() })
		.map(({ role: name, target, one, mask, grantable }): Grant => {
			const { on, schema, forRole } = target;
			const privileges = privilegesOf(on).filter((_, i) => (mask >> i) % 2 === 1);
			return {
				role: name,
				on,
				privileges,
				grantable,
				...(schema ? { schema } : {}),
				...(forRole ? { forRole } : {}),
				...(one && target.name && on === "tables" ? { objects: [target.name] } : {}),
			};
		});
	fc.assert(
		fc.property(
			targets,
			fc.array(grant, { maxLength: 6 }),
			fc.array(grant, { maxLength: 3 }),
			(before, desired, previous) => {
				const after = sqls(before, desired, previous).reduce(apply, before as Target[]);
				expect(sqls(after, desired, previous)).toEqual([]);
				for (const [i, target] of after.entries()) {
					const spoken = new Set([...desired, ...previous].filter((one) => covers(one, target)).map((one) => one.role));
					spoken.delete(target.owner);
					const others = (items: readonly AclItem[]) =>
						items
							.filter(({ grantee }) => !spoken.has(grantee))
							.map((one) => JSON.stringify(one))
							.sort();
					expect(others(target.acl)).toEqual(others(before[i]!.acl));
				}
				expect(desired.map((one) => foundGrant(one, desired, after, VERSION))).toEqual(desired);
			},
		),
		{ seed, numRuns: 300 },
	);
});
