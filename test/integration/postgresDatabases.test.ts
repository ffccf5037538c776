import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { GRANT_KINDS, type GrantKind, privilegesOf } from "../../runtime/postgres/grantsPrivileges.ts";
import type { Grant } from "../../runtime/postgres/objectArguments.ts";
import { database, killedAt, Resource, role, sent } from "../support/postgresObjects.ts";
import { PostgresServer, supportedVersions } from "../support/postgresServer.ts";

const seed = Number(process.env.HOLDFAST_SEED) || Date.now() % 2 ** 31;
const CHANGES = /^(ALTER|CREATE|COMMENT|GRANT|REVOKE|DROP)/;

const home = mkdtempSync(join(tmpdir(), "holdfast-databases-"));
afterAll(() => rmSync(home, { recursive: true }));

describe.each(supportedVersions())("databases on PostgreSQL %s", (version) => {
	let server: PostgresServer;
	/** An extension that comes with this server, its oldest version and its newest. */
	let extension: { name: string; versions: string[] };
	beforeAll(async () => {
		server = await PostgresServer.start(version, home);
		for (const name of ["owner", "reader", "writer", "w'r \"x\\"]) await new Resource(role(name)).up();
		const sql = `SELECT name, array_agg(version ORDER BY version) AS versions FROM pg_available_extension_versions
			WHERE name IN ('vector', 'pg_trgm') GROUP BY name ORDER BY count(*) DESC LIMIT 1`;
		const [found] = await server.sql<{ versions: string[]; name: string }>(sql);
		extension = { name: found!.name, versions: [found!.versions[0]!, found!.versions.at(-1)!] };
	});
	afterAll(() => server?.stop());

	const row = async (name: string) =>
		(await server.sql<Record<string, unknown>>("SELECT * FROM pg_database WHERE datname = $1", [name]))[0];
	const comment = async (name: string) =>
		(
			await server.sql<{ comment: string }>(
				"SELECT shobj_description(oid, 'pg_database') AS comment FROM pg_database WHERE datname = $1",
				[name],
			)
		)[0]?.comment;
	const drafts = () => server.sql("SELECT datname FROM pg_database WHERE datname LIKE 'holdfast draft%'");
	const may = async (user: string, sql: string, where: string) => {
		try {
			await server.as({ user, password: `pw of ${user}` }, where, (client) => client.query(sql));
			return true;
		} catch (error) {
			if (!/permission denied/.test(String(error))) throw error;
			return false;
		}
	};

	test("is made with a collation that no C library changes, with any name, and is then not touched", async () => {
		for (const name of ["plain", "d$'b\"\\`\n%s é", `${"é".repeat(31)}x`, "constructor"]) {
			const made = await new Resource(
				database(name, { owner: "owner", connectionLimit: 7, settings: { work_mem: "1MB" } }),
			).up();
			expect(await row(name)).toMatchObject({
				...{ datconnlimit: 7, datallowconn: true, datistemplate: false, encoding: 6 },
				...(Number(version) >= 17
					? { datlocprovider: "b", datlocale: "C.UTF-8" }
					: { datlocprovider: "c", datcollate: "C" }),
			});
			expect(await comment(name)).toBe(`[holdfast objects/pg0/database/${encodeURIComponent(name)}]`);
			expect(await made.drift()).toEqual({});
			expect((await sent(() => made.up())).filter((sql) => CHANGES.test(sql))).toEqual([]);
			await made.down();
			expect(await row(name)).toBeUndefined();
		}
		expect(await drafts()).toEqual([]);
	});

	test("a change by hand shows as drift, and up repairs exactly it", async () => {
		const grants: Grant[] = [
			{ role: "reader", on: "schema", schema: "app", privileges: ["USAGE"] },
			{ role: "reader", on: "tables", schema: "app", privileges: ["SELECT"] },
		];
		const { name, versions } = extension;
		const declared = database("drifting", {
			owner: "owner",
			settings: { work_mem: "1MB" },
			schemas: { app: { owner: "owner" } },
			extensions: { [name]: { version: versions[0]!, schema: "app" } },
			grants,
		});
		const made = await new Resource(declared).up();
		await server.sql("CREATE TABLE app.t (id int)", [], "drifting");
		expect(await made.drift()).toEqual({ grants: [grants[0], { ...grants[1], privileges: [] }] });
		await made.up();
		for (const [change, drift] of [
			["ALTER DATABASE drifting OWNER TO postgres", { owner: "postgres" }],
			["ALTER DATABASE drifting CONNECTION LIMIT 3", { connectionLimit: 3 }],
			["ALTER DATABASE drifting ALLOW_CONNECTIONS false", { allowConnections: false }],
			["ALTER DATABASE drifting SET work_mem TO '2MB'", { settings: { work_mem: "2MB" } }],
			["COMMENT ON DATABASE drifting IS NULL", { ledger: "" }],
		] as const) {
			await server.sql(change);
			expect({ change, drift: await made.drift() }).toEqual({ change, drift });
			await made.up({ adopt: change.startsWith("COMMENT") });
			expect({ change, drift: await made.drift() }).toEqual({ change, drift: {} });
		}
		for (const [change, drift] of [
			[`ALTER EXTENSION ${name} UPDATE`, { extensions: { [name]: { schema: "app", version: versions[1] } } }],
			[`DROP EXTENSION ${name}`, { extensions: {} }],
			["ALTER SCHEMA app OWNER TO writer", { schemas: { app: { owner: "writer" } } }],
			["REVOKE SELECT ON app.t FROM reader", { grants: [grants[0], { ...grants[1], privileges: [] }] }],
			["GRANT INSERT ON app.t TO reader", { grants: [grants[0], { ...grants[1], privileges: ["SELECT", "INSERT"] }] }],
			[
				"GRANT CREATE ON SCHEMA app TO reader WITH GRANT OPTION",
				{ grants: [{ ...grants[0], privileges: ["USAGE", "CREATE"], grantable: true }, grants[1]] },
			],
		] as const) {
			await server.sql(change, [], "drifting");
			if (change.includes("UPDATE")) {
				// There is no way back to an older version.
				expect(await made.drift()).toEqual(versions[0] === versions[1] ? {} : drift);
				await made.up({ extensions: { [name]: { version: versions[1]!, schema: "app" } } });
				continue;
			}
			expect({ change, drift: await made.drift() }).toEqual({ change, drift });
			await made.up();
			expect({ change, drift: await made.drift() }).toEqual({ change, drift: {} });
		}
		await server.sql("DROP DATABASE drifting");
		expect(await made.drift()).toBeUndefined();
		await expect(made.up()).rejects.toThrow(/^HF_DATA_LOST: database drifting is gone; nothing was created/);
		expect(await row("drifting")).toBeUndefined();
	});

	test("somebody else's database is refused, adopted by name with what is in it, and left in place", async () => {
		await server.sql("CREATE DATABASE theirs");
		await server.sql("COMMENT ON DATABASE theirs IS 'of Bo'");
		await server.sql("CREATE TABLE kept AS SELECT 1 AS id", [], "theirs");
		const before = await row("theirs");
		const theirs = new Resource(database("theirs"));
		await expect(theirs.up()).rejects.toThrow(/^HF_FOREIGN: database theirs .* belongs to somebody else/);
		expect(await row("theirs")).toEqual(before);
		expect(await drafts()).toEqual([]);
		await theirs.up({ adopt: true });
		expect(await comment("theirs")).toBe("of Bo\n[holdfast objects/pg0/database/theirs]");
		expect(await server.sql("SELECT * FROM kept", [], "theirs")).toEqual([{ id: 1 }]);
		await server.sql("COMMENT ON DATABASE theirs IS 'of Bo again'");
		const said = jest.spyOn(console, "log").mockImplementation(() => {});
		await theirs.down();
		expect(said).toHaveBeenCalledWith(expect.stringContaining("left in place"));
		said.mockRestore();
		expect(await row("theirs")).toBeDefined();
	});

	test("is not dropped unless the program said so before", async () => {
		const kept = await new Resource(database("kept", { dropOnDelete: false })).up();
		await expect(kept.down()).rejects.toThrow(
			/^HF_PROTECTED: database kept and its data are not deleted.*dropOnDelete: true/,
		);
		expect(await row("kept")).toBeDefined();
		await kept.up({ dropOnDelete: true });
		await server.as(server.superuser, "kept", async () => kept.down());
		expect(await row("kept")).toBeUndefined();
	});

	test("what it names and the server has not is refused before anything is changed", async () => {
		for (const [more, refusal] of [
			[{ owner: "nobody" }, /^HF_SETTING: role nobody, named by database refused, does not exist/],
			[{ schemas: { x: { owner: "nobody" } } }, /^HF_SETTING: role nobody/],
			[
				{ grants: [{ role: "reader", on: "tables", forRole: "nobody", privileges: ["SELECT"] }] },
				/^HF_SETTING: role nobody/,
			],
			[{ extensions: { "no such": {} } }, /^HF_SETTING: extension no such, .* is not on the server/],
			[
				{ extensions: { plpgsql: { version: "0.1" } } },
				/^HF_SETTING: version 0.1 of extension plpgsql.*use one of 1.0/,
			],
			...(Number(version) < 17
				? [
						[
							{ grants: [{ role: "reader", on: "tables", schema: "public", privileges: ["MAINTAIN"] }] },
							/^HF_SETTING: .*has no privilege MAINTAIN/,
						] as const,
					]
				: []),
		] as const) {
			await expect(new Resource(database("refused", more as object)).up()).rejects.toThrow(refusal);
			expect(await row("refused")).toBeUndefined();
		}
		for (const [grant, refusal] of [
			[
				{ role: "reader", on: "schema", schema: "none", privileges: ["USAGE"] },
				/^HF_SETTING: schema none, named by a grant on database half, does not exist/,
			],
			[
				{ role: "reader", on: "tables", schema: "public", objects: ["none"], privileges: ["SELECT"] },
				/^HF_SETTING: public.none, named by a grant on tables/,
			],
		] as const) {
			await expect(
				new Resource(database("half", { schemas: { made: {} }, grants: [grant as never] })).up(),
			).rejects.toThrow(refusal);
			expect(await server.sql("SELECT FROM pg_namespace WHERE nspname = 'made'", [], "half")).toEqual([]);
		}
		expect(await drafts()).toEqual([]);
	});

	test("extensions and schemas: those that we made go when they are declared no more, never with what needs them", async () => {
		const { name, versions } = extension;
		await server.sql("CREATE DATABASE stocked");
		await server.sql("CREATE SCHEMA older", [], "stocked");
		const stocked = new Resource(
			database("stocked", {
				adopt: true,
				extensions: { [name]: { version: versions[0]! }, plpgsql: {} },
				schemas: { older: {}, "n'w": {} },
			}),
		);
		await stocked.up();
		const installed = () =>
			server.sql(
				"SELECT extname, extversion, extnamespace::regnamespace::text AS schema FROM pg_extension ORDER BY 1",
				[],
				"stocked",
			);
		const own = { extname: name, schema: "public" };
		expect(await installed()).toContainEqual({ ...own, extversion: versions[0] });
		await stocked.up({ extensions: { [name]: { version: versions[1]! }, plpgsql: {} } });
		expect(await installed()).toContainEqual({ ...own, extversion: versions[1] });
		const described = "SELECT obj_description(oid, 'pg_extension') AS comment FROM pg_extension WHERE extname = $1";
		expect(await server.sql(described, [name], "stocked")).toEqual([
			{ comment: expect.stringMatching(/^\w[^[]*\n\[holdfast objects\/pg0\/database\/stocked\]$/) },
		]);
		await server.sql(`CREATE FUNCTION "n'w".f() RETURNS int LANGUAGE sql AS 'SELECT 1'`, [], "stocked");
		await expect(stocked.up({ schemas: {} })).rejects.toThrow(
			/^HF_UNSAFE: .*database stocked \(drop schema n'w\).*function .*f\(\) depends on schema/,
		);
		await server.sql(`DROP FUNCTION "n'w".f()`, [], "stocked");
		await stocked.up({ schemas: {}, extensions: {} });
		expect(await installed()).toEqual([expect.objectContaining({ extname: "plpgsql" })]);
		expect(
			await server.sql(
				"SELECT nspname FROM pg_namespace WHERE nspname !~ '^(pg_|information)' ORDER BY 1",
				[],
				"stocked",
			),
		).toEqual([{ nspname: "older" }, { nspname: "public" }]);
	});

	test("while no connections are allowed the inside is left alone", async () => {
		const closed = await new Resource(database("closed", { allowConnections: false, schemas: { app: {} } })).up();
		expect(await row("closed")).toMatchObject({ datallowconn: false });
		expect(await closed.drift()).toEqual({});
		await closed.up({ schemas: { app: {}, more: {} } });
		await closed.up({ allowConnections: true });
		expect(await closed.drift()).toEqual({});
		expect(
			await server.sql("SELECT nspname FROM pg_namespace WHERE nspname IN ('app', 'more') ORDER BY 1", [], "closed"),
		).toEqual([{ nspname: "app" }, { nspname: "more" }]);
	});

	// The statements are the same on every version: one is enough for what takes a database each.
	(version === supportedVersions()[0] ? test : test.skip)(
		"a run killed at any of its statements neither orphans a database nor steals one",
		async () => {
			const grants: Grant[] = [{ role: "public", on: "database", privileges: [] }];
			for (let nth = 0, killed = true; killed; nth++) {
				const name = `killed ${nth}`;
				const inputs = database(name, { owner: "owner", schemas: { app: {} }, grants });
				killed = await killedAt(nth, () => new Resource(inputs).up());
				const [left, [draft]] = [await row(name), await drafts()];
				if (left) expect(await comment(name)).toMatch(/^\[holdfast objects\/pg0\//);
				expect([left, draft]).toContain(undefined);
				const made = await new Resource(inputs).up();
				expect(await made.drift()).toEqual({});
				expect(await drafts()).toEqual([]);
				if (!killed) expect(nth).toBeGreaterThan(15);
				await made.down();
			}
		},
	);

	test("the draft of a killed run gives way to a database that somebody made meanwhile", async () => {
		const mine = new Resource(database("raced"));
		for (let nth = 0; (await drafts()).length === 0; nth++)
			await killedAt(nth, () => new Resource(database("raced")).up());
		await server.sql("CREATE DATABASE raced");
		await expect(mine.up()).rejects.toThrow(/^HF_FOREIGN: database raced/);
		await mine.up({ adopt: true });
		expect(await drafts()).toEqual([]);
	});

	describe("grants", () => {
		const NAME = "granted";
		let granted: Resource<ReturnType<typeof database>>;
		beforeAll(async () => {
			granted = await new Resource(database(NAME, { owner: "owner", schemas: { app: { owner: "owner" } } })).up();
			await server.sql(
				`SET ROLE owner; CREATE TABLE app.t (id int); CREATE VIEW app.v AS SELECT 1; CREATE TABLE app."T'x" (id serial);
				CREATE FUNCTION app.f(int, text[]) RETURNS int LANGUAGE sql AS 'SELECT 1'; CREATE PROCEDURE app.p() LANGUAGE sql AS 'SELECT 1';
				CREATE AGGREGATE app.a(int) (sfunc = int4pl, stype = int); CREATE TYPE app.e AS ENUM ('x'); CREATE DOMAIN app.d AS int;
				CREATE TYPE app.c AS (x int)`,
				[],
				NAME,
			);
		});

		test("give exactly what is declared, and take back what no longer is, for the roles that are declared", async () => {
			await server.sql("GRANT SELECT ON app.t TO writer; GRANT USAGE ON SCHEMA app TO writer", [], NAME);
			const grants: Grant[] = [
				{ role: "public", on: "database", privileges: [] },
				{ role: "reader", on: "database", privileges: ["CONNECT"] },
				{ role: "reader", on: "schema", schema: "app", privileges: ["USAGE"] },
				{ role: "reader", on: "tables", schema: "app", privileges: ["SELECT"] },
				{ role: "reader", on: "tables", schema: "app", objects: ["T'x"], privileges: ["INSERT"], grantable: true },
				{ role: "reader", on: "sequences", schema: "app", privileges: ["USAGE"] },
				{ role: "public", on: "routines", schema: "app", privileges: [] },
				{ role: "w'r \"x\\", on: "tables", schema: "app", privileges: ["ALL"] },
			];
			await granted.up({ grants });
			expect(await granted.drift()).toEqual({});
			expect((await sent(() => granted.up())).filter((sql) => CHANGES.test(sql))).toEqual([]);
			expect(await may("reader", "SELECT * FROM app.t, app.v", NAME)).toBe(true);
			expect(await may("reader", "INSERT INTO app.t VALUES (1)", NAME)).toBe(false);
			expect(await may("reader", `INSERT INTO app."T'x" DEFAULT VALUES`, NAME)).toBe(true);
			expect(await may("reader", "SELECT app.f(1, NULL)", NAME)).toBe(false);
			expect(await may("writer", "SELECT 1", NAME)).toBe(false);
			await granted.up({ grants: [{ role: "reader", on: "database", privileges: ["CONNECT"] }] });
			expect(await may("reader", "SELECT * FROM app.t", NAME)).toBe(false);
			const items = await server.sql(
				"SELECT DISTINCT grantee::regrole::text AS role FROM pg_class, aclexplode(relacl) WHERE relnamespace = 'app'::regnamespace AND grantee <> relowner ORDER BY 1",
				[],
				NAME,
			);
			expect(items).toEqual([{ role: "writer" }]);
			await granted.up({ grants: [] });
			expect(await may("reader", "SELECT 1", NAME)).toBe(false);
		});

		test("on what a role makes in future", async () => {
			const grants: Grant[] = [
				{ role: "reader", on: "database", privileges: ["CONNECT"] },
				{ role: "reader", on: "schema", schema: "app", privileges: ["USAGE"] },
				{ role: "reader", on: "tables", schema: "app", forRole: "owner", privileges: ["SELECT"] },
				{ role: "reader", on: "sequences", forRole: "owner", privileges: ["USAGE", "SELECT"] },
				{ role: "public", on: "routines", forRole: "owner", privileges: [] },
				{ role: "public", on: "types", forRole: "owner", privileges: [] },
				{ role: "writer", on: "schema", forRole: "owner", privileges: ["USAGE"], grantable: true },
			];
			await granted.up({ grants });
			expect(await granted.drift()).toEqual({});
			expect((await sent(() => granted.up())).filter((sql) => CHANGES.test(sql))).toEqual([]);
			await server.sql(
				"SET ROLE owner; CREATE TABLE app.future (id int); CREATE FUNCTION app.later() RETURNS int LANGUAGE sql AS 'SELECT 1'",
				[],
				NAME,
			);
			expect(await may("reader", "SELECT * FROM app.future", NAME)).toBe(true);
			expect(await may("reader", "SELECT app.later()", NAME)).toBe(false);
			await granted.up({ grants: grants.slice(0, 2) });
			await server.sql("SET ROLE owner; CREATE TABLE app.after (id int)", [], NAME);
			expect(await may("reader", "SELECT * FROM app.after", NAME)).toBe(false);
			expect(
				await server.sql("SELECT defaclobjtype FROM pg_default_acl WHERE defaclobjtype NOT IN ('f', 'T')", [], NAME),
			).toEqual([]);
		});

		test("what somebody with a grant option gave a declared role is taken back, too", async () => {
			const grants: Grant[] = [
				{ role: "writer", on: "tables", schema: "app", objects: ["t"], privileges: ["SELECT"], grantable: true },
				{ role: "writer", on: "schema", schema: "app", privileges: ["USAGE"] },
				{ role: "writer", on: "database", privileges: ["CONNECT"] },
				{ role: "reader", on: "tables", schema: "app", objects: ["t"], privileges: [] },
			];
			await granted.up({ grants });
			await server.sql(
				"SET ROLE writer; GRANT SELECT ON app.t TO reader; RESET ROLE; CREATE ROLE other; SET ROLE writer; GRANT SELECT ON app.t TO other",
				[],
				NAME,
			);
			expect(await granted.drift()).toEqual({
				grants: [...grants.slice(0, 3), { ...grants[3], privileges: ["SELECT"] }],
			});
			await granted.up();
			expect(await granted.drift()).toEqual({});
			const grantees = await server.sql(
				"SELECT grantee::regrole::text AS role FROM pg_class, aclexplode(relacl) WHERE relname = 't' AND grantee <> relowner ORDER BY 1",
				[],
				NAME,
			);
			expect(grantees).toEqual([{ role: "other" }, { role: "writer" }]);
			await expect(granted.up({ grants: grants.slice(1) })).rejects.toThrow(/^HF_UNSAFE: .*dependent privileges exist/);
			await server.sql("SET ROLE writer; REVOKE SELECT ON app.t FROM other; RESET ROLE; DROP ROLE other", [], NAME);
			await granted.up({ grants: [] });
		});

		test("of any sort: after up, nothing is left to do", async () => {
			const names = fc.constantFrom("reader", "writer", "public", "w'r \"x\\");
			const grant = fc
				.record({
					role: names,
					on: fc.constantFrom(...GRANT_KINDS),
					future: fc.boolean(),
					general: fc.boolean(),
					grantable: fc.boolean(),
					mask: fc.nat(),
				})
				.map(({ role, on, future, general, grantable, mask }): Grant => {
					const privileges = privilegesOf(on as GrantKind, Number(version) * 10_000).filter(
						(_, i) => (mask >> i) % 2 === 1,
					);
					const later = future && on !== "database";
					const schema = on === "database" || (later && (general || on === "schema")) ? {} : { schema: "app" };
					return {
						role,
						on,
						privileges,
						...schema,
						...(later ? { forRole: "owner" } : {}),
						...(grantable && role !== "public" ? { grantable } : {}),
					};
				});
			const lists = fc.uniqueArray(grant, {
				maxLength: 6,
				selector: ({ role, on, forRole, schema }) => JSON.stringify([role, on, forRole, schema]),
			});
			await fc.assert(
				fc.asyncProperty(lists, async (grants) => {
					await granted.up({ grants });
					expect(await granted.drift()).toEqual({});
					expect((await sent(() => granted.up())).filter((sql) => CHANGES.test(sql))).toEqual([]);
				}),
				{ seed, numRuns: 15 },
			);
		});
	});
});
