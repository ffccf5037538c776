import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { pino } from "pino";
import { openManager } from "../../runtime/redis/manager.ts";
import type { ManagerSettings } from "../../runtime/redis/managerSettings.ts";
import { encodeRecord } from "../../runtime/redis/record.ts";
import { formatStamp } from "../../runtime/redis/stamp.ts";
import type { Store } from "../../runtime/redis/store.ts";
import { type RedisServer, startRedis } from "../support/redisServers.ts";

const folder = mkdtempSync(join(tmpdir(), "holdfast-rounds-"));
const path = join(folder, "nodes.json");
let servers: RedisServer[] = [];
let managers: Store[] = [];

const list = (...listed: RedisServer[]) => writeFileSync(path, JSON.stringify(listed.map(({ name }) => name)));

async function start(count: number): Promise<RedisServer[]> {
	const started = await Promise.all(Array.from({ length: count }, () => startRedis()));
	servers.push(...started);
	return started;
}

async function manage(more: Partial<ManagerSettings> = {}): Promise<Store> {
	const log = pino({ level: process.env.LOG ?? "silent" });
	const fast = { probeMs: 200, discoveryMs: 100, lossWaitSeconds: 3 };
	const manager = await openManager({ discovery: { kind: "file", path }, log, ...fast, ...more });
	managers.push(manager);
	return manager;
}

async function until(what: string, test: () => unknown, ms = 30_000): Promise<void> {
	const end = Date.now() + ms;
	while (!(await test())) {
		if (Date.now() > end) throw new Error(`${what}: ${JSON.stringify(managers.map((m) => m.nodes()))}`);
		await sleep(50);
	}
}

const isReady = (manager: Store, count: number) => () =>
	manager.nodes().length === count &&
	manager.nodes().every(({ state, reads, writes }) => state === "ready" && reads && writes);
const stateOf = (manager: Store, { name }: RedisServer) => manager.nodes().find(({ node }) => node === name)?.state;

const text = (payload: string) => ({ kind: "text" as const, payload: Buffer.from(payload) });

async function put(manager: Store, entries: readonly (readonly [string, string | undefined])[]): Promise<void> {
	const writes = entries.map(([key, value]) => ({
		key: Buffer.from(key),
		...(value === undefined ? {} : { value: text(value) }),
	}));
	for (let at = 0; at < writes.length; at += 500) {
		const outcomes = await manager.write(writes.slice(at, at + 500));
		expect(outcomes.filter(({ success }) => !success)).toEqual([]);
	}
}

async function get(manager: Store, key: string): Promise<string | undefined> {
	const [found] = await manager.read([Buffer.from(key)], "quorum");
	if (found!.found === "unavailable") throw new Error("no quorum");
	return found!.found === "value" ? found!.value.payload.toString() : undefined;
}

async function expectEqual(...nodes: RedisServer[]): Promise<number> {
	const [first, ...others] = await Promise.all(nodes.map((node) => node.records()));
	for (const other of others) expect(other).toEqual(first);
	return first!.length;
}

const many = (count: number, value = "x") =>
	Array.from({ length: count }, (_, i) => [`key ${i}`, `${value} ${i}`] as const);

afterEach(async () => {
	await Promise.all(managers.map((manager) => manager.close()));
	await Promise.all(servers.map((server) => server.remove()));
	[servers, managers] = [[], []];
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test("a node joins, is filled with large values too, and only then is read", async () => {
	const [a, b, c, d] = await start(4);
	list(a!, b!, c!);
	const manager = await manage();
	await until("ready", isReady(manager, 3));
	await put(manager, [...many(3000), ["large", "l".repeat(1_000_000)], ["gone", "x"]]);
	await put(manager, [["gone", undefined]]);
	list(a!, b!, c!, d!);
	await until("joined", isReady(manager, 4));
	expect(await expectEqual(a!, b!, c!, d!)).toBe(3002);
	expect(await manager.divergence()).toMatchObject({ equal: true, nodes: { length: 4 } });
});

test("what was written and deleted while a node was down is so when it is back", async () => {
	const [a, b, c] = await start(3);
	list(a!, b!, c!);
	const manager = await manage();
	await until("ready", isReady(manager, 3));
	await put(manager, many(500, "old"));
	await sleep(1100);
	await c!.kill();
	await until("noticed", () => !isReady(manager, 3)());
	await put(manager, [...many(100, "new"), ["key 200", undefined]]);
	await c!.start();
	await until("back", isReady(manager, 3), 60_000);
	expect(await expectEqual(a!, b!, c!)).toBe(500);
	expect(await get(manager, "key 200")).toBeUndefined();
	expect(await get(manager, "key 5")).toBe("new 5");
});

test("after all nodes were killed a round makes them readable again", async () => {
	const nodes = await start(3);
	list(...nodes);
	const manager = await manage();
	await until("ready", isReady(manager, 3));
	await put(manager, many(50));
	await sleep(1100);
	await Promise.all(nodes.map((node) => node.kill()));
	await until("noticed", () => manager.nodes().every(({ state }) => state === "unreachable"));
	await Promise.all(nodes.map((node) => node.start()));
	await until("ready again", isReady(manager, 3), 60_000);
	expect(await get(manager, "key 7")).toBe("x 7");
	expect(await expectEqual(...nodes)).toBe(50);
});

test("of two nodes that become three, both have to have a write until the third is settled", async () => {
	const [a, b, c] = await start(3);
	list(a!, b!);
	const patient = await manage({ lossWaitSeconds: 3600 });
	await until("ready", isReady(patient, 2));
	b!.pause();
	list(a!, b!, c!);
	await until("joined", () => stateOf(patient, c!) === "ready");
	const entry = { key: Buffer.from("k"), value: text("v") };
	expect(await patient.write([entry])).toMatchObject([{ success: false, writtenTo: 2, totalNodes: 3 }]);
	const manager = await manage({ lossWaitSeconds: 1 });
	await until("goes on without", async () => (await manager.write([entry]))[0]!.success);
	expect(await get(manager, "k")).toBe("v");
	b!.resume();
	await until("whole", isReady(manager, 3), 60_000);
	expect(await expectEqual(a!, b!, c!)).toBe(1);
});

const foreignStamp = formatStamp({ ms: Date.now() - 60_000, counter: 0, nodeId: "00000000000000aa" });
const foreignRecord = encodeRecord(foreignStamp, text("foreign")).toString("latin1");

test.each(["wipe", "merge"] as const)("a foreign node is left alone until the operator says %s", async (action) => {
	const [a, b, c, d] = await start(4);
	list(a!, b!, c!);
	const manager = await manage();
	await until("ready", isReady(manager, 3));
	await put(manager, many(100));
	await d!.cli("SET", "d:other", foreignRecord);
	await d!.cli("SET", "theirs", "stays");
	list(a!, b!, c!, d!);
	await until("held", () => stateOf(manager, d!) === "held");
	await put(manager, [["more", "1"]]);
	await manager.sync();
	expect((await d!.records()).length).toBe(1);
	expect(await get(manager, "other")).toBeUndefined();
	await manager.admit(d!.name, action);
	await until("joined", isReady(manager, 4));
	expect(await get(manager, "other")).toBe(action === "merge" ? "foreign" : undefined);
	expect(await expectEqual(a!, b!, c!, d!)).toBe(action === "merge" ? 102 : 101);
	expect(await d!.cli("GET", "theirs")).toBe("stays");
	await expect(manager.admit(d!.name, action)).rejects.toThrow(/HF_USAGE/);
});

test("a node that leaves gives what only it has to the others first, and a new manager knows of it", async () => {
	const [a, b, c, d] = await start(4);
	list(a!, b!, c!, d!);
	const first = await manage();
	await until("ready", isReady(first, 4));
	await put(first, many(200));
	const only = encodeRecord(
		formatStamp({ ms: Date.now(), counter: 0, nodeId: "00000000000000aa" }),
		text("only"),
	).toString("latin1");
	await first.close();
	managers = [];
	await d!.cli("SET", "d:only", only);
	list(a!, b!, c!);
	const second = await manage();
	await until("three are left", isReady(second, 3));
	expect(await get(second, "only")).toBe("only");
	expect(await expectEqual(a!, b!, c!)).toBe(201);
});

test("managers that are closed in the middle of a round, two at once, leave nothing that a third does not heal", async () => {
	const [a, b, c, d] = await start(4);
	list(a!, b!, c!);
	const [one, two] = [await manage({ pageSize: 20 }), await manage({ pageSize: 20 })];
	await until("ready", isReady(one, 3));
	// So many that they are under way for longer than it takes to look.
	const count = 10_000;
	await put(one, many(count));
	list(a!, b!, c!, d!);
	await until("it is being filled", async () => Number(await d!.cli("DBSIZE")) > 100);
	await Promise.all([one.close(), two.close()]);
	managers = [];
	expect(Number(await d!.cli("DBSIZE"))).toBeLessThan(count);
	const [three, four] = [await manage(), await manage()];
	await Promise.all([three.sync(), four.sync()]);
	await until("ready", isReady(three, 4));
	await until("ready for both", isReady(four, 4));
	// A round that was under way already may have begun without the fourth.
	await until("a round of all four", async () => (await three.sync()).nodes.length === 4);
	expect(await expectEqual(a!, b!, c!, d!)).toBe(count);
});
