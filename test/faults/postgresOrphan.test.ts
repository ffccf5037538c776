import { readFileSync } from "node:fs";
import { join } from "node:path";
import { long } from "../support/long.ts";
import { everything, expectDurable, FaultCluster, isAlive, type Strike } from "../support/postgresFaults.ts";
import { TestStack } from "../support/stack.ts";

jest.setTimeout(900_000);

const GUARD_MS = 120_000;

let cluster: FaultCluster;

beforeAll(async () => {
	// Time enough to look at the orphan before its guard ends it.
	cluster = await FaultCluster.create("pgorphan", { durability: "strict", ttl: 30 });
});
afterAll(() => TestStack.destroyAll());

/** Kills the leader's Patroni for good, and waits until the guard has stopped the PostgreSQL that it left. */
async function orphan(victim: FaultCluster): Promise<Strike> {
	return victim.strike("Patroni of the leader gone for good", async (writers, before) => {
		const { slot } = before;
		const postmaster = victim.pid(slot, "postgres");
		await victim.fell(slot, ["patroni"]);
		expect(isAlive(postmaster)).toBe(true);
		const { code, stdout } = await victim.stack.holdfast("status");
		expect(code).toBe(4);
		expect(stdout).toContain(`DANGER: PostgreSQL of pg0-${slot} (process ${postmaster}) runs without its Patroni`);
		await victim.successor(before);
		await victim.gone([postmaster], GUARD_MS);
		expect(readFileSync(join(victim.folder(slot), "log/guard.log"), "utf8")).toContain(
			`stopping postmaster ${postmaster}`,
		);
		await writers.progress(50);
		await victim.revive(slot);
	});
}

test("a leader whose Patroni is gone for good is stopped by its guard, and acknowledges nothing beside its successor", async () => {
	const struck = await orphan(cluster);
	expect(struck.after.slot).not.toBe(struck.before.slot);
	expectDurable(struck);
});

test("supervisord killed: members go on, an orphaned leader is stopped all the same, and up takes all over", async () => {
	const pids = (slots: readonly number[]) => slots.map((slot) => everything.map((part) => cluster.pid(slot, part)));
	const supervisor = await cluster.supervisor();
	const struck = await cluster.strike("supervisord and Patroni of the leader killed", async (writers, before) => {
		const { slot } = before;
		const [all, others, postmaster] = [pids(cluster.slots), pids(cluster.others(slot)), cluster.pid(slot, "postgres")];
		process.kill(supervisor, "SIGKILL");
		await cluster.gone([supervisor]);
		await writers.progress(100);
		expect(pids(cluster.slots)).toEqual(all);
		expect(all.flat().filter((pid) => !isAlive(pid))).toEqual([]);

		await cluster.kill(slot, ["patroni"]);
		await cluster.successor(before);
		await cluster.gone([postmaster], GUARD_MS);

		await cluster.stack.must("up");
		expect(pids(cluster.others(slot))).toEqual(others);
	});
	expect(struck.after.slot).not.toBe(struck.before.slot);
	expect(await cluster.supervisor()).not.toBe(supervisor);
	expectDurable(struck);
	await cluster.stack.whole();
	// It really is in charge again: what it took over, it restarts.
	const guard = cluster.pid(0, "guard");
	await cluster.kill(0, ["guard"]);
	await cluster.stack.whole();
	expect(cluster.pid(0, "guard")).not.toBe(guard);
});

const inLongForm: typeof test | (() => void) = long ? test : () => {};

inLongForm(
	"without synchronous standbys, too, an orphaned leader acknowledges nothing beside its successor",
	async () => {
		await cluster.stack.destroy();
		cluster = await FaultCluster.create("pgasync", { durability: "async", ttl: 30 });
		for (let round = 0; round < 3; round++) {
			const struck = await orphan(cluster);
			expect(struck.after.slot).not.toBe(struck.before.slot);
			expect(struck.superseded).toBe(0);
		}
	},
);
