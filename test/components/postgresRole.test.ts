import * as pulumi from "@pulumi/pulumi";
import { PostgresDatabase } from "../../components/postgres/database.ts";
import type { PostgresReference } from "../../components/postgres/objects.ts";
import { PostgresRole, type PostgresRoleArgs } from "../../components/postgres/role.ts";
import { Secret } from "../../components/secret.ts";
import { databaseSchema, roleSchema } from "../../runtime/postgres/objectArguments.ts";
import { known, only, underMocks } from "../support/mocks.ts";

const ROLE = "pulumi-nodejs:dynamic/postgres:Role";
const DATABASE = "pulumi-nodejs:dynamic/postgres:Database";
const SECRET = "pulumi-nodejs:dynamic/secret:Secret";

/** Any resource stands for the cluster's membership. */
const cluster = (more: Partial<PostgresReference> = {}): PostgresReference => ({
	access: { stack: "demo", cluster: "main" },
	hosts: [
		{ host: "10.0.0.1", port: 5432 },
		{ host: "fd00::2", port: 5433 },
	],
	membership: new Secret("main", { name: "x", source: { kind: "given", value: "x" } }),
	...more,
});
const role = (name: string, args: Partial<PostgresRoleArgs> = {}, more: Partial<PostgresReference> = {}) =>
	underMocks(() => new PostgresRole(name, { cluster: cluster(more), ...args }));

test("makes a password and a role with least rights that waits for the cluster and is deleted with it", async () => {
	const { resources } = await role("app", { memberOf: ["readers", { role: "pg_monitor", admin: true }] });
	const made = only(resources, ROLE, "app");
	expect(made.inputs).toEqual({
		...{ access: { stack: "demo", cluster: "main" }, role: "app", login: true, inherit: true, connectionLimit: -1 },
		...{ createdb: false, createrole: false, replication: false, bypassrls: false, superuser: false, adopt: false },
		...{ memberOf: [{ role: "readers" }, { role: "pg_monitor", admin: true }], settings: {}, generation: 1 },
		password: "value+of/main/role/app",
		__provider: expect.anything(),
	});
	const { __provider: _, ...inputs } = made.inputs;
	expect(roleSchema.safeParse(inputs).error).toBeUndefined();
	expect([made.secrets, made.deletedWith, made.protect, made.parent]).toEqual([["password"], "main", false, "app"]);
	expect(made.after).toEqual(expect.arrayContaining(["main", "main-role-app"]));
	expect(only(resources, SECRET, "main-role-app").parent).toBe("app");
});

test("connection strings hold any name and password, name every member, and are secret", async () => {
	const password = "@:/%\"' $?#&=+ü)(*!\n\\`";
	const given = { kind: "given", value: password } as const;
	const { result, resources } = await role("o'dd @:/%$ ü", { password: given, defaultDatabase: "work flows" });
	const { value, secret } = await known(result.uri!);
	expect(secret).toBe(true);
	const [, user, pass, hosts, database, query] = /^postgresql:\/\/([^:@/]+):([^:@/]+)@([^/]+)\/([^?]+)\?(.*)$/.exec(
		value,
	)!;
	expect([user, pass, database].map((part) => decodeURIComponent(part!))).toEqual([
		"o'dd @:/%$ ü",
		password,
		"work flows",
	]);
	expect(hosts).toBe("10.0.0.1:5432,[fd00::2]:5433");
	expect(Object.fromEntries(new URLSearchParams(query))).toMatchObject({ target_session_attrs: "read-write" });
	expect(query).not.toContain("ssl");
	expect((await known(result.readOnlyUri!)).value).toContain("target_session_attrs=prefer-standby");
	expect((await known(result.readOnlyUri!)).secret).toBe(true);
	expect((await known(result.password!)).secret).toBe(true);
	expect(result.jdbcUrl).toBe(
		"jdbc:postgresql://10.0.0.1:5432,[fd00::2]:5433/work%20flows?targetServerType=primary&connectTimeout=3&tcpKeepAlive=true",
	);
	expect("generation" in only(resources, ROLE, "o'dd @:/%$ ü").inputs).toBe(false);
});

test("with TLS they verify the server, with the CA's file where the client has it", async () => {
	const ca = () => pulumi.output("-----BEGIN CERTIFICATE-----");
	const { result } = await role("app", { rootCert: "/etc/pg/ca.pem" }, { ca: ca() });
	expect((await known(result.uri!)).value).toMatch(/sslmode=verify-full&sslrootcert=%2Fetc%2Fpg%2Fca.pem/);
	expect(result.jdbcUrl).toContain("sslmode=verify-full");
});

test("a role that does not log in has no password and no connection strings", async () => {
	const { result, resources } = await role("readers", { login: false });
	expect([result.uri, result.password, result.jdbcUrl, result.readOnlyUri]).toEqual([
		undefined,
		undefined,
		undefined,
		undefined,
	]);
	const { __provider: _, ...inputs } = only(resources, ROLE, "readers").inputs;
	expect(inputs).not.toHaveProperty("password");
	expect(inputs).not.toHaveProperty("generation");
	expect(roleSchema.safeParse(inputs).error).toBeUndefined();
	expect(resources.filter(({ name }) => name === "main-role-readers")).toEqual([]);
});

test("a raised generation shows in the role, and reaches the secret", async () => {
	const { resources } = await role("app", { password: { kind: "generated", generation: 4 } });
	expect(only(resources, ROLE, "app").inputs.generation).toBe(4);
	expect(only(resources, SECRET, "main-role-app").inputs.source).toMatchObject({ generation: 4 });
});

test("a database belongs to the cluster, keeps its data by default, and waits for the roles that it depends on", async () => {
	const { resources } = await underMocks(() => {
		const on = cluster();
		const app = new PostgresRole("app", { cluster: on });
		const grants = [{ role: app.role, on: "schema" as const, schema: "jobs", privileges: ["USAGE" as const] }];
		return new PostgresDatabase(
			"shop",
			{ cluster: on, owner: app.role, schemas: { jobs: {} }, grants },
			{ dependsOn: app },
		);
	});
	const database = only(resources, DATABASE, "shop");
	const { __provider: _, ...inputs } = database.inputs;
	expect(inputs).toMatchObject({
		database: "shop",
		owner: "app",
		dropOnDelete: false,
		allowConnections: true,
		adopt: false,
	});
	expect(databaseSchema.safeParse(inputs).error).toBeUndefined();
	expect([database.deletedWith, database.protect]).toEqual(["main", false]);
	expect(database.after).toContain("app");
});
