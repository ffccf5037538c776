import { existsSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { StackStatus } from "../../scripts/show.ts";
import { long } from "../support/long.ts";
import { expectDurable, FaultCluster, isAlive } from "../support/postgresFaults.ts";
import { TestStack } from "../support/stack.ts";
import { until } from "../support/until.ts";

jest.setTimeout(900_000);

let cluster: FaultCluster;
/** Patroni's ttl with profile `fast`, and a few rounds. */
const ELECTION_MS = long ? 60_000 : 25_000;

beforeAll(async () => {
	cluster = await FaultCluster.create("pgetcd");
});
afterAll(() => TestStack.destroyAll());

async function status() {
	const { code, stdout } = await cluster.stack.holdfast("status", "--json");
	const [found] = (JSON.parse(stdout) as StackStatus).clusters;
	if (found?.system !== "postgres") throw new Error(stdout);
	return { code, ...found };
}

test("the leader of etcd is killed and stays away: PostgreSQL does not notice", async () => {
	const { members } = await status();
	const slot = members.findIndex(({ etcd }) => etcd === "leader");
	const struck = await cluster.strike("leader of etcd down", async (writers) => {
		await cluster.fell(slot, ["etcd"]);
		await writers.progress(500);
		await cluster.revive(slot, "etcd");
	});
	expect(struck.after).toEqual(struck.before);
	expectDurable(struck);
});

test("without a quorum of etcd the leader goes on; when it dies too, the others only read until etcd is back", async () => {
	const struck = await cluster.strike("most of etcd down, then the leader", async (writers, before) => {
		const others = cluster.others(before.slot);
		for (const slot of others) await cluster.fell(slot, ["etcd"]);
		await until("failsafe mode", 120_000, async () => (await cluster.says(before.slot))?.failsafe_mode_is_active);
		await writers.progress(300);
		if (long) await sleep(ELECTION_MS);
		expect(await cluster.leader()).toEqual(before);
		const failsafe = await status();
		expect(failsafe).toMatchObject({ code: 4, healthy: false });
		expect(failsafe.warnings).toEqual([expect.stringContaining("the leader goes on writing")]);

		await cluster.fell(before.slot, ["patroni", "postgres"]);
		const { count } = writers;
		for (const end = Date.now() + ELECTION_MS; Date.now() < end; await sleep(500)) {
			expect(await cluster.leaderNow()).toBeUndefined();
		}
		expect(await cluster.standbys(others)).toEqual([true, true]);
		expect(writers.count).toBe(count);
		expect((await status()).summary).toContain("waiting for a leader");

		for (const slot of others) await cluster.revive(slot, "etcd");
		await cluster.successor(before);
		await writers.progress(50);
		await cluster.revive(before.slot);
	});
	expect(struck.after.slot).not.toBe(struck.before.slot);
	expectDurable(struck);
});

test("an etcd whose folder was wiped stays held at its address until up replaces it under a new id", async () => {
	const { clusterId, ids } = cluster.record.etcd!;
	let [slot, name] = [0, ""];
	const struck = await cluster.strike("data of the leader's etcd wiped", async (writers, before) => {
		slot = before.slot;
		name = `pg0-${slot}`;
		const pid = cluster.pid(slot, "etcd");
		await cluster.fell(slot, ["etcd"]);
		rmSync(join(cluster.folder(slot), "data/etcd"), { recursive: true });
		await cluster.revive(slot, "etcd");
		await writers.progress(200);
		const held = await status();
		const member = held.processes.find(({ member }) => member === name)!;
		expect(member.processes.find((process) => process.name === "etcd")!.state).toBe("held");
		expect(held).toMatchObject({ code: 4, etcd: expect.stringContaining(`no answer from ${name}`) });
		expect([cluster.pid(slot, "etcd"), isAlive(pid)]).toEqual([pid, false]);

		await cluster.stack.must("up");
		await writers.progress(100);
	});
	expect(struck.after).toEqual(struck.before);
	expectDurable(struck);
	const { etcd } = cluster.record;
	expect(etcd!.clusterId).toBe(clusterId);
	expect(etcd!.voters).toHaveLength(3);
	const [old, now] = [ids[name]!.at(-1)!.id, etcd!.ids[name]!.at(-1)!.id];
	expect(etcd!.voters).toContain(now);
	expect(etcd!.voters).not.toContain(old);
	expect(existsSync(join(cluster.folder(slot), "data/etcd/member"))).toBe(true);
	await cluster.stack.whole();
});
