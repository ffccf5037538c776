import { symlinkSync } from "node:fs";
import { join } from "node:path";
import { long } from "../support/long.ts";
import { PatroniUnderTest, prepareWriter, programs, psql, underWriters } from "../support/patroni.ts";
import type { PostgresReport } from "../support/postgresWriters.ts";
import { TestStack } from "../support/stack.ts";

jest.setTimeout(300_000);

let stack: TestStack;
let cluster: PatroniUnderTest;

beforeAll(async () => {
	stack = await TestStack.createPostgres("pgchange");
	cluster = new PatroniUnderTest(stack);
	await stack.must("up");
	await prepareWriter(cluster);
});
afterAll(() => TestStack.destroyAll());

const setting = async (parameter: string) => [...new Set(await cluster.shown(parameter))];
const changed = (before: number[]) => cluster.postmasters(3).filter((pid, slot) => pid !== before[slot]).length;

/** `up` with changed settings under writers, which loses nothing. */
async function changeUnderWriters(change: Record<string, unknown>): Promise<PostgresReport> {
	stack.configurePostgres(change);
	const report = await underWriters(cluster, { from: 3 }, async () => void (await stack.must("up")));
	const { errors, longestGapMs, acknowledged } = report;
	console.info(
		`${Object.keys(change)}: ${acknowledged.length} rows, ${errors.length} failed writes, longest gap ${longestGapMs} ms`,
	);
	return report;
}

const inLongForm: typeof test | (() => void) = long ? test : () => {};

test("passwords of superuser, replication and rewind rotate by generation without a failed write", async () => {
	const { superuser, systemIdentifier } = cluster.record;
	const pids = cluster.postmasters(3);
	const old = await stack.connection("postgres", "postgres");
	const verifiers = async () =>
		(await cluster.sql("SELECT rolname, rolpassword FROM pg_authid WHERE rolname !~ '^(pg_|writer)' ORDER BY 1")).map(
			({ rolpassword }) => rolpassword,
		);
	const before = await verifiers();
	expect(before).toHaveLength(3);
	const generations = { superuserGeneration: 2, replicationGeneration: 2, rewindGeneration: 2 };
	const { errors } = await changeUnderWriters(generations);
	expect(errors).toEqual([]);
	const after = await verifiers();
	expect(after.filter((verifier) => before.includes(verifier))).toEqual([]);
	expect(cluster.record.superuser.password).not.toBe(superuser.password);
	expect(cluster.record.previousSuperuser).toBeUndefined();
	await expect(psql(stack, old, "SELECT 1")).rejects.toThrow(/password authentication failed/);
	expect(await psql(stack, await stack.connection("postgres", "postgres"), "SELECT 1")).toBe("1");
	expect([changed(pids), cluster.record.systemIdentifier]).toEqual([0, systemIdentifier]);
	// A standby logs in again with the new password only.
	await cluster.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_replication");
	await stack.whole();
	expect(await cluster.sql("SELECT count(*)::int FROM pg_stat_replication WHERE state = 'streaming'")).toEqual([
		{ count: 2 },
	]);
	expect(await stack.changes()).toEqual({ same: expect.any(Number) });
});

test("what a reload takes up reaches every member without a restart, and leaves when it is no longer declared", async () => {
	const pids = cluster.postmasters(3);
	const standard = await setting("work_mem");
	const timeline = await cluster.timeline();
	const archiveCommand = "test ! -f /nonexistent/%f && true '$HOME' %%";
	const { errors } = await changeUnderWriters({
		archiveCommand,
		parameters: { work_mem: "9MB" },
		durability: "strict",
	});
	expect(errors).toEqual([]);
	expect([await setting("work_mem"), await setting("archive_command")]).toEqual([["9MB"], [archiveCommand]]);
	expect(await cluster.status()).toMatchObject({ durability: "strict", healthy: true });
	await changeUnderWriters({ archiveCommand: undefined, parameters: {}, durability: "async" });
	expect([await setting("work_mem"), await setting("archive_command")]).toEqual([standard, ["true"]]);
	expect(await cluster.sql("SHOW synchronous_standby_names")).toEqual([{ synchronous_standby_names: "" }]);
	await changeUnderWriters({ durability: "sync" });
	expect(await cluster.sql("SELECT count(*)::int FROM pg_stat_replication WHERE sync_state = 'sync'")).toEqual([
		{ count: 1 },
	]);
	expect([changed(pids), await cluster.timeline()]).toEqual([0, timeline]);
});

test("what needs a restart restarts one member after another, the leader last after a switchover", async () => {
	const pids = cluster.postmasters(3);
	const leader = await cluster.leader();
	const timeline = await cluster.timeline();
	stack.configurePostgres({ maxConnections: 120, memoryMB: 640, durability: undefined });
	const { stdout } = await stack.must("preview");
	expect(stdout).toMatch(/restart PostgreSQL for max_connections, shared_buffers, one member at a time/);
	await changeUnderWriters({});
	expect([changed(pids), await cluster.timeline()]).toEqual([3, timeline + 1]);
	expect(await cluster.leader()).not.toBe(leader);
	expect([await setting("max_connections"), await setting("shared_buffers")]).toEqual([["120"], ["160MB"]]);
	expect(await cluster.status()).toMatchObject({ durability: "quorum", healthy: true });
});

inLongForm("a lowered limit restarts the leader first, since no standby may be below it", async () => {
	const pids = cluster.postmasters(3);
	const leader = await cluster.leader();
	await changeUnderWriters({ maxConnections: 60 });
	expect([changed(pids), await cluster.leader(), await setting("max_connections")]).toEqual([3, leader, ["60"]]);
});

inLongForm("another build of the same version takes over one member after another", async () => {
	const pids = cluster.postmasters(3);
	const { systemIdentifier } = cluster.record;
	// The same programs by another path: nothing but where they are found tells the builds apart.
	const folder = join(stack.home, "another build");
	symlinkSync(programs(stack), folder);
	const found = () => [0, 1, 2].filter((slot) => cluster.environment(slot).PATH!.startsWith(`${folder}:`));
	expect(found()).toEqual([]);
	await changeUnderWriters({ build: join(folder, "postgres") });
	expect(found()).toEqual([0, 1, 2]);
	expect([changed(pids), cluster.record.systemIdentifier]).toEqual([3, systemIdentifier]);
	expect((await stack.must("status")).stdout).toContain("whole: 3 member(s)");
});
