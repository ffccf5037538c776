import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import fc from "fast-check";
import { connectTo, endSession } from "../../runtime/postgres/connect.ts";
import { MAX_NAME_BYTES, quoteIdentifier, quoteLiteral } from "../../runtime/postgres/identifiers.ts";
import { verifies } from "../../runtime/postgres/scram.ts";
import { findWritable, withWritable } from "../../runtime/postgres/writable.ts";
import { toolPath } from "../../runtime/tools.ts";
import { killedAt, Resource, role, sent } from "../support/postgresObjects.ts";
import { PostgresServer, supportedVersions } from "../support/postgresServer.ts";

const seed = Number(process.env.HOLDFAST_SEED) || Date.now() % 2 ** 31;

/** Any character but NUL, the quoting ones more often than others. */
const char = fc.oneof(fc.constantFrom(..."'\"\\`$%\n ,{}ª"), fc.string({ unit: "binary", minLength: 1, maxLength: 1 }));
const text = fc.array(char, { minLength: 1, maxLength: 15 }).map((chars) => chars.join("").replaceAll("\0", "0"));
const NASTY = "$HOME ' \" \\ `id` %s\n;--é😀";
const LONGEST = `${"é".repeat(31)}x`;

const home = mkdtempSync(join(tmpdir(), "holdfast-roles-"));
afterAll(() => rmSync(home, { recursive: true }));

describe.each(supportedVersions())("roles on PostgreSQL %s", (version) => {
	let server: PostgresServer;
	beforeAll(async () => {
		server = await PostgresServer.start(version, home);
	});
	afterAll(() => server?.stop());

	const version16 = Number(version) >= 16;
	const found = async (name: string) =>
		(
			await server.sql<{ xmin: string; rolpassword: string }>("SELECT xmin, * FROM pg_authid WHERE rolname = $1", [
				name,
			])
		)[0];
	const login = (user: string, password: string) => server.as({ user, password }, "postgres", async () => {});
	const comment = async (name: string) => {
		const sql = "SELECT shobj_description(oid, 'pg_authid') AS comment FROM pg_authid WHERE rolname = $1";
		return (await server.sql<{ comment: string }>(sql, [name]))[0]?.comment;
	};

	test("names and texts are quoted as the server does it", async () => {
		await server.as(server.superuser, "postgres", (client) =>
			fc.assert(
				fc.asyncProperty(text, async (value) => {
					const sql = `SELECT format('%I', $1::text) AS name, ${quoteLiteral(value)} AS literal, (parse_ident(${quoteLiteral(quoteIdentifier(value))}))[1] AS parsed`;
					const { rows } = await client.query(sql, [value]);
					expect([value, quoteIdentifier(value)]).toContain(rows[0].name);
					expect(rows[0]).toMatchObject({ literal: value, parsed: value });
					const short = [...value].slice(0, MAX_NAME_BYTES / 4).join("");
					const { fields } = await client.query(`SELECT 1 AS ${quoteIdentifier(short)}`);
					expect(fields[0]!.name).toBe(short);
				}),
				{ seed, numRuns: 200 },
			),
		);
	});

	test("the server's verifier of a password is ours, whatever the password", async () => {
		await server.as(server.superuser, "postgres", async (client) => {
			await client.query("CREATE ROLE hashed");
			const password = fc.oneof(
				text,
				text.map((value) => `ﬁ${value}ª`),
				text.map((value) => `א${value}ﬡ`),
			);
			await fc.assert(
				fc.asyncProperty(password, async (value) => {
					await client.query(`ALTER ROLE hashed PASSWORD ${quoteLiteral(value)}`);
					const { rows } = await client.query("SELECT rolpassword FROM pg_authid WHERE rolname = 'hashed'");
					expect(await verifies(rows[0].rolpassword, value)).toBe(true);
				}),
				{ seed, numRuns: 60 },
			);
		});
	});

	test("any name and any password works, and no password or verifier is in the server's log", async () => {
		for (const [name, password] of [
			[NASTY, `pw${NASTY}`],
			[LONGEST, "ﬁªⅨ­"],
			["constructor", "'; DROP ROLE postgres; --"],
		] as const) {
			const made = await new Resource(role(name, { password })).up();
			await login(name, password);
			const psql = join(dirname(await toolPath("postgres", version)), "psql");
			const env = { ...process.env, PGUSER: name, PGPASSWORD: password, PGDATABASE: "postgres", PGHOST: "127.0.0.1" };
			const args = ["-XAtp", String(server.address.port), "-c", "SELECT current_user"];
			expect((await promisify(execFile)(psql, args, { env })).stdout).toBe(`${name}\n`);
			await expect(login(name, `${password}x`)).rejects.toThrow(/password authentication failed/);
			const ours = readFileSync(join(home, server.access.stack, "holdfast.log"), "utf8");
			for (const log of [server.log, ours]) expect(log).not.toContain(password);
			expect(ours).not.toContain("SCRAM");
			expect(await made.drift()).toEqual({});
			await made.down();
			expect(await found(name)).toBeUndefined();
		}
		expect(server.log).not.toContain("SCRAM-SHA-256$");
	});

	test("a password that few drivers send alike works with libpq", async () => {
		const password = "😀ª";
		const made = await new Resource(role("odd", { password })).up();
		const psql = join(dirname(await toolPath("postgres", version)), "psql");
		const env = { ...process.env, PGUSER: "odd", PGPASSWORD: password, PGHOST: "127.0.0.1" };
		const args = ["-XAtp", String(server.address.port), "-d", "postgres", "-c", "SELECT 1"];
		expect((await promisify(execFile)(psql, args, { env })).stdout).toBe("1\n");
		await made.down();
	});

	test("what is as declared is not touched; a rotation changes the verifier and nothing else", async () => {
		const app = await new Resource(
			role("app", {
				settings: { search_path: '"$user", App, "a b"', work_mem: "65536kB", "app.tenant": "x,y" },
				validUntil: "2090-01-01T00:00:00+02:00",
			}),
		).up();
		const before = await found("app");
		const statements = await sent(() => app.up({ generation: 2 }));
		expect(statements.filter((sql) => /^(ALTER|CREATE|COMMENT|GRANT|REVOKE)/.test(sql))).toEqual([]);
		expect(await found("app")).toEqual(before);
		expect(await app.drift()).toEqual({});
		await app.up({ password: "another", generation: 3 });
		await login("app", "another");
		await expect(login("app", "pw of app")).rejects.toThrow();
		const { rolpassword: _, xmin: __, ...rest } = (await found("app"))!;
		expect(before).toMatchObject(rest);
		expect(
			await server.as(
				{ user: "app", password: "another" },
				"postgres",
				async (client) => (await client.query("SHOW search_path")).rows,
			),
		).toEqual([{ search_path: '"$user", app, "a b"' }]);
	});

	test("a change by hand shows as drift, and up repairs exactly it", async () => {
		await server.sql("CREATE ROLE groupa; ");
		await server.sql("CREATE ROLE groupb");
		const app = await new Resource(
			role("drifting", { memberOf: [{ role: "groupa", admin: true }], settings: { work_mem: "1MB" } }),
		).up();
		expect(await app.drift()).toEqual({});
		for (const [change, drift] of [
			["ALTER ROLE drifting CREATEDB", { createdb: true }],
			[
				"ALTER ROLE drifting SUPERUSER NOINHERIT",
				version16 ? expect.objectContaining({ superuser: true, inherit: false }) : { superuser: true, inherit: false },
			],
			["ALTER ROLE drifting CONNECTION LIMIT 5", { connectionLimit: 5 }],
			["ALTER ROLE drifting VALID UNTIL '2001-01-01 00:00:00+00'", { validUntil: "2001-01-01T00:00:00.000Z" }],
			["ALTER ROLE drifting PASSWORD 'other'", { password: "" }],
			["ALTER ROLE drifting PASSWORD NULL", { password: "" }],
			["ALTER ROLE drifting SET work_mem TO '2MB'", { settings: { work_mem: "2MB" } }],
			["ALTER ROLE drifting SET statement_timeout TO 5", { settings: { work_mem: "1MB", statement_timeout: "5" } }],
			["ALTER ROLE drifting RESET ALL", { settings: {} }],
			["GRANT groupb TO drifting", { memberOf: [{ role: "groupa", admin: true }, { role: "groupb" }] }],
			["REVOKE ADMIN OPTION FOR groupa FROM drifting", { memberOf: [{ role: "groupa" }] }],
			["REVOKE groupa FROM drifting", { memberOf: [] }],
			["COMMENT ON ROLE drifting IS NULL", { ledger: "" }],
		] as const) {
			await server.sql(change);
			expect({ change, drift: await app.drift() }).toEqual({ change, drift });
			await app.up(change.startsWith("COMMENT") ? { adopt: true } : {});
			expect({ change, drift: await app.drift() }).toEqual({ change, drift: {} });
		}
		await server.sql("DROP ROLE drifting");
		expect(await app.drift()).toBeUndefined();
		await app.up();
		expect(await app.drift()).toEqual({});
	});

	test("memberships carry their options where the server has them, and are refused where it has not", async () => {
		await server.sql("CREATE ROLE reader");
		const member = new Resource(
			role("member", { memberOf: [{ role: "reader", inherit: false, set: true, admin: false }] }),
		);
		if (!version16) {
			await expect(member.up()).rejects.toThrow(/^HF_SETTING: role member .* before PostgreSQL 16/);
			expect(await found("member")).toBeUndefined();
			return;
		}
		await member.up();
		const options = () =>
			server.sql(
				"SELECT admin_option, inherit_option, set_option, pg_get_userbyid(grantor) AS by FROM pg_auth_members WHERE member = 'member'::regrole",
			);
		expect(await options()).toEqual([{ admin_option: false, inherit_option: false, set_option: true, by: "postgres" }]);
		expect(await member.drift()).toEqual({});
		await member.up({ memberOf: [{ role: "reader", set: false }] });
		expect(await options()).toEqual([{ admin_option: false, inherit_option: true, set_option: false, by: "postgres" }]);
		// What another role with the admin option granted besides is replaced by what is declared.
		await server.sql(
			"CREATE ROLE boss; GRANT reader TO boss WITH ADMIN OPTION; SET ROLE boss; GRANT reader TO member WITH SET TRUE; RESET ROLE",
		);
		expect(await options()).toHaveLength(2);
		expect(Object.keys((await member.drift())!)).toEqual(["memberOf"]);
		await member.up();
		expect(await options()).toEqual([{ admin_option: false, inherit_option: true, set_option: false, by: "postgres" }]);
	});

	test("somebody else's role is refused, adopted by name with its comment kept, and left in place", async () => {
		await server.sql("CREATE ROLE theirs CREATEDB; COMMENT ON ROLE theirs IS 'ask Bo\nfirst'");
		const theirs = new Resource(role("theirs"));
		await expect(theirs.up()).rejects.toThrow(/^HF_FOREIGN: role theirs .* belongs to somebody else/);
		expect(await found("theirs")).toMatchObject({ rolcreatedb: true, rolpassword: null, rolcanlogin: false });
		await theirs.up({ adopt: true });
		expect(await comment("theirs")).toBe("ask Bo\nfirst\n[holdfast objects/pg0/role/theirs]");
		await login("theirs", "pw of theirs");
		const stranger = new Resource(role("theirs", { access: { stack: "objects", cluster: "pg0" } }));
		await server.sql("COMMENT ON ROLE theirs IS '[holdfast other/pg0/role/theirs]'");
		await expect(stranger.up()).rejects.toThrow(/belongs to other\/pg0\/role\/theirs/);
		const said = jest.spyOn(console, "log").mockImplementation(() => {});
		await theirs.down();
		expect(said).toHaveBeenCalledWith(expect.stringContaining("left in place"));
		said.mockRestore();
		expect(await found("theirs")).toBeDefined();
		await expect(new Resource(role("postgres", { adopt: true })).up()).rejects.toThrow(/^HF_FOREIGN: .*own superuser/);
	});

	test("a role without login has no password", async () => {
		const group = await new Resource(role("group1", { login: false })).up();
		expect(await found("group1")).toMatchObject({ rolcanlogin: false, rolpassword: null });
		await server.sql("ALTER ROLE group1 PASSWORD 'x'");
		expect(Object.keys((await group.drift())!)).toEqual(["password"]);
		await group.up();
		expect(await found("group1")).toMatchObject({ rolpassword: null });
	});

	test("is dropped only when it owns nothing; what it was granted anywhere is taken back, its sessions end", async () => {
		const app = await new Resource(role("leaving")).up();
		for (const name of ["db1", "db2"]) await server.sql(`CREATE DATABASE ${name}`);
		await server.sql("GRANT CREATE ON SCHEMA public TO leaving", [], "db1");
		await server.sql("SET ROLE leaving; CREATE TABLE kept (id int); INSERT INTO kept VALUES (1)", [], "db1");
		await server.sql(
			"CREATE TABLE shared (id int); GRANT SELECT ON shared TO leaving; ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO leaving",
			[],
			"db2",
		);
		await server.sql("GRANT CONNECT ON DATABASE db2 TO leaving");
		// DROP OWNED leaves alone what somebody with a grant option granted.
		await server.sql(
			"CREATE ROLE lender; GRANT SELECT ON shared TO lender WITH GRANT OPTION; SET ROLE lender; GRANT SELECT ON shared TO leaving",
			[],
			"db2",
		);
		await expect(app.down()).rejects.toThrow(
			/^HF_UNSAFE: role leaving is not dropped: it still owns in database db1: table public.kept/,
		);
		expect(await server.sql("SELECT * FROM kept", [], "db1")).toEqual([{ id: 1 }]);
		await login("leaving", "pw of leaving");
		await server.sql("REASSIGN OWNED BY leaving TO postgres", [], "db1");
		const session = await connectTo(server.address, { user: "leaving", password: "pw of leaving" });
		await app.down();
		expect(await found("leaving")).toBeUndefined();
		await expect(session.query("SELECT 1")).rejects.toThrow();
		await endSession(session);
		expect(await server.sql("SELECT * FROM kept", [], "db1")).toEqual([{ id: 1 }]);
		expect(await server.sql("SELECT relname FROM pg_class WHERE relname = 'shared'", [], "db2")).toHaveLength(1);
	});

	test("is not dropped while a database that it owns something in is closed", async () => {
		const app = await new Resource(role("locked")).up();
		await server.sql("CREATE DATABASE closed");
		await server.sql("CREATE TABLE t (id int); GRANT SELECT ON t TO locked", [], "closed");
		await server.sql("ALTER DATABASE closed ALLOW_CONNECTIONS false");
		await expect(app.down()).rejects.toThrow(/^HF_UNSAFE: .*closed, which allows no connections/);
		await server.sql("ALTER DATABASE closed ALLOW_CONNECTIONS true");
		await app.down();
	});

	test("a run killed at any of its statements neither orphans a role nor half-makes one", async () => {
		for (let nth = 0, killed = true; killed; nth++) {
			const name = `killed ${nth}`;
			const inputs = role(name, { memberOf: [{ role: "pg_monitor" }], settings: { work_mem: "1MB" } });
			killed = await killedAt(nth, () => new Resource(inputs).up());
			const left = await found(name);
			if (left) expect(await comment(name)).toBe(`[holdfast objects/pg0/role/${encodeURIComponent(name)}]`);
			const made = await new Resource(inputs).up();
			expect(await made.drift()).toEqual({});
			if (!killed) expect(nth).toBeGreaterThan(8);
		}
	});

	test("a missing role to be a member of leaves nothing behind", async () => {
		await expect(new Resource(role("lonely", { memberOf: [{ role: "nobody" }] })).up()).rejects.toThrow(
			/^HF_REJECTED: .*role lonely \(join nobody\): role "nobody" does not exist/,
		);
		expect(await found("lonely")).toBeUndefined();
	});

	test("the writable member is found without Patroni, with any of the logins that works", async () => {
		const { hosts } = server.record;
		const wrong = { ...server.superuser, password: "wrong" };
		expect(await findWritable({ hosts }, [wrong, server.superuser])).toBe(hosts[0]);
		await expect(findWritable({ hosts }, [wrong])).rejects.toThrow(/^HF_CREDENTIALS/);
		expect(await findWritable({ hosts })).toBeUndefined();
		let runs = 0;
		const answer = await withWritable({ hosts }, [wrong, server.superuser], async (client) => {
			if (++runs === 1) await client.query("SELECT pg_terminate_backend(pg_backend_pid())");
			return (await client.query("SELECT 1 AS one")).rows[0];
		});
		expect([answer, runs]).toEqual([{ one: 1 }, 2]);
	});

	test("a cluster that is down loses nothing", async () => {
		const app = await new Resource(role("afar")).up();
		const { writeRecord } = await import("../../runtime/access.ts");
		const dead = { ...server.record, hosts: server.record.hosts.map((member) => ({ ...member, port: 1 })) };
		await writeRecord(server.access, dead);
		try {
			expect(await app.drift()).toEqual({});
		} finally {
			await writeRecord(server.access, server.record);
		}
	});
});
