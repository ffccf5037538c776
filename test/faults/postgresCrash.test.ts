import { existsSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { long, seeded } from "../support/long.ts";
import { everything, expectDurable, FaultCluster, type Leader, type Part } from "../support/postgresFaults.ts";
import type { PostgresWriters } from "../support/postgresWriters.ts";
import { TestStack } from "../support/stack.ts";
import { until } from "../support/until.ts";

jest.setTimeout(3_600_000);

let cluster: FaultCluster;

beforeAll(async () => {
	cluster = await FaultCluster.create("pgcrash");
});
afterAll(() => TestStack.destroyAll());

/** Kills a leader's processes and keeps them down until another member leads and takes writes. */
const crash =
	(parts: readonly Part[]) =>
	async (writers: PostgresWriters, before: Leader): Promise<void> => {
		await cluster.fell(before.slot, parts);
		await cluster.successor(before);
		await writers.progress(50);
		await cluster.revive(before.slot);
	};

test("the leader's node crashes and stays away: another one leads, nothing is lost, it comes back as a standby", async () => {
	const struck = await cluster.strike("node crash of the leader", crash(["patroni", "postgres"]));
	expect(struck.after.slot).not.toBe(struck.before.slot);
	expect(struck.after.timeline).toBeGreaterThan(struck.before.timeline);
	expectDurable(struck);
});

test("the leader's Patroni alone is killed: it takes its PostgreSQL over again, and nobody fails over", async () => {
	let postmaster = 0;
	const struck = await cluster.strike("Patroni of the leader killed", async (writers, { slot }) => {
		postmaster = cluster.pid(slot, "postgres");
		await cluster.kill(slot, ["patroni"]);
		await writers.progress(100);
	});
	expect(struck.after).toEqual(struck.before);
	expect(cluster.pid(struck.after.slot, "postgres")).toBe(postmaster);
	expectDurable(struck);
});

test("the leader's postmaster alone is killed: it is restarted in place, on the same timeline", async () => {
	let postmaster = 0;
	const struck = await cluster.strike("postmaster of the leader killed", async (writers, { slot }) => {
		postmaster = cluster.pid(slot, "postgres");
		await cluster.kill(slot, ["postgres"]);
		await writers.progress(50);
	});
	expect(struck.after).toEqual(struck.before);
	expect(cluster.pid(struck.after.slot, "postgres")).not.toBe(postmaster);
	expectDurable(struck);
});

test("the leader freezes for 5 s: writes wait, and nobody fails over", async () => {
	const struck = await cluster.strike("leader frozen for 5 s", (_, { slot }) => cluster.freeze(slot, 5000));
	expect(struck.longestGapMs).toBeGreaterThan(4500);
	expect(struck.after).toEqual(struck.before);
	expectDurable(struck);
});

test("every process of every member is killed at once: all come back by themselves", async () => {
	const struck = await cluster.strike("everything killed at once", async (writers) => {
		await cluster.kill(cluster.slots, everything);
		await writers.progress(50);
	});
	expectDurable(struck);
});

test("a standby loses its data: Patroni clones it anew", async () => {
	const born = (slot: number) => statSync(join(cluster.folder(slot), "data/postgres/PG_VERSION")).birthtimeMs;
	let [standby, before] = [0, 0];
	const struck = await cluster.strike("data of a standby wiped", async (writers, { slot }) => {
		standby = cluster.others(slot)[0]!;
		before = born(standby);
		await cluster.fell(standby, ["patroni", "postgres"]);
		rmSync(join(cluster.folder(standby), "data/postgres"), { recursive: true });
		await writers.progress(50);
		await cluster.revive(standby);
	});
	expect(born(standby)).toBeGreaterThan(before);
	expect(struck.after).toEqual(struck.before);
	expectDurable(struck);
});

const inLongForm: typeof test | (() => void) = long ? test : () => {};

inLongForm("the leader freezes for 40 s: another one leads, and what wakes up acknowledges nothing", async () => {
	const struck = await cluster.strike("leader frozen for 40 s", async (writers, before) => {
		await cluster.freeze(before.slot, 40_000);
		await writers.progress(50);
	});
	expect(struck.after.slot).not.toBe(struck.before.slot);
	expect(struck.after.timeline).toBeGreaterThan(struck.before.timeline);
	expectDurable(struck);
});

inLongForm("twenty faults by chance, one after another, lose nothing", async () => {
	const random = seeded("postgres faults");
	const any = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)]!;
	const faults: Record<string, (writers: PostgresWriters, before: Leader) => Promise<void>> = {
		"node crash with etcd": crash(everything),
		"node crash": crash(["patroni", "postgres"]),
		"some parts killed": () =>
			cluster.kill(
				any(cluster.slots),
				everything.filter(() => random() < 0.5),
			),
		"the same part of all killed": () => cluster.kill(cluster.slots, [any(everything)]),
		"a member frozen": () => cluster.freeze(any(cluster.slots), random() * 30_000),
		"two at once killed": (_, { slot }) => cluster.kill([slot, any(cluster.others(slot))], ["patroni", "postgres"]),
	};
	for (let round = 1; round <= 20; round++) {
		const name = any(Object.keys(faults));
		const struck = await cluster.strike(`${round}: ${name}`, async (writers, before) => {
			await sleep(random() * 3000);
			await faults[name]!(writers, before);
			await writers.progress(50, 240_000);
		});
		expectDurable(struck);
	}
});

inLongForm("the leader's node crashes while two members join: they join its successor", async () => {
	cluster.stack.configurePostgres({ members: 5 });
	const struck = await cluster.strike("node crash of the leader while two members join", async (writers, before) => {
		const up = cluster.stack.must("up");
		const joining = join(cluster.folder(4), "run/patroni.started");
		await until("the last member to be started", 120_000, () => existsSync(joining));
		await crash(["patroni", "postgres"])(writers, before);
		expect((await up).stdout).toContain("whole: 5 member(s)");
	});
	expect(struck.after.timeline).toBeGreaterThan(struck.before.timeline);
	expectDurable(struck);
	expect(await cluster.stack.changes()).toEqual({ same: expect.any(Number) });
});
