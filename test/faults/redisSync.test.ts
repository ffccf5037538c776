import { setTimeout as sleep } from "node:timers/promises";
import { FaultProxy } from "../support/faultProxy.ts";
import { long } from "../support/long.ts";
import { ManagerProcess } from "../support/managerProcess.ts";
import { loadRecords } from "../support/redisLoad.ts";
import { type RedisServer, removeRedises, startRedises } from "../support/redisServers.ts";
import { until } from "../support/until.ts";

jest.setTimeout(long ? 900_000 : 180_000);

const COUNT = long ? 120_000 : 30_000;
let servers: RedisServer[] = [];
let proxies: FaultProxy[] = [];

beforeEach(async () => {
	servers = await startRedises(3);
	proxies = await Promise.all(servers.map((server) => FaultProxy.start(server)));
});
afterEach(async () => {
	await ManagerProcess.removeAll();
	for (const proxy of proxies) await proxy.stop();
	await removeRedises();
});

const size = async (server: RedisServer) => Number(await server.cli("DBSIZE"));
/** So that a round takes long enough to be killed in: each packet to and from the empty node travels longer. */
const slow = { kind: "delay", toServerMs: 40, toClientMs: 40 } as const;

/** A killed manager's lease only makes the next one wait, which the long form does. */
async function endLease(): Promise<void> {
	if (!long) await Promise.all(servers.map((server) => server.cli("DEL", "m:lock")));
}

/** Two nodes with different parts of the data and one that lost everything; marks of an earlier round on the first two. */
async function diverged(names: string[]): Promise<void> {
	const first = await ManagerProcess.start(names);
	await first.whole(3);
	await first.client.sync();
	await first.end();
	const third = Math.floor(COUNT / 3);
	await loadRecords(servers[0]!, { count: 2 * third });
	await loadRecords(servers[1]!, { from: third, count: 2 * third });
	await servers[2]!.wipe();
	await servers[2]!.start();
	expect(await size(servers[2]!)).toBe(0);
}

/** Waits until the empty node is partly filled. */
async function underWay(): Promise<number> {
	const filled = await until("the round to be under way", 60_000, async () => {
		const found = await size(servers[2]!);
		return found > 100 && found;
	});
	expect(filled).toBeLessThan(3 * Math.floor(COUNT / 3));
	return filled;
}

async function equal(): Promise<void> {
	const held = await Promise.all(servers.map((server) => server.records()));
	expect(held.map((records) => records.length)).toEqual(Array(3).fill(3 * Math.floor(COUNT / 3)));
	const texts = held.map((records) => JSON.stringify(records));
	expect(texts[1] === texts[0] && texts[2] === texts[0]).toBe(true);
}

test("a manager killed in the middle of a round, twice: the next one finishes, and all nodes are equal", async () => {
	const names = proxies.map(({ name }) => name);
	await diverged(names);
	proxies[2]!.set(slow);
	const filled: number[] = [];
	for (let kills = 0; kills < 2; kills++) {
		const manager = await ManagerProcess.start(names);
		await until("more than before", 60_000, async () => (await underWay()) > (filled.at(-1) ?? 0));
		await manager.kill();
		await endLease();
		filled.push(await size(servers[2]!));
		// What is half full does not say that it is equal.
		expect(JSON.parse(await servers[2]!.cli("GET", "m:mark"))).toMatchObject({ phase: "joining" });
	}
	process.stderr.write(`killed with ${filled} of ${COUNT} records on the empty node\n`);
	expect(proxies[2]!.tally.delayed).toBeGreaterThan(0);
	proxies[2]!.heal();
	const last = await ManagerProcess.start(names);
	await last.whole(3, 120_000);
	await equal();
	const { body } = await last.client.divergence();
	expect(body).toMatchObject({ equal: true });
	expect(new Set(body.nodes.map(({ digest }) => digest)).size).toBe(1);
});

test("two managers at once in a round, one of them killed, writes going on: all nodes end equal", async () => {
	const names = proxies.map(({ name }) => name);
	await diverged(names);
	proxies[2]!.set(slow);
	const [killed, survivor] = await Promise.all([ManagerProcess.start(names), ManagerProcess.start(names)]);
	let isOver = false;
	const acknowledged: string[] = [];
	const writer = (async () => {
		for (let i = 0; !isOver; i++, await sleep(5)) {
			const { status } = await survivor.client.write(`key:${i}`, `written meanwhile ${i}`);
			if (status === 200) acknowledged.push(`key:${i}`);
		}
	})();
	// Asked for, a round does not wait for the lease: both are at work.
	const rounds = [killed, survivor].map(({ client }) => client.sync().catch(() => undefined));
	await underWay();
	await killed.kill();
	await endLease();
	proxies[2]!.heal();
	await Promise.all(rounds);
	await survivor.whole(3, 120_000);
	isOver = true;
	await writer;
	await survivor.client.sync();
	await equal();
	expect(acknowledged.length).toBeGreaterThan(0);
	for (let from = 0; from < acknowledged.length; from += 500) {
		const keys = acknowledged.slice(from, from + 500);
		const { body } = await until("all nodes to answer", 30_000, async () => {
			const answer = await survivor.client.many(keys, "all");
			return answer.status === 200 && answer;
		});
		for (const { key, value } of body.results) expect(value).toBe(`written meanwhile ${key.slice("key:".length)}`);
	}
});
