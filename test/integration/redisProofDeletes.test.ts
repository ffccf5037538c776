import { setTimeout as sleep } from "node:timers/promises";
import { RedisScene } from "../support/redisScene.ts";
import { headOf, keyOf } from "../support/redisServers.ts";

afterAll(() => RedisScene.removeAll());

/** Seconds: half of it is what a busy machine may take for a node to join, before the node counts as one that was away. */
const GRACE = 10;

test("a delete while a node is down stays a delete when the node returns", async () => {
	const scene = await RedisScene.create({ writeTimeoutMs: 500 });
	const { client } = scene.managers[0]!;
	const keys = Array.from({ length: 50 }, (_, i) => `deleted ${i}`);
	for (const key of [...keys, "kept"]) expect((await client.write(key, "there")).status).toBe(200);
	await scene.servers[0]!.kill();
	for (const key of keys) {
		const { status, body } = await client.remove(key);
		expect({ status, writtenTo: body.writtenTo }).toEqual({ status: 200, writtenTo: 2 });
	}
	await scene.servers[0]!.start();
	const old = await scene.servers[0]!.records();
	expect(old.filter((one) => headOf(one).kind === "0")).toHaveLength(51);

	// At every moment of its return, at a quorum and at all that answer.
	for (let i = 0; i < 50; i++) {
		expect((await client.get(keys[i]!)).status).toBe(404);
		expect((await client.get(keys[i]!, "one")).status).toBe(404);
		await sleep(20);
	}
	await scene.heal();
	const held = await scene.agreed();
	expect(held.filter((one) => headOf(one).kind !== "d").map(keyOf)).toEqual(["kept"]);
	const { status, body } = await client.get(keys[0]!, "all");
	expect([status, body.code, typeof body.stamp]).toEqual([404, "NOT_FOUND", "string"]);
	await scene.remove();
});

test("an older copy without an expiry does not come back when its successor expired while a node was down", async () => {
	const scene = await RedisScene.create({ writeTimeoutMs: 500, graceSeconds: 60 });
	const { client } = scene.managers[0]!;
	expect((await client.write("session", "for ever")).status).toBe(200);
	await scene.servers[2]!.kill();
	const { body } = await client.write("session", "for a second", { ttlSeconds: 1 });
	expect(body).toMatchObject({ success: true, writtenTo: 2 });
	expect((await client.get("session")).body.value).toBe("for a second");
	await sleep(1200);
	expect((await client.get("session")).status).toBe(404);
	await scene.servers[2]!.start();
	for (let i = 0; i < 20; i++, await sleep(20)) expect((await client.get("session")).status).toBe(404);
	await scene.heal();
	const [record, ...others] = await scene.agreed();
	expect(others).toEqual([]);
	expect(headOf(record!).stamp).toBe(body.stamp);
	// Kept for the grace beyond the expiry, so that it goes on overruling what is older.
	const expiresAt = Number.parseInt(Buffer.from(record!.value, "hex").toString("latin1", 33, 45), 16);
	expect(record!.expiry).toBe(expiresAt + 60_000);
	expect((await client.get("session", "all")).body).toMatchObject({ code: "NOT_FOUND", stamp: body.stamp });
	await scene.remove();
});

test("a write without an expiry over one with an expiry lasts", async () => {
	const scene = await RedisScene.create({ graceSeconds: GRACE });
	const { client } = scene.managers[0]!;
	expect((await client.write("lasting", 1, { ttlSeconds: 1 })).status).toBe(200);
	expect((await client.write("lasting", 2)).status).toBe(200);
	// Longer than its first version would have been kept.
	await sleep((1 + GRACE) * 1000 + 500);
	expect((await client.get("lasting", "all")).body.value).toBe(2);
	expect((await scene.agreed())[0]!.expiry).toBe(-1);
	await scene.remove();
});

describe("a node away for longer than tombstones are kept", () => {
	let scene: RedisScene;
	beforeEach(async () => {
		scene = await RedisScene.create({ writeTimeoutMs: 500, graceSeconds: GRACE, probeMs: 200 });
		const { client } = scene.managers[0]!;
		for (const key of ["deleted", "kept"])
			expect((await client.write(key, "there")).body).toMatchObject({ writtenTo: 3 });
		await scene.servers[1]!.kill();
		expect((await client.remove("deleted")).body).toMatchObject({ success: true, writtenTo: 2 });
		await sleep(GRACE * 1000 + 1000);
		// The tombstone is gone: nobody remembers the delete any more.
		expect((await scene.servers[0]!.records()).map(keyOf)).toEqual(["kept"]);
		expect((await client.sync()).status).toBe(200);
		await scene.servers[1]!.start();
	});
	afterEach(() => scene.remove());

	const state = async () => scene.inOrder(await scene.managers[0]!.client.nodes())[1]!;

	test("is held, reported and neither read nor written, and what was deleted does not come back", async () => {
		const { client } = scene.managers[0]!;
		await held();
		expect((await client.get("deleted")).status).toBe(404);
		expect((await client.get("deleted", "one")).status).toBe(404);
		const { body } = await client.write("later", 1);
		expect(scene.inOrder(body.results)[1]).toMatchObject({ success: false, code: "HELD" });
		expect((await client.health()).body).toMatchObject({ status: "degraded" });
		expect((await scene.servers[1]!.records()).map(keyOf)).toEqual(["deleted", "kept"]);
		// A manager that starts only now finds the same out.
		await scene.reopen(0);
		await held();
	});

	test("is wiped and filled when the operator says so: what it alone has is dropped", async () => {
		await held();
		const { client } = scene.managers[0]!;
		expect((await client.admit(scene.servers[1]!.name, "wipe")).status).toBe(200);
		await scene.heal();
		expect((await scene.agreed()).map(keyOf)).toEqual(["kept"]);
		expect((await client.get("deleted", "all")).status).toBe(404);
	});

	test("is merged when the operator says so: what it alone has goes to the others first", async () => {
		await held();
		const { client } = scene.managers[0]!;
		expect((await client.admit(scene.servers[1]!.name, "merge")).status).toBe(200);
		await scene.heal();
		expect((await scene.agreed()).map(keyOf)).toEqual(["deleted", "kept"]);
	});

	async function held(): Promise<void> {
		for (let left = 600; ; left--, await sleep(50)) {
			const report = await state();
			expect(report.state).not.toBe("ready");
			if (report.state === "held") {
				expect(report).toMatchObject({ reads: false, writes: false, reason: expect.stringMatching(/wipe|merge/) });
				return;
			}
			if (left === 0) throw new Error(`not held: ${JSON.stringify(report)}`);
		}
	}
});

test("a node that was wiped while it was away takes writes at once, and is read only when it is full", async () => {
	const scene = await RedisScene.create({ writeTimeoutMs: 500 });
	const { client } = scene.managers[0]!;
	const keys = Array.from({ length: 2000 }, (_, i) => `wiped ${i}`);
	for (let from = 0; from < keys.length; from += 500) {
		const { status } = await client.batch(keys.slice(from, from + 500).map((key) => ({ key, value: key })));
		expect(status).toBe(200);
	}
	await client.remove(keys[0]!);
	await scene.servers[2]!.wipe();
	await scene.servers[2]!.start();
	expect(await scene.servers[2]!.records()).toEqual([]);
	// A read at level one is answered by one node: never by the empty one.
	for (let i = 1; i < 400; i++) {
		const { status, body } = await client.get(keys[i]!, "one");
		expect({ i, status, value: body.value }).toEqual({ i, status: 200, value: keys[i] });
	}
	await scene.heal();
	expect(await scene.agreed()).toHaveLength(keys.length);
	expect((await client.divergence()).body).toMatchObject({ equal: true });
	await scene.remove();
});
