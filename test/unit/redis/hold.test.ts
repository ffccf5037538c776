import { setTimeout as sleep } from "node:timers/promises";
import type { ManagerSettings } from "../../../runtime/redis/managerSettings.ts";
import { encodeRecord } from "../../../runtime/redis/record.ts";
import { formatStamp } from "../../../runtime/redis/stamp.ts";
import { contentsOf, FakeWorld, GRACE_SECONDS, SimulatedManager } from "../../support/redisStory.ts";

const NAMES = [1, 2, 3].map(FakeWorld.nameOf);
const text = (payload: string) => ({ kind: "text" as const, payload: Buffer.from(payload) });
const read = async (manager: SimulatedManager, key: string) => {
	const [found] = await manager.coordinator.read([Buffer.from(key)], "quorum");
	return found!.found === "value" ? found!.value.payload.toString() : found!.found;
};

async function open(world: FakeWorld, more: Partial<ManagerSettings> = {}): Promise<SimulatedManager> {
	const manager = new SimulatedManager(world, more);
	manager.list(NAMES);
	await settle(manager);
	return manager;
}

async function settle(manager: SimulatedManager): Promise<void> {
	for (let i = 0; i < 6; i++) {
		manager.world.time.now += 20_000;
		await manager.look();
		await manager.round();
	}
}

/** Three nodes; the third goes away, a key is deleted, and it comes back when the tombstone has gone everywhere. */
async function stale(more: Partial<ManagerSettings> = {}) {
	const world = new FakeWorld(3);
	const before = await open(world);
	await before.write("zombie", text("old"));
	await before.write("kept", text("old"));
	await settle(before);
	const third = world.server(3);
	third.stop({ clean: true });
	await before.write("zombie");
	await before.write("kept", text("new"));
	for (let day = 0; day < 11; day++) {
		world.time.now += 86_400_000;
		await settle(before);
	}
	before.kill();
	third.start();
	third.records.set(
		"only",
		encodeRecord(formatStamp({ ms: world.time.now - 1e9, counter: 0, nodeId: "a".repeat(16) }), text("only")),
	);
	expect(world.server(1).records.has("zombie")).toBe(false);
	return { world, third, manager: await open(world, more) };
}

const standing = (manager: SimulatedManager) => manager.membership.admissions.get(FakeWorld.nameOf(3))?.standing;

async function until(manager: SimulatedManager, wanted: string): Promise<void> {
	for (let i = 0; i < 2000 && standing(manager) !== wanted; i++) {
		await sleep(5);
		await settle(manager);
	}
	expect(standing(manager)).toBe(wanted);
}

test("a node that was away for longer than the grace is neither read nor written, repaired nor compared", async () => {
	const { world, third, manager } = await stale();
	expect(standing(manager)).toBe("stale");
	const before = JSON.stringify(contentsOf(third));
	await manager.write("more", text("1"));
	expect(await read(manager, "zombie")).toBe("nothing");
	expect(await read(manager, "only")).toBe("nothing");
	await manager.rounds.run("test");
	await settle(manager);
	expect(JSON.stringify(contentsOf(third))).toBe(before);
	expect([...manager.link(third.name).calls.keys()]).toEqual(["facts"]);
	expect(contentsOf(world.server(1))).toEqual(contentsOf(world.server(2)));
});

test("wiped, it joins with what the others have, and nothing of it comes back", async () => {
	const { world, third, manager } = await stale();
	manager.holds.decide(third.name, "wipe");
	await until(manager, "same");
	expect(await read(manager, "zombie")).toBe("nothing");
	expect(await read(manager, "kept")).toBe("new");
	expect(contentsOf(third)).toEqual(contentsOf(world.server(1)));
	expect(third.records.has("only")).toBe(false);
});

test("merged, what only it has comes first to the others", async () => {
	const { world, third, manager } = await stale();
	manager.holds.decide(third.name, "merge");
	await until(manager, "same");
	expect([await read(manager, "zombie"), await read(manager, "only"), await read(manager, "kept")]).toEqual([
		...["old", "only", "new"],
	]);
	expect(contentsOf(third)).toEqual(contentsOf(world.server(1)));
});

test("by a setting it is merged without a word", async () => {
	const { manager } = await stale({ onStale: "merge" });
	await until(manager, "same");
	expect(await read(manager, "only")).toBe("only");
});

test("without a majority of the others nothing is removed", async () => {
	const { world, third, manager } = await stale();
	world.server(2).isFull = true;
	manager.holds.decide(third.name, "merge");
	for (let i = 0; i < 10; i++) {
		await sleep(5);
		await manager.look();
	}
	expect(standing(manager)).toBe("stale");
	expect(manager.holds.state(third.name)).toContain("did not reach a majority");
	expect(third.records.size).toBe(3);
});

test("a wipe that was cut short is ended by another manager, and its remains never spread", async () => {
	const { world, third, manager } = await stale();
	for (let i = 0; i < 50; i++) third.records.set(`rest ${i}`, third.records.get("zombie")!);
	manager.link(third.name).deafTo = "erase";
	manager.holds.decide(third.name, "wipe");
	while (manager.holds.state(third.name)?.includes("HF_UNREACHABLE") !== true) await sleep(5);
	manager.kill();
	for (let i = 0; i < 25; i++) third.records.delete(`rest ${i}`);
	const other = await open(world);
	await until(other, "same");
	expect(contentsOf(third)).toEqual(contentsOf(world.server(1)));
	expect(third.records.has("zombie") || third.records.has("rest 49")).toBe(false);
});

test("only a node that is held can be decided over", async () => {
	const { manager } = await stale();
	expect(() => manager.holds.decide(FakeWorld.nameOf(1), "wipe")).toThrow(/HF_USAGE/);
	expect(() => manager.holds.decide("10.9.9.9:1", "wipe")).toThrow(/HF_USAGE/);
});

test("a system that was off for longer than the grace holds nobody whose mark is as new as the others'", async () => {
	const world = new FakeWorld(3);
	const manager = await open(world);
	await manager.write("k", text("v"));
	await manager.rounds.run("last");
	manager.kill();
	world.time.now += 2 * GRACE_SECONDS * 1000;
	const next = await open(world);
	expect(standing(next)).toBe("same");
	expect(await read(next, "k")).toBe("v");
});
