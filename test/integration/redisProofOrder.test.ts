import type { Written } from "../support/redisClient.ts";
import { RedisScene } from "../support/redisScene.ts";
import { headOf, keyOf } from "../support/redisServers.ts";
import { until } from "../support/until.ts";

afterAll(() => RedisScene.removeAll());

/** A client's own stamp: milliseconds since 1970, counter, node id. */
const stampAt = (ms: number, counter = 0, id = "00000000000000aa"): string =>
	ms.toString(16).padStart(12, "0") + counter.toString(16).padStart(4, "0") + id;

describe("two managers whose clocks are 10 s apart", () => {
	let scene: RedisScene;
	beforeAll(async () => {
		scene = await RedisScene.create({ skews: [5000, -5000], writeTimeoutMs: 500, readTimeoutMs: 500 });
	});
	afterAll(() => scene.remove());

	test("concurrent writes, each manager cut off from another node: after healing all nodes hold the same, the greatest stamps", async () => {
		const keys = Array.from({ length: 20 }, (_, i) => `skewed ${i}`);
		const sent: (Written & { key: string; value: string })[] = [];
		scene.links[0]![2]!.set({ kind: "cut" });
		scene.links[1]![0]!.set({ kind: "cut" });
		for (let round = 0; round < 10; round++) {
			await Promise.all(
				scene.managers.flatMap(({ client }, m) =>
					keys.map(async (key) => {
						const value = `${m} in round ${round}`;
						const { status, body } = await client.write(key, value);
						expect({ status, success: body.success }).toEqual({ status: 200, success: true });
						sent.push({ ...body, key, value });
					}),
				),
			);
		}
		const [first, , last] = await Promise.all(scene.servers.map((server) => server.records()));
		expect(first).not.toEqual(last);
		expect(scene.links[0]![2]!.tally.resets).toBeGreaterThan(0);
		expect(scene.links[1]![0]!.tally.resets).toBeGreaterThan(0);

		await scene.heal();
		const held = await scene.agreed();
		for (const key of keys) {
			const newest = sent.filter((one) => one.key === key).sort((a, b) => (a.stamp < b.stamp ? 1 : -1))[0]!;
			const { stamp, payload } = headOf(held.find((one) => keyOf(one) === key)!);
			expect({ key, stamp, value: String(payload) }).toEqual({ key, stamp: newest.stamp, value: newest.value });
		}
	});

	test("a write that follows an acknowledged one wins, through whichever manager, whatever the clocks say", async () => {
		const [ahead, behind] = [scene.managers[0]!, scene.managers[1]!];
		ahead.skewMs = 5000;
		behind.skewMs = -5000;
		let last = "";
		for (let i = 0; i < 40; i++) {
			const [writer, reader] = i % 2 === 0 ? [ahead, behind] : [behind, ahead];
			const { status, body } = await writer.client.write("in turn", i);
			expect({ i, status, superseded: body.superseded }).toEqual({ i, status: 200, superseded: undefined });
			expect(body.stamp > last).toBe(true);
			last = body.stamp;
			expect((await reader.client.get("in turn")).body).toMatchObject({ value: i, stamp: last });
		}
	});

	test("a stamp beyond the allowed skew is refused wherever it is met, and takes no part in the clock", async () => {
		const [far, near] = [scene.managers[0]!, scene.managers[1]!];
		// Each is near enough to the nodes' clocks, and too far from the other.
		far.skewMs = 50_000;
		near.skewMs = -50_000;
		expect((await far.client.write("far ahead", "early")).status).toBe(200);
		const refused = await near.client.write("far ahead", "in time");
		expect(refused).toMatchObject({ status: 503, body: { success: false, code: "NO_QUORUM", writtenTo: 0 } });
		expect(refused.body.results.map(({ code }) => code)).toEqual(Array(3).fill("STAMP_AHEAD"));
		expect((await near.client.get("far ahead")).status).toBe(503);
		const other = await near.client.write("another", 1);
		expect(other.body.timestamp).toBeLessThan(Date.now() + 10_000);
		expect(await near.client.write("own", 1, { stamp: stampAt(Date.now() + 30_000) })).toMatchObject({
			status: 409,
			body: { code: "STAMP_AHEAD" },
		});
		// Its time comes nearer: now it is overwritten like any other.
		near.skewMs = 0;
		expect((await near.client.write("far ahead", "later")).body).toMatchObject({ success: true });
		expect((await near.client.get("far ahead")).body.value).toBe("later");
		far.skewMs = 0;
	});

	test("a manager whose clock is further off than is allowed takes no writes, and says so", async () => {
		const manager = scene.managers[0]!;
		manager.skewMs = 180_000;
		await until("the manager to notice", 10_000, async () => (await manager.client.health()).status === 503);
		expect((await manager.client.write("wrong", 1)).status).toBe(503);
		expect((await manager.client.health()).body.reasons).toEqual([expect.stringContaining("clock")]);
		expect((await manager.client.get("in turn")).status).toBe(200);
		manager.skewMs = 0;
		await until("the clock to be right", 10_000, async () => (await manager.client.health()).status === 200);
		expect((await manager.client.write("wrong", 1)).status).toBe(200);
	});
});

test("equal stamps with other contents, in another order on each node: the same one wins everywhere", async () => {
	const scene = await RedisScene.create({ skews: [0, 0], writeTimeoutMs: 500 });
	const keys = Array.from({ length: 16 }, (_, i) => `tie ${i}`);
	const at = Date.now();
	scene.links[0]![2]!.set({ kind: "cut" });
	scene.links[1]![0]!.set({ kind: "cut" });
	for (const [i, key] of keys.entries()) {
		const writers = i % 2 === 0 ? [0, 1] : [1, 0];
		for (const m of writers) {
			const { body } = await scene.managers[m]!.client.write(key, `of ${m}`, { stamp: stampAt(at, i) });
			expect(body).toMatchObject({ success: true, stamp: stampAt(at, i) });
		}
	}
	const [first, both, last] = await Promise.all(scene.servers.map((server) => server.records()));
	// The node that saw both holds the same of the two under every key, whichever came first.
	expect(new Set(both!.map((one) => String(headOf(one).payload))).size).toBe(1);
	expect(first!.map(headOf).map(({ stamp }) => stamp)).toEqual(last!.map(headOf).map(({ stamp }) => stamp));
	expect(first).not.toEqual(last);

	await scene.heal();
	const held = await scene.agreed();
	expect(held).toHaveLength(keys.length);
	const values = held.map((one) => String(headOf(one).payload));
	expect(new Set(values).size).toBe(1);
	for (const { client } of scene.managers)
		for (const key of keys) expect((await client.get(key)).body.value).toBe(values[0]);
	await scene.remove();
});

test("a write that timed out at one node arrives there after a newer one: the newer one stays", async () => {
	const scene = await RedisScene.create({ skews: [0, 0], writeTimeoutMs: 300 });
	const [slow, quick] = [scene.managers[0]!, scene.managers[1]!];
	const link = scene.links[0]![0]!;
	link.set({ kind: "hold" });
	const before = await slow.client.write("delayed", "old");
	const results = scene.inOrder(before.body.results).map(({ outcome, code }) => ({ outcome, code }));
	expect(results).toEqual([{ outcome: "unknown", code: "TIMEOUT" }, { outcome: "ok" }, { outcome: "ok" }]);
	expect(before.body).toMatchObject({ success: true, writtenTo: 2 });
	expect(link.tally.held).toBeGreaterThan(0);
	const deleted = await slow.client.write("deleted meanwhile", "old");
	expect(deleted.body.success).toBe(true);
	const after = await quick.client.write("delayed", "new");
	expect(after.body).toMatchObject({ success: true, writtenTo: 3 });
	expect((await quick.client.remove("deleted meanwhile")).body.success).toBe(true);
	const stored = await scene.servers[0]!.records();
	const scripts = async () => {
		const stats = await scene.servers[0]!.cli("INFO", "commandstats");
		return Number(/cmdstat_evalsha:calls=(\d+)/.exec(stats)?.[1] ?? 0);
	};
	const ran = await scripts();

	expect(link.release()).toBeGreaterThan(0);
	await until("the delayed writes to reach Redis", 30_000, async () => (await scripts()) > ran);
	expect(await scene.servers[0]!.records()).toEqual(stored);
	link.heal();
	await scene.heal();
	const held = await scene.agreed();
	expect(held.map((one) => [keyOf(one), headOf(one).kind, String(headOf(one).payload)])).toEqual([
		["delayed", "0", "new"],
		["deleted meanwhile", "d", ""],
	]);
	await scene.remove();
});
