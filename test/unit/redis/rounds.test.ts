import { Cancelled, Party } from "../../../runtime/redis/party.ts";
import type { FakeRedisServer } from "../../support/fakeRedisNode.ts";
import { contentsOf, FakeWorld, SimulatedManager } from "../../support/redisStory.ts";

const NAMES = [1, 2, 3].map(FakeWorld.nameOf);
const value = (size: number) => ({ kind: "bytes" as const, payload: Buffer.alloc(size, 7) });

async function open(world: FakeWorld): Promise<SimulatedManager> {
	const manager = new SimulatedManager(world);
	manager.list(NAMES);
	await manager.look();
	await manager.round();
	return manager;
}

const servers = (world: FakeWorld): FakeRedisServer[] => [1, 2, 3].map((i) => world.server(i));
const turns = async (count: number) => {
	for (let i = 0; i < count; i++) await undefined;
};

test("a round carries what each lacks from each to each, large records too, and no more", async () => {
	const world = new FakeWorld(3);
	const manager = await open(world);
	for (let i = 0; i < 30; i++) await manager.write(`k${i}`, value(i % 5 === 0 ? 5000 : 10));
	world.time.now += 60_000;
	const [a, b, c] = servers(world);
	for (const [server, key] of [
		[a, "k0"],
		[b, "k1"],
		[c, "k2"],
		[c, "k5"],
	] as const)
		server!.records.delete(key);
	const report = await manager.rounds.run("test");
	expect(report).toMatchObject({ carried: 4, equal: NAMES, nodes: NAMES });
	expect(contentsOf(b!)).toEqual(contentsOf(a!));
	expect(contentsOf(c!)).toEqual(contentsOf(a!));
	expect(Object.keys(contentsOf(a!)).length).toBe(30);
	expect(await manager.rounds.run("test")).toMatchObject({ carried: 0 });
	expect(await manager.rounds.divergence()).toMatchObject({ equal: true });
});

test("divergence says which node differs, and repairs nothing", async () => {
	const world = new FakeWorld(3);
	const manager = await open(world);
	for (let i = 0; i < 10; i++) await manager.write(`k${i}`, value(1));
	world.time.now += 60_000;
	world.server(3).records.delete("k3");
	const found = await manager.rounds.divergence();
	expect(found.equal).toBe(false);
	expect(found.nodes.map(({ records, differing }) => [records, differing])).toEqual([
		[10, 0],
		[10, 0],
		[9, 1],
	]);
	expect(world.server(3).records.size).toBe(9);
});

test("a node that is full is out of the round, which the others end without it", async () => {
	const world = new FakeWorld(3);
	const manager = await open(world);
	await manager.write("k", value(1));
	world.time.now += 60_000;
	world.server(2).records.delete("k");
	world.server(3).records.delete("k");
	world.server(3).isFull = true;
	const { at } = world.server(3).mark!;
	const report = await manager.rounds.run("test");
	expect(report.equal).toEqual(NAMES.slice(0, 2));
	expect(world.server(3).mark!.at).toBe(at);
	expect(world.server(2).mark!.at).toBe(report.at);
});

test("a node that restarts during a round is not taken for equal in its new run", async () => {
	for (const pause of [1, 10, 30, 60, 100]) {
		const world = new FakeWorld(3);
		const manager = await open(world);
		for (let i = 0; i < 20; i++) await manager.write(`k${i}`, value(1));
		const third = world.server(3);
		third.sync();
		const round = manager.rounds.run("test");
		await turns(pause);
		third.stop();
		third.start();
		const isOver = await Promise.race([round.then(() => true), Promise.resolve(false)]);
		expect(isOver).toBe(false);
		expect((await round).equal).not.toContain(third.name);
		expect(third.mark!.runId).not.toBe(third.runId);
		expect(manager.membership.view.places.find(({ node }) => node.name === third.name)!.reads).toBe(false);
	}
});

test("a round that is ended stops at the next page, and marks nobody", async () => {
	const world = new FakeWorld(3);
	const manager = await open(world);
	for (let i = 0; i < 50; i++) await manager.write(`k${i}`, value(1));
	world.time.now += 60_000;
	const before = servers(world).map(({ mark }) => mark!.at);
	const round = manager.rounds.run("test");
	await turns(10);
	manager.kill();
	await expect(round).rejects.toThrow(Cancelled);
	expect(servers(world).map(({ mark }) => mark!.at)).toEqual(before);
});

test("nothing is given to another run of a server than the one that was looked at", async () => {
	const world = new FakeWorld(3);
	const manager = await open(world);
	const [watch] = manager.membership.watches;
	const party = new Party(watch!.node, watch!.facts!, new AbortController().signal);
	const link = manager.link(watch!.name);
	link.cuts++;
	expect(await party.ask((node) => node.headers("0", 10))).toBeDefined();
	world.server(1).stop();
	world.server(1).start();
	expect(await party.ask((node) => node.erase("0", 10))).toBeUndefined();
	expect(party.failure).toMatch(/restarted during the round/);
	expect(link.calls.has("erase")).toBe(false);
});

describe("when a node joins two", () => {
	const [A, B] = NAMES as [string, string, string];
	const pair = async () => {
		const world = new FakeWorld(3);
		const manager = new SimulatedManager(world, { lossWaitSeconds: 10 });
		manager.list([A, B]);
		await manager.look();
		await manager.round();
		world.time.now += 1000;
		manager.list(NAMES);
		await manager.look();
		return { world, manager };
	};
	const former = (world: FakeWorld) => servers(world).map(({ mark }) => mark?.former);

	test("a write needs both of them until the round that settles it", async () => {
		const { world, manager } = await pair();
		manager.link(B).deafTo = "store";
		expect(await manager.write("k", value(1))).toBeUndefined();
		manager.link(B).deafTo = undefined;
		expect(await manager.round()).toBe(true);
		expect(former(world)).toEqual([undefined, undefined, undefined]);
		manager.link(B).deafTo = "store";
		expect(await manager.write("k", value(1))).toBeDefined();
	});

	test("it is not settled while a majority of those before does not carry the new mark", async () => {
		const { world, manager } = await pair();
		manager.link(B).deafTo = "replaceMark";
		await manager.round();
		expect(former(world)).toEqual([[A, B], undefined, [A, B]]);
		expect(manager.rounds.due()).toBe("members change");
		manager.link(B).deafTo = "store";
		expect(await manager.write("k", value(1))).toBeUndefined();
		manager.link(B).deafTo = undefined;
		expect(await manager.round()).toBe(true);
		expect(former(world)).toEqual([undefined, undefined, undefined]);
		expect(manager.rounds.due()).toBeUndefined();
	});

	test("one that is away for good is waited for, and no longer", async () => {
		const { world, manager } = await pair();
		world.server(2).stop();
		for (let i = 0; i < 3; i++) await manager.look();
		await manager.round();
		expect(await manager.write("k", value(1))).toBeUndefined();
		world.time.now += 10_000;
		await manager.look();
		await manager.round();
		expect(former(world)[0]).toBeUndefined();
		expect(await manager.write("k", value(1))).toBeDefined();
	});

	test("a manager that has not heard of it does not undo it with a round that took longer", async () => {
		const { world, manager } = await pair();
		const late = new SimulatedManager(world);
		late.list([A, B]);
		await late.look();
		const gate = Promise.withResolvers<void>();
		const { node } = late.membership.watches[0]!;
		const headers = node.headers.bind(node);
		node.headers = (...page) => gate.promise.then(() => headers(...page));
		const round = late.rounds.run("test");
		await manager.round();
		gate.resolve();
		await round;
		expect(servers(world).map(({ mark }) => mark!.members)).toEqual([NAMES, NAMES, NAMES]);
		expect(late.registered).toEqual(NAMES);
	});
});

test("two rounds of two managers at once are harmless", async () => {
	const world = new FakeWorld(3);
	const [one, two] = [await open(world), await open(world)];
	for (let i = 0; i < 40; i++) await one.write(`k${i}`, value(1));
	world.time.now += 60_000;
	for (let i = 0; i < 40; i++) world.server(1 + (i % 3)).records.delete(`k${i}`);
	await Promise.all([one.rounds.run("test"), two.rounds.run("test")]);
	const [a, b, c] = servers(world).map(contentsOf);
	expect([b, c]).toEqual([a, a]);
	expect(Object.keys(a!).length).toBe(40);
});

test("a node that leaves takes no writes before the round that it leaves after", async () => {
	const world = new FakeWorld(3);
	const manager = await open(world);
	const leave = async () => {
		manager.list(NAMES.slice(0, 2));
		world.time.now += 10_000;
		await manager.look();
	};
	await leave();
	const places = manager.membership.view.places.map(({ writes }) => writes);
	expect(places).toEqual([true, true, false]);
	await manager.write("k", value(1));
	expect(world.server(3).records.size).toBe(0);
	for (let i = 0; i < 3; i++) {
		await leave();
		await manager.round();
	}
	expect(manager.registered).toEqual(NAMES.slice(0, 2));
});

test("calls that fail for a moment are made again", async () => {
	const world = new FakeWorld(3);
	const manager = await open(world);
	const [watch] = manager.membership.watches;
	const party = new Party(watch!.node, watch!.facts!, new AbortController().signal);
	let tries = 0;
	const answer = await party.ask(async () => {
		if (++tries < 3) throw Object.assign(new Error("late"), { code: "TIMEOUT" });
		return tries;
	});
	expect([answer, party.failure]).toEqual([3, undefined]);
	const refused = await party.ask(() => Promise.reject(Object.assign(new Error("full"), { code: "OUT_OF_MEMORY" })));
	expect([refused, party.failure]).toEqual([undefined, "full"]);
});
