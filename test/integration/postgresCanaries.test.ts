import { randomBytes } from "node:crypto";
import { statSync } from "node:fs";
import { join } from "node:path";
import { openToOthers } from "../support/canaries.ts";
import { PatroniUnderTest } from "../support/patroni.ts";
import { TestStack } from "../support/stack.ts";
import { WatchedStack } from "../support/watchedStack.ts";

jest.setTimeout(300_000);

const random = () => randomBytes(12).toString("hex");
/** Whatever the rest becomes in a file of whatever form, the random part stays as it is: that is what is searched. */
const special = (core: string) => `p@ss:/%"' $\\\`ü${core}`;
const roles = { given: {}, made: {} };
const system = ["superuser", "replication", "rewind"];

let stack: TestStack;
let cluster: PatroniUnderTest;
let watched: WatchedStack;

async function give(name: string, end = ""): Promise<void> {
	const core = random();
	await watched.give(`postgres.${name}`, special(core) + end, core);
}

beforeAll(async () => {
	stack = await TestStack.createPostgres("pgcanary", { members: 2, roles });
	cluster = new PatroniUnderTest(stack);
	watched = new WatchedStack(stack);
	await watched.must("preview");
	for (const name of [...system, "given"]) await give(name);
	await watched.must("up");
});
afterAll(async () => {
	watched.close();
	await TestStack.destroyAll();
});

test("the scanner finds what may be known, and all that exists was collected", async () => {
	const names = await watched.expectAllFound();
	expect(names.filter((name) => /^pg0-(restapi|etcd|etcd-root|role-made|.*made.*) /.test(name))).toHaveLength(4);
	const { stdout } = await watched.run(["connect", "postgres", "--reveal"]);
	expect(watched.told(stdout)).toHaveLength(3);
});

test("rotations, refused passwords, drift, a switchover and a restart, with the processes watched", async () => {
	for (const name of [...system, "given"]) await give(name);
	watched.configure("postgres", (postgres) => {
		postgres.roles = { given: {}, made: { generation: 2 } };
		postgres.maxConnections = 50;
	});
	await watched.must("preview");
	await watched.must("up", "--json");
	await watched.must("switchover", "pg0");
	await stack.whole();
	await watched.collect();
	const before = Object.keys(watched.canaries).length;
	await give("superuser", "\rline");
	const { code, stdout } = await watched.kept("up");
	expect([code === 0, stdout]).toEqual([
		false,
		expect.stringMatching(/secrets\.postgres\.superuser: must not contain/),
	]);
	await give("superuser");
	await cluster.sql("ALTER ROLE replicator PASSWORD 'by hand'");
	for (const args of [
		["refresh"],
		["up"],
		["status"],
		["status", "--json"],
		["connect", "postgres"],
		["connect", "postgres", "--form", "pgpass"],
		["connect", "postgres", "--form", "readonly", "--json"],
		["env"],
	])
		await watched.must(...args);
	await watched.must("pulumi", "stack", "export");
	await watched.must("pulumi", "stack", "history", "--full-dates");
	await watched.must("pulumi", "config");
	expect(Object.keys(watched.canaries)).toHaveLength(before + 2);
});

test("no command printed a secret", () => watched.expectNonePrinted(14));

test("files hold secrets only where they are needed, and there for their owner alone", () => {
	const found = watched.files();
	const record = `${stack.name}/clusters/pg0.json`;
	const member = (slot: number, file: string) => `${stack.name}/members/pg0-${slot}/${file}`;
	const own = [0, 1].flatMap((slot) => [member(slot, "live/patroni/50-secrets.yml"), member(slot, "run/pgpass")]);
	expect(Object.keys(found).sort()).toEqual([record, ...own, "passphrase"].sort());
	const latest = (what: string) => Object.keys(watched.canaries).findLast((name) => name.startsWith(what));
	const current = [...system.map((name) => `given ${name} `), "pg0-restapi ", "pg0-etcd "].map(latest).sort();
	for (const slot of [0, 1]) {
		expect(found[member(slot, "live/patroni/50-secrets.yml")]!.sort()).toEqual(current);
		expect(found[member(slot, "run/pgpass")]).toEqual([latest("given replication ")]);
	}
	expect(found[record]!.sort()).toEqual(
		[latest("given superuser "), latest("pg0-restapi "), latest("pg0-etcd-root ")].sort(),
	);
	watched.expectPrivate(Object.keys(found));
});

test("nobody else can look into what belongs to the stack", () => {
	for (const folder of [".", "state", stack.name, `${stack.name}/members/pg0-0`, `${stack.name}/clusters`])
		expect([folder, statSync(join(stack.home, folder)).mode & 0o777]).toEqual([folder, 0o700]);
	for (const slot of [0, 1]) expect(openToOthers(cluster.folder(slot))).toEqual([]);
	expect(openToOthers(join(stack.home, stack.name, "clusters"))).toEqual([]);
});

test("no process had a secret in its arguments or its environment", () =>
	watched.expectNoneInProcesses([
		"etcd\0--config-file",
		"guard.sh",
		"patroni.py\0",
		"pg_basebackup",
		"postgres\0-D",
		"pulumi\0up",
	]));

test("down leaves no secret behind", () => watched.expectNoneLeft());
