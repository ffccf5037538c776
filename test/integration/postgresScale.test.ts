import { existsSync } from "node:fs";
import { long } from "../support/long.ts";
import { PatroniUnderTest, prepareWriter, underWriters } from "../support/patroni.ts";
import { TestStack } from "../support/stack.ts";

jest.setTimeout(600_000);
afterAll(() => TestStack.destroyAll());

const named = (count: number) => [...Array(count).keys()].map((slot) => `pg0-${slot}`);

test(`scaling 1 -> 3 ${long ? "-> 5 -> 3 " : ""}-> 1 under writes loses nothing, also when the leader goes; etcd's voters follow`, async () => {
	const stack = await TestStack.createPostgres("pgscale", { members: 1 });
	const cluster = new PatroniUnderTest(stack);
	await stack.must("up");
	await prepareWriter(cluster);
	const { systemIdentifier } = cluster.record;
	const beyond = [
		{ members: 5, voters: 3, durability: "quorum" },
		{ members: 3, voters: 3, durability: "quorum", leader: "pg0-4" },
	];
	const steps: ((typeof beyond)[number] & { leader?: string })[] = [
		{ members: 3, voters: 3, durability: "quorum" },
		...(long ? beyond : []),
		{ members: 1, voters: 1, durability: "async", leader: "pg0-2" },
	];
	const { errors, longestGapMs, acknowledged } = await underWriters(cluster, { from: 5, to: 1 }, async (writers) => {
		for (const { members, voters, durability, leader } of steps) {
			if (leader) {
				await stack.must("switchover", "pg0", leader);
				expect(await cluster.leader()).toBe(leader);
			}
			stack.configurePostgres({ members });
			await stack.must("up");
			await writers.progress(50);
			// Patroni's entry of a member that has stopped goes when its ttl is over.
			const running = (await cluster.view()).members.filter(({ state }) => state !== "stopped");
			expect(running.map(({ name }) => name).sort()).toEqual(named(members));
			expect(await cluster.status()).toMatchObject({ durability, healthy: true });
			expect(await cluster.voters()).toEqual(named(voters));
			const slots = [0, 1, 2, 3, 4];
			expect(slots.filter((slot) => existsSync(cluster.folder(slot)))).toEqual(slots.slice(0, members));
			expect(cluster.record.hosts.map(({ name }) => name)).toEqual(named(members));
		}
	});
	console.info(`scale: ${acknowledged.length} rows, ${errors.length} failed writes, longest gap ${longestGapMs} ms`);
	expect(cluster.record.systemIdentifier).toBe(systemIdentifier);
	expect(await stack.changes()).toEqual({ same: expect.any(Number) });
});
