import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { localHost } from "../../runtime/platform/local.ts";
import { told } from "../support/canaries.ts";
import { PatroniUnderTest, programs, psql } from "../support/patroni.ts";
import { summaryOf, TestStack } from "../support/stack.ts";

jest.setTimeout(300_000);

/** Whatever a shell, YAML, SQL, a pgpass file or a connection string could stumble over. */
const nasty = (name: string) => `${name} $HOME ' " \\ \`id\` %s : @ / #é`;
const given = {
	...{ superuser: nasty("one"), replication: nasty("two"), rewind: nasty("three") },
	lines: `first\n${nasty("second")}\n`,
};
/** PostgreSQL takes no more than this in the name of who owns its extensions. */
const SUPERUSER = "boss `id` %s : @ / #é";
const APP = nasty("app");
const DATABASE = nasty("orders");
let stack: TestStack;
let cluster: PatroniUnderTest;
const slots = [0, 1, 2];

beforeAll(async () => {
	stack = await TestStack.createPostgres("pglife", {
		...{ superuser: SUPERUSER, replicationUser: nasty("copier"), rewindUser: nasty("rewinder") },
		roles: { [APP]: {}, lines: { database: DATABASE } },
		databases: { [DATABASE]: { owner: APP } },
	});
	cluster = new PatroniUnderTest(stack);
	await stack.must("preview");
	for (const [name, value] of Object.entries(given)) await stack.give(`postgres.${name}`, value);
	process.env.HOLDFAST_HOME = stack.home;
});
afterAll(() => TestStack.destroyAll());

/** Runs `up` until it hangs at a failpoint, and kills it with all that it started. */
async function killedAt(failpoint: string): Promise<void> {
	const mark = join(stack.home, "failpoint");
	const child = stack.start({ HOLDFAST_FAILPOINT: failpoint }, "up");
	let said = "";
	for (const stream of [child.stdout!, child.stderr!])
		stream.on("data", (chunk) => {
			said += chunk;
		});
	for (const end = Date.now() + 180_000; !existsSync(mark); await sleep(50))
		if (Date.now() > end || child.exitCode !== null) throw new Error(`up did not reach ${failpoint}: ${said}`);
	const gone = new Promise((resolve) => child.once("exit", resolve));
	process.kill(-child.pid!, "SIGKILL");
	process.kill(Number(readFileSync(mark, "utf8").split(" ")[0]), "SIGKILL");
	await gone;
}

test("up that was killed before the state knew of the cluster goes on; a second up changes nothing", async () => {
	await killedAt("postgres/passwords");
	const { systemIdentifier } = cluster.record;
	const pid = cluster.postmaster(0);
	const { stdout } = await stack.must("up");
	expect(stdout).toContain("whole: 3 member(s), leader pg0-0");
	expect([cluster.postmaster(0), cluster.record.systemIdentifier]).toEqual([pid, systemIdentifier]);
	expect(told(stdout, given)).toEqual([]);
	const second = await stack.must("up", "--json");
	expect([summaryOf(second.stdout), second.stdout.match(/"diffs":\[[^\]]+\]/)]).toEqual([
		{ same: expect.any(Number) },
		null,
	]);
});

test("every form of connect works, whatever roles and passwords are; passwords are shown when asked for only", async () => {
	const recovery = "SELECT current_user || ' ' || pg_is_in_recovery()";
	const connection = (form: string) => stack.connection("postgres", SUPERUSER, form);
	expect(await psql(stack, await connection("uri"), recovery)).toBe(`${SUPERUSER} false`);
	expect(await psql(stack, await connection("readonly"), recovery)).toBe(`${SUPERUSER} true`);
	const who = "SELECT current_user || ' ' || current_database()";
	expect(await psql(stack, await stack.connection("postgres", APP), who)).toBe(`${APP} postgres`);
	expect(await psql(stack, await stack.connection("postgres", "lines"), who)).toBe(`lines ${DATABASE}`);
	expect(await stack.connection("postgres", "lines", "pgpass")).toBe("");
	const hosts = cluster.servers(3).map(({ host, port }) => `${host}:${port}`);
	expect(await connection("jdbc")).toMatch(`jdbc:postgresql://${hosts.join()}/postgres?targetServerType=primary`);
	const file = join(stack.home, "pgpass");
	writeFileSync(file, await connection("pgpass"), { mode: 0o600 });
	for (const { host, port } of cluster.servers(3)) {
		const to = `host=${host} port=${port} dbname=postgres user='${SUPERUSER}'`;
		const where = await psql(stack, to, "SELECT host(inet_server_addr()) || ':' || inet_server_port()", {
			PGPASSFILE: file,
		});
		expect(where).toBe(`${host}:${port}`);
	}
	rmSync(file);
	for (const form of ["uri", "readonly", "jdbc", "pgpass"]) {
		const { stdout } = await stack.must("connect", "postgres", "--form", form, "--user", SUPERUSER);
		expect([form, told(stdout, given), stdout.includes("$HOME")]).toEqual([form, [], false]);
	}
	const { code, stderr } = await stack.holdfast("connect", "postgres", "--form", "odbc");
	expect([code, stderr]).toEqual([2, expect.stringMatching(/HF_USAGE: there is no form odbc: uri, readonly/)]);
});

test("preview of what is there shows nothing, and talks to no member", async () => {
	const preload = join(stack.home, "connections.cjs");
	const log = join(stack.home, "connections");
	writeFileSync(
		preload,
		`const { Socket } = require("node:net");
		const { connect } = Socket.prototype;
		Socket.prototype.connect = function (...args) {
			const [{ host }] = Array.isArray(args[0]) ? args[0] : args;
			if (/^127\\.0\\.1\\./.test(host)) require("node:fs").appendFileSync(${JSON.stringify(log)}, host + "\\n");
			return connect.apply(this, args);
		};`,
	);
	const watched = async (...args: string[]) => {
		writeFileSync(log, "");
		const child = stack.start({ NODE_OPTIONS: `--require=${preload}` }, ...args);
		let said = "";
		for (const stream of [child.stdout!, child.stderr!])
			stream.on("data", (chunk) => {
				said += chunk;
			});
		const code = await new Promise((resolve) => child.once("close", resolve));
		return { code, said, connections: readFileSync(log, "utf8").split("\n").length - 1 };
	};
	const { code, said, connections } = await watched("preview");
	expect({ code, connections, said }).toEqual({
		code: 0,
		connections: 0,
		said: expect.stringMatching(/\d+ unchanged/),
	});
	expect(said).not.toMatch(/^ *[-+~]/m);
	// Whoever does talk to members is seen.
	expect((await watched("refresh")).connections).toBeGreaterThan(0);
});

test("exported state holds no secret, no path of this machine, and nothing undefined", async () => {
	const { stdout } = await stack.pulumi("stack", "export");
	const { restapi, etcdRoot } = cluster.record;
	expect(told(stdout, { ...given, rest: restapi.password, etcd: etcdRoot! })).toEqual([]);
	// Where a resource stands in the program is Pulumi's own note, and the provider's text is the same everywhere.
	const { resources } = JSON.parse(stdout).deployment as { resources: { inputs?: object; outputs?: object }[] };
	const said = JSON.stringify(
		resources.map(({ inputs, outputs }) => [inputs, outputs]),
		(key, value) => (key === "__provider" ? "" : value),
	);
	for (const text of [stack.home, programs(stack), process.cwd(), "undefined"]) expect(said).not.toContain(text);
	expect(said).toContain("pg0-2");
});

test("status and switchover: the named member leads afterwards; what does not exist is refused", async () => {
	await stack.must("switchover", "pg0", "pg0-1");
	expect(await cluster.leader()).toBe("pg0-1");
	await stack.whole();
	const { stdout } = await stack.must("switchover", "pg0", "--json");
	expect(JSON.parse(stdout)).toEqual({ from: "pg0-1", to: await cluster.leader() });
	await stack.whole();
	const timeline = await cluster.timeline();
	expect(timeline).toBe(3);
	for (const [args, pattern] of [
		[["pg0", "pg0-7"], /HF_USAGE: cluster pg0 has no member pg0-7: pg0-0, pg0-1, pg0-2/],
		[["pg0", "pg0"], /HF_USAGE: cluster pg0 has no member pg0/],
		[["pg1"], /HF_USAGE: stack pglife-[\d-]+ has no PostgreSQL cluster pg1: pg0/],
		[["pg0", (await cluster.leader())!], /HF_USAGE: pg0-\d leads already/],
	] as const) {
		const { code, stderr } = await stack.holdfast("switchover", ...args);
		expect([code, stderr]).toEqual([2, expect.stringMatching(pattern)]);
	}
	expect(await cluster.timeline()).toBe(timeline);
	expect(await cluster.status()).toMatchObject({
		...{ name: "pg0", durability: "quorum", healthy: true, timeline, version: expect.stringMatching(/^18\./) },
		systemIdentifier: cluster.record.systemIdentifier,
		members: slots.map((slot) => ({
			member: `pg0-${slot}`,
			address: `127.0.1.${1 + slot}:${stack.basePort + slot}`,
			role: expect.stringMatching(/^(leader|quorum_standby)$/),
			etcd: expect.stringMatching(/^(leader|follower)$/),
		})),
	});
});

test("what was changed by hand shows as drift on refresh, and up repairs it", async () => {
	await cluster.patch({ ttl: 25, postgresql: { parameters: { work_mem: "7MB" } } });
	for (const name of ["copier", "rewinder"]) {
		const role = nasty(name).replaceAll('"', '""');
		await cluster.sql(`ALTER ROLE "${role}" PASSWORD 'by hand'`);
	}
	const leader = await cluster.leader();
	const slot = slots.find((one) => `pg0-${one}` !== leader)!;
	await localHost(stack.name).stop(`pg0-${slot}`);
	expect((await stack.holdfast("status")).code).toBe(4);
	const { stdout } = await stack.must("refresh");
	expect(stdout).toMatch(/ttl\s*: 20 => 25/);
	expect(stdout).toMatch(/work_mem: "2MB" => "7MB"/);
	expect(stdout).toMatch(/run: "running" => "stopped"/);
	expect(stdout).toMatch(/~ replication: \{\s+~ password: \[secret\] => \[secret\]/);
	expect(stdout).toMatch(/~ rewind\s*: \{\s+~ password: \[secret\] => \[secret\]/);
	expect(told(stdout, given)).toEqual([]);
	await stack.must("up");
	expect(await cluster.shown("work_mem")).toEqual(["2MB", "2MB", "2MB"]);
	expect((await stack.must("status")).stdout).toContain("whole: 3 member(s)");
	await stack.must("refresh");
	expect(await stack.changes()).toEqual({ same: expect.any(Number) });
});

test("destroy is refused while protected; down needs the stack's name, and leaves no process, port or folder", async () => {
	const { code, stdout, stderr } = await stack.pulumi("destroy", "--yes", "--skip-preview");
	expect([code === 0, stdout + stderr]).toEqual([false, expect.stringMatching(/protect/)]);
	const refused = await stack.holdfast("down");
	expect([refused.code, refused.stderr]).toEqual([4, expect.stringMatching(/HF_PROTECTED: down deletes .* of pg0/)]);
	expect((await stack.holdfast("status")).code).toBe(0);
	const { stdout: status } = await stack.must("status", "--json");
	const processes = JSON.parse(status).clusters[0].processes.flatMap(
		(member: { processes: { pid: number }[] }) => member.processes,
	);
	const pids = [...processes.map(({ pid }: { pid: number }) => pid), ...cluster.postmasters(3)];
	expect(pids).toHaveLength(12);
	await stack.must("down", "--delete-data", stack.name);
	expect(pids.filter((pid) => existsSync(`/proc/${pid}`))).toEqual([]);
	for (let port = stack.basePort; port < stack.basePort + 20; port++) await bindable(port);
	expect(existsSync(join(stack.home, stack.name))).toBe(false);
	await stack.must("down", "--delete-data", stack.name);
});

/** Fails where somebody listens on the port, at whatever address. */
const bindable = (port: number) =>
	new Promise<void>((resolve, reject) => {
		const server = createServer().once("error", reject);
		server.listen(port, "0.0.0.0", () => server.close(() => resolve()));
	});
