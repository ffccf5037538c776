import { databaseSchema, roleSchema } from "../../../runtime/postgres/objectArguments.ts";
import { database, role } from "../../support/postgresObjects.ts";

const roleProblems = (more: object) =>
	(roleSchema.safeParse({ ...role("app"), ...more }).error?.issues ?? []).map(({ message }) => message);
const databaseProblems = (more: object) =>
	(databaseSchema.safeParse({ ...database("shop"), ...more }).error?.issues ?? []).map(({ message }) => message);
const grant = (more: object) =>
	databaseProblems({ grants: [{ role: "reader", on: "tables", schema: "app", privileges: ["SELECT"], ...more }] });

test("names may be anything of 1 to 63 bytes", () => {
	for (const name of ["a b", "$'\"\\`\n%", "é".repeat(31), "constructor", "Public"]) {
		expect(roleProblems({ role: name })).toEqual([]);
		expect(databaseProblems({ database: name })).toEqual([]);
	}
	for (const name of ["", "é".repeat(32), "a\0b", "\ud800"]) {
		expect(roleProblems({ role: name })).toHaveLength(1);
		expect(databaseProblems({ database: name })).toHaveLength(1);
	}
	for (const name of ["public", "none", "pg_me"])
		expect(roleProblems({ role: name })).toEqual([expect.stringContaining("PostgreSQL's own")]);
	expect(databaseProblems({ database: "template1" })).toHaveLength(1);
});

test("a role has a password if and only if it logs in, and no message shows it", () => {
	expect(roleProblems({ login: false })).toHaveLength(1);
	expect(roleProblems({ password: undefined })).toHaveLength(1);
	expect(roleProblems({ login: false, password: undefined })).toEqual([]);
	expect(roleProblems({ password: "" })).toHaveLength(1);
	expect(JSON.stringify(roleProblems({ password: "hidden\0one" }))).not.toContain("hidden");
});

test("settings, times and memberships are checked before anything is changed", () => {
	expect(roleProblems({ settings: { work_mem: "1MB", "app.tenant": "x", DateStyle: "ISO" } })).toEqual([]);
	for (const settings of [
		{ "work mem": "1" },
		{ "": "1" },
		{ "a;b": "1" },
		{ work_mem: "1\0" },
		{ work_mem: "1", Work_Mem: "2" },
	])
		expect(roleProblems({ settings })).toHaveLength(1);
	expect(roleProblems({ validUntil: "2030-01-01T00:00:00+02:00" })).toEqual([]);
	for (const validUntil of ["2030-01-01", "tomorrow", "infinity"]) expect(roleProblems({ validUntil })).toHaveLength(1);
	expect(roleProblems({ memberOf: [{ role: "a" }, { role: "a", admin: true }] })).toEqual(["role a is listed twice"]);
	expect(roleProblems({ connectionLimit: -2 })).toHaveLength(1);
});

test("grants that PostgreSQL has not are refused", () => {
	for (const more of [
		{},
		{ privileges: [] },
		{ privileges: ["ALL"] },
		{ privileges: ["MAINTAIN"] },
		{ objects: ["a"] },
		{ forRole: "owner" },
		{ forRole: "owner", schema: undefined },
		{ on: "database", schema: undefined, privileges: ["CONNECT"] },
		{ on: "schema", schema: undefined, forRole: "owner", privileges: ["USAGE"] },
		{ role: "public", on: "routines", privileges: [] },
	])
		expect({ more, problems: grant(more) }).toEqual({ more, problems: [] });
	for (const more of [
		{ privileges: ["EXECUTE"] },
		{ privileges: ["select"] },
		{ schema: undefined },
		{ on: "database", privileges: ["CONNECT"] },
		{ on: "database", schema: undefined, forRole: "owner", privileges: ["CONNECT"] },
		{ on: "schema", forRole: "owner", privileges: ["USAGE"] },
		{ objects: ["a"], forRole: "owner" },
		{ on: "routines", objects: ["f"], privileges: ["EXECUTE"] },
		{ objects: [] },
		{ role: "public", grantable: true },
	])
		expect({ more, problems: grant(more).length }).toEqual({ more, problems: 1 });
});
