import { NodeWatch } from "../../../runtime/redis/nodeWatch.ts";
import type { NodeFacts, RedisNode } from "../../../runtime/redis/port.ts";
import { hasReturned } from "../../../runtime/redis/roundDue.ts";

function scene() {
	const time = { now: 1_800_000_025_000 };
	const mark = { phase: "equal" as const, at: time.now - 60_000, runId: "run", members: ["10.0.0.1:6379"] };
	const facts = { runId: "run", version: "7.0.15", hasRecords: true, clock: time.now, durability: "always" };
	const node = {
		...{ name: "10.0.0.1:6379", connections: 1, isAvailable: true },
		facts: async (): Promise<NodeFacts> => ({ ...facts, memory: { used: 0, limit: 0 }, mark: { ...mark } }),
	};
	const clocks = { wall: () => time.now, steady: () => 0, now: () => time.now };
	const watch = new NodeWatch(node as unknown as RedisNode, { ip: "10.0.0.1", port: 6379 }, clocks);
	return { time, mark, node, watch };
}

test("a return is over once a round came after it, also when the clock was set back in between", async () => {
	const { time, mark, node, watch } = scene();
	await watch.look();
	expect(hasReturned(watch)).toBe(false);
	node.connections = 2;
	await watch.look();
	expect(hasReturned(watch)).toBe(true);

	time.now -= 25_000;
	watch.setBackTo(time.now);
	expect(hasReturned(watch)).toBe(true);
	mark.at = time.now + 10;
	await watch.look();
	expect(hasReturned(watch)).toBe(false);
});

test("a node that did not answer at first has returned when it does", async () => {
	const { node, watch } = scene();
	const { facts } = node;
	node.facts = () => Promise.reject(new Error("hangs"));
	await watch.look();
	node.facts = facts;
	await watch.look();
	expect(hasReturned(watch)).toBe(true);
});
