import { RedisClient } from "../support/redisClient.ts";
import { RedisScene } from "../support/redisScene.ts";
import { headOf, keyOf } from "../support/redisServers.ts";
import { until } from "../support/until.ts";

afterAll(() => RedisScene.removeAll());

describe("with three nodes", () => {
	let scene: RedisScene;
	beforeAll(async () => {
		scene = await RedisScene.create({ writeTimeoutMs: 300, readTimeoutMs: 300, lossWaitSeconds: 1 });
	});
	afterEach(async () => {
		const running = scene.servers.filter(({ isRunning }) => isRunning);
		await Promise.all(running.map((server) => server.cli("CONFIG", "SET", "maxmemory", "0")));
		await scene.heal();
	});

	test("one of three reachable is no success: 503 with all results, and a stamp that makes the retry the same write", async () => {
		const { client } = scene.managers[0]!;
		await scene.servers[1]!.kill();
		await scene.servers[2]!.kill();
		const { status, body } = await client.write("lonely", "value");
		expect(status).toBe(503);
		expect(body).toMatchObject({ success: false, code: "NO_QUORUM", writtenTo: 1, totalNodes: 3 });
		expect(scene.inOrder(body.results).map(({ success }) => success)).toEqual([true, false, false]);
		expect(body.error).toMatch(/again|retry|repeat/i);
		expect((await client.get("lonely")).status).toBe(503);
		expect(await client.get("lonely", "one")).toMatchObject({ status: 200, body: { value: "value" } });
		expect((await client.get("lonely", "all")).status).toBe(503);
		await until("the health to say so", 10_000, async () => (await client.health()).status === 503);
		expect((await client.health()).body).toMatchObject({ status: "down", registered: 3, needed: 2 });
		expect((await client.request("GET", "/ready")).status).toBe(503);

		await scene.servers[1]!.start();
		await until("a majority", 30_000, async () => (await client.health()).status === 200);
		const again = await client.write("lonely", "value", { stamp: body.stamp });
		expect(again).toMatchObject({ status: 200, body: { success: true, stamp: body.stamp } });
		expect(again.body.superseded).toBeUndefined();
		await scene.heal();
		const record = (await scene.agreed()).find(({ key }) => Buffer.from(key, "hex").toString() === "d:lonely")!;
		expect(headOf(record).stamp).toBe(body.stamp);
	});

	test("a retry by stamp after a newer write does not bring the old value back, and says that it is superseded", async () => {
		const { client } = scene.managers[0]!;
		const old = await client.write("retried", "old");
		const next = await client.write("retried", "new");
		const again = await client.write("retried", "old", { stamp: old.body.stamp });
		expect(again).toMatchObject({ status: 200, body: { success: true, superseded: true, stamp: old.body.stamp } });
		expect((await client.get("retried")).body).toMatchObject({ value: "new", stamp: next.body.stamp });
	});

	test("an answer that is lost is unknown, not failed: the write may have landed, and did", async () => {
		const { client } = scene.managers[0]!;
		for (const link of scene.links[0]!.slice(1)) link.set({ kind: "dropReplies" });
		const { status, body } = await client.write("unanswered", "landed");
		expect(status).toBe(503);
		expect(scene.inOrder(body.results).map(({ outcome }) => outcome)).toEqual(["ok", "unknown", "unknown"]);
		for (const link of scene.links[0]!.slice(1)) expect(link.tally.lostToClient).toBeGreaterThan(0);
		const held = await Promise.all(scene.servers.map((server) => server.cli("GET", "d:unanswered")));
		for (const record of held) expect(record.slice(0, 32)).toBe(body.stamp);
	});

	test("a network that swallows everything: unknown in time, and a refusing one: failed at once", async () => {
		const { client } = scene.managers[0]!;
		const [, hole, cut] = scene.links[0]!;
		hole!.set({ kind: "blackhole" });
		const first = await client.write("swallowed", 1);
		expect(scene.inOrder(first.body.results).map(({ outcome }) => outcome)).toEqual(["ok", "unknown", "ok"]);
		expect(hole!.tally.lostToServer).toBeGreaterThan(0);
		hole!.heal();
		await scene.managers[0]!.whole();
		cut!.set({ kind: "cut" });
		await until("the node to be known as unreachable", 10_000, async () => {
			const { body } = await client.write("refused", 1);
			return scene.inOrder(body.results)[2]!.outcome === "failed";
		});
		expect(cut!.tally.resets).toBeGreaterThan(0);
	});

	test("a full node under noeviction is a failed result with a reason; the others take the write", async () => {
		const { client } = scene.managers[0]!;
		const full = scene.servers[2]!;
		await full.cli("CONFIG", "SET", "maxmemory-policy", "noeviction");
		await full.cli("CONFIG", "SET", "maxmemory", "1");
		const { status, body } = await client.write("too much", "x".repeat(1000));
		expect(status).toBe(200);
		expect(body).toMatchObject({ success: true, writtenTo: 2 });
		expect(scene.inOrder(body.results)[2]).toMatchObject({ success: false, outcome: "failed", code: "OUT_OF_MEMORY" });
		expect((await client.get("too much")).body.value).toHaveLength(1000);
		const deleted = await client.remove("too much");
		expect(deleted.status).toBe(200);

		await scene.servers[1]!.cli("CONFIG", "SET", "maxmemory", "1");
		const most = await client.write("too much", "again");
		expect(most).toMatchObject({ status: 503, body: { code: "NO_QUORUM", writtenTo: 1 } });
		await scene.servers[1]!.cli("CONFIG", "SET", "maxmemory", "0");
		expect((await client.write("too much", "again", { stamp: most.body.stamp })).status).toBe(200);
	});

	test("a read repairs a node that lacks a record, has an older one or a damaged one, without a round", async () => {
		const { client } = scene.managers[0]!;
		const keys = ["lacking", "older", "damaged"];
		for (const key of keys) expect((await client.write(key, "older")).body.writtenTo).toBe(3);
		const old = await scene.servers[0]!.cli("GET", "d:older");
		for (const key of keys) expect((await client.write(key, "right")).body.writtenTo).toBe(3);
		const right = await scene.agreed();
		const stale = scene.servers[0]!;
		await stale.cli("DEL", "d:lacking");
		await stale.cli("SET", "d:older", old);
		await stale.cli("SETRANGE", "d:damaged", "53", "wrong");
		expect(await stale.records()).not.toEqual(right);
		// A damaged payload is noticed by a read that this node is the first to answer.
		await until("the repair", 10_000, async () => {
			for (const key of keys) expect((await client.get(key)).body.value).toBe("right");
			return JSON.stringify(await stale.records()) === JSON.stringify(right);
		});
	});

	test("a batch tells each of its writes apart, and a batch read each of its keys", async () => {
		const { client } = scene.managers[0]!;
		await client.write("batched b", "before");
		const { status, body } = await client.batch([
			{ key: "batched a", value: { deep: [1] } },
			{ key: "batched b", delete: true },
			{ key: "batched c", value: "c", ttlSeconds: 100 },
		]);
		expect([status, body.results.map(({ key, success }) => [key, success])]).toEqual([
			200,
			["a", "b", "c"].map((letter) => [`batched ${letter}`, true]),
		]);
		const read = await client.many(["batched a", "batched b", "batched c", "never"]);
		expect(read.body.results.map(({ value, code }) => value ?? code)).toEqual([
			{ deep: [1] },
			"NOT_FOUND",
			"c",
			"NOT_FOUND",
		]);
		for (const server of scene.servers.slice(1)) await server.kill();
		const lonely = await client.batch([{ key: "batched a", value: 2 }]);
		expect([lonely.status, lonely.body.results[0]!.code]).toEqual([207, "NO_QUORUM"]);
	});
});

test("scripts that nodes forget under load are never noticed by a client", async () => {
	// Time enough for a busy machine: what counts is that no request fails.
	const scene = await RedisScene.create({ writeTimeoutMs: 5000, readTimeoutMs: 5000 });
	const { client } = scene.managers[0]!;
	const enough = () => done >= 200 && flushes >= 10;
	let [done, flushes] = [0, 0];
	const writers = Array.from({ length: 8 }, async (_, w) => {
		for (let i = 0; !enough(); i++, done++) {
			const { status, body } = await client.write(`flushed ${w}`, i);
			const failed = body.results.filter(({ success }) => !success);
			expect({ status, failed }).toEqual({ status: 200, failed: [] });
			expect((await client.get(`flushed ${w}`)).body.value).toBe(i);
		}
	});
	while (!enough()) {
		await Promise.all(scene.servers.map((server) => server.cli("SCRIPT", "FLUSH")));
		flushes++;
	}
	await Promise.all(writers);
	const stats = await Promise.all(scene.servers.map((server) => server.cli("INFO", "errorstats")));
	for (const text of stats) expect(text).toContain("errorstat_NOSCRIPT");
	await scene.remove();
});

test("two managers behind one client, one of them stopped half-way: no acknowledged write is lost or goes back", async () => {
	const scene = await RedisScene.create({ skews: [2000, -2000], writeTimeoutMs: 500 });
	// In turn, as a load balancer would, and on to the other one when one refuses the connection.
	const clients = scene.managers.map(({ client }) => new RedisClient(client.url));
	let turn = 0;
	const anyone = async <T>(ask: (client: RedisClient) => Promise<T>): Promise<T> => {
		const first = turn++;
		return ask(clients[first % 2]!).catch(() => ask(clients[(first + 1) % 2]!));
	};
	const acknowledged: Record<string, number> = {};
	let stopped = false;
	const workers = Array.from({ length: 8 }, async (_, w) => {
		for (let i = 0; i < 60; i++) {
			const key = `balanced ${w}`;
			const { status } = await anyone((client) => client.write(key, i));
			expect(status).toBe(200);
			acknowledged[key] = i;
			expect((await anyone((client) => client.get(key))).body.value).toBe(i);
			if (w === 0 && i === 30 && !stopped) {
				stopped = true;
				await scene.managers[0]!.stop();
			}
		}
	});
	await Promise.all(workers);
	expect(stopped).toBe(true);
	const held = await scene.agreed();
	expect(Object.fromEntries(held.map((one) => [keyOf(one), Number(headOf(one).payload)]))).toEqual(acknowledged);
	for (const client of clients) await client.close();
	scene.managers.shift();
	await scene.remove();
});
