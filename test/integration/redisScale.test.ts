import { existsSync } from "node:fs";
import { killedAt } from "../support/interrupted.ts";
import { lost, RedisUnderTest, RedisWriters } from "../support/redisStack.ts";
import { TestStack } from "../support/stack.ts";

jest.setTimeout(600_000);
afterAll(() => TestStack.destroyAll());

const named = (count: number) => [...Array(count).keys()].map((slot) => `redis0-${slot}`);

test("scaling 3 -> 5 -> 2 -> 3 under writers loses no acknowledged write, also when one is killed on the way", async () => {
	const stack = await TestStack.createRedis("redisscale", { managers: 2 });
	const redis = new RedisUnderTest(stack);
	await stack.must("up");
	const clients = [redis.client(0), redis.client(1)];
	const writers = new RedisWriters(clients);
	for (const nodes of [5, 2, 3]) {
		await writers.progress(100);
		stack.configureRedis({ nodes });
		if (nodes === 2) await killedAt(stack, "redis/retiring");
		await stack.must("up");
		const found = await redis.status();
		expect([found.healthy, found.nodes.map(({ member }) => member)]).toEqual([true, named(nodes)]);
		expect(named(5).filter((member) => existsSync(redis.folder(member)))).toEqual(named(nodes));
		for (const manager of ["redis0-manager-0", "redis0-manager-1"])
			expect(JSON.parse(redis.file(manager, "live/nodes.json"))).toHaveLength(nodes);
	}
	await writers.progress(100);
	const written = await writers.stop();
	console.info(`scale: ${written.acknowledged.size} keys, ${written.failed} failed writes`);
	expect(written.acknowledged.size).toBeGreaterThan(300);
	expect(await lost(clients[1]!, written)).toEqual({});
	const { body } = await clients[0]!.divergence();
	expect(body.equal).toBe(true);
	expect(await stack.changes()).toEqual({ same: expect.any(Number) });
});

test("managers come and go beside each other", async () => {
	const stack = await TestStack.createRedis("redismanagers");
	const redis = new RedisUnderTest(stack);
	await stack.must("up");
	const client = redis.client();
	expect((await client.post("kept", "here")).body.success).toBe(true);
	const pid = redis.pid("redis0-manager-0");
	for (const managers of [3, 1]) {
		stack.configureRedis({ managers });
		await stack.must("up");
		expect((await redis.status()).managers.map(({ state }) => state)).toEqual(Array(managers).fill("ok"));
	}
	expect(redis.pid("redis0-manager-0")).toBe(pid);
	expect(existsSync(redis.folder("redis0-manager-2"))).toBe(false);
	expect((await client.get("kept")).body.value).toBe("here");
});
