import { marked } from "../../../runtime/postgres/objectLedger.ts";
import { type DesiredRole, type FoundRole, planRole } from "../../../runtime/postgres/roles.ts";

const ledger = "local/pg0/role/app";
const desired: DesiredRole = {
	...{ role: "app", login: true, superuser: false, createdb: false, createrole: false, inherit: true },
	...{ replication: false, bypassrls: false, connectionLimit: -1, memberOf: [], settings: {}, adopt: false },
	...{ ledger, version: 180_000, grantor: "postgres" },
};
const found: FoundRole = {
	...{ login: true, superuser: false, createdb: false, createrole: false, inherit: true, replication: false },
	...{ bypassrls: false, connectionLimit: -1, validUntil: null, memberOf: [], settings: {} },
	comment: marked(null, ledger),
};
const sqls = (before: FoundRole | undefined, wanted: Partial<DesiredRole>) => {
	const plan = planRole(before, { ...desired, ...wanted });
	return plan.kind === "create" || plan.kind === "update" ? plan.statements.map(({ sql }) => sql) : plan.kind;
};

test("a new role gets its ledger entry before anything else, and no more rights than declared", () => {
	expect(sqls(undefined, { role: 'a"b', verifier: "SCRAM-SHA-256$x" })).toEqual([
		'CREATE ROLE "a""b"',
		`COMMENT ON ROLE "a""b" IS '[holdfast ${ledger}]'`,
		'ALTER ROLE "a""b" LOGIN',
		`ALTER ROLE "a""b" PASSWORD 'SCRAM-SHA-256$x'`,
	]);
	expect(sqls(undefined, { login: false, inherit: false, connectionLimit: 3 })).toContain(
		'ALTER ROLE "app" NOINHERIT CONNECTION LIMIT 3',
	);
});

test("a role that is as declared needs nothing, however a time is written", () => {
	expect(planRole(found, desired)).toEqual({ kind: "nothing" });
	const until = { ...found, validUntil: Date.UTC(2030, 0, 1) };
	expect(planRole(until, { ...desired, validUntil: "2030-01-01T02:00:00+02:00" })).toEqual({ kind: "nothing" });
	expect(sqls(until, {})).toEqual([`ALTER ROLE "app" VALID UNTIL 'infinity'`]);
});

test("only what differs is changed, and what a log shows has no password in it", () => {
	expect(sqls({ ...found, superuser: true, createdb: true }, { replication: true })).toEqual([
		'ALTER ROLE "app" NOSUPERUSER NOCREATEDB REPLICATION',
	]);
	expect(sqls(found, { verifier: null })).toEqual(['ALTER ROLE "app" PASSWORD NULL']);
	const plan = planRole(found, { ...desired, verifier: "SCRAM-SHA-256$secret" });
	expect(plan).toMatchObject({ kind: "update", statements: [{ what: "password" }] });
	expect(planRole({ ...found, comment: null }, { ...desired, adopt: true })).toMatchObject({
		statements: [{ what: "ledger" }],
	});
});

test("somebody else's role is refused unless it is to be adopted", () => {
	for (const comment of [null, "of Bo", marked(null, "other/pg0/role/app")]) {
		const theirs = { ...found, comment };
		expect(planRole(theirs, desired)).toMatchObject({
			kind: "refuse",
			code: "HF_FOREIGN",
			why: expect.stringContaining("role app"),
		});
		expect(sqls(theirs, { adopt: true })).toEqual([
			expect.stringMatching(/^COMMENT ON ROLE "app" IS '(of Bo\n)?\[holdfast local/),
		]);
	}
});

describe("memberships", () => {
	const row = { role: "readers", admin: false, inherit: true, set: true, grantor: "postgres" };
	const old = { role: "readers", admin: false };

	test("are granted with all their options, and changed when one differs", () => {
		const grant = 'GRANT "readers" TO "app" WITH ADMIN false, INHERIT true, SET true';
		expect(sqls(found, { memberOf: [{ role: "readers" }] })).toEqual([grant]);
		expect(sqls({ ...found, memberOf: [row] }, { memberOf: [{ role: "readers" }] })).toBe("nothing");
		expect(sqls({ ...found, memberOf: [{ ...row, admin: true }] }, { memberOf: [{ role: "readers" }] })).toEqual([
			grant,
		]);
		const inherit = { ...found, inherit: false, memberOf: [row] };
		expect(sqls(inherit, { inherit: false, memberOf: [{ role: "readers" }] })).toEqual([
			grant.replace("INHERIT true", "INHERIT false"),
		]);
		expect(sqls(inherit, { inherit: false, memberOf: [{ role: "readers", inherit: true }] })).toBe("nothing");
	});

	test("that are not declared are revoked, and those that somebody else granted replaced", () => {
		expect(sqls({ ...found, memberOf: [row] }, {})).toEqual(['REVOKE "readers" FROM "app" GRANTED BY "postgres"']);
		expect(
			sqls({ ...found, memberOf: [row, { ...row, grantor: "boss" }] }, { memberOf: [{ role: "readers" }] }),
		).toEqual(['REVOKE "readers" FROM "app" GRANTED BY "boss"']);
	});

	test("have an admin option only, before PostgreSQL 16", () => {
		const before = { version: 150_000 };
		const is = { ...found, memberOf: [old] };
		expect(sqls(found, { ...before, memberOf: [{ role: "readers", admin: true }] })).toEqual([
			'GRANT "readers" TO "app" WITH ADMIN OPTION',
		]);
		expect(sqls(is, { ...before, memberOf: [{ role: "readers" }] })).toBe("nothing");
		expect(sqls(is, before)).toEqual(['REVOKE "readers" FROM "app"']);
		expect(
			sqls({ ...found, memberOf: [{ ...old, admin: true }] }, { ...before, memberOf: [{ role: "readers" }] }),
		).toEqual(['REVOKE ADMIN OPTION FOR "readers" FROM "app"']);
		for (const option of [{ inherit: true }, { set: true }])
			expect(planRole(found, { ...desired, ...before, memberOf: [{ role: "readers", ...option }] })).toMatchObject({
				kind: "refuse",
				code: "HF_SETTING",
			});
	});
});
