import { setImmediate as turn } from "node:timers/promises";
import { encodeRecord } from "../../../runtime/redis/record.ts";
import { type RepairLimits, Repairs } from "../../../runtime/redis/repair.ts";
import { formatStamp } from "../../../runtime/redis/stamp.ts";
import { type FakeNode, fakeNodes } from "../../support/fakeNode.ts";

const record = (ms: number, size = 1) =>
	encodeRecord(formatStamp({ ms, counter: 0, nodeId: "0".repeat(16) }), { kind: "bytes", payload: Buffer.alloc(size) });
const keyOf = (name: string) => Buffer.from(name);

/** Repairs over one node that answers when told to. */
function scene(limits?: RepairLimits) {
	const [node] = fakeNodes(1) as [FakeNode];
	const held: (() => void)[] = [];
	const store = node.store.bind(node);
	node.store = async (...args) => {
		await new Promise<void>((resolve) => held.push(resolve));
		return store(...args);
	};
	const release = async () => {
		for (const go of held.splice(0)) go();
		await turn();
	};
	const state = { writes: true };
	const repairs = new Repairs(() => state.writes, limits);
	return {
		node,
		held,
		release,
		repairs,
		state,
		add: (name: string, of: Buffer) => repairs.add(node.node, keyOf(name), of),
	};
}

it("lets so many be under way at a time", async () => {
	const { held, release, repairs, add } = scene({ concurrency: 2 });
	for (const name of ["a", "b", "c"]) add(name, record(1));
	await turn();
	expect(held).toHaveLength(2);
	expect(repairs.counts()).toMatchObject({ waiting: 1, underWay: 2 });
	await release();
	await release();
	expect(repairs.counts()).toMatchObject({ waiting: 0, underWay: 0, done: 3 });
});

it("keeps one repair for a key, the newest", async () => {
	const { node, release, add } = scene({ concurrency: 1 });
	add("busy", record(1));
	await turn();
	for (const ms of [2, 4, 3]) add("a", record(ms));
	await release();
	await release();
	expect(node.stored).toEqual(["busy", "a"]);
	expect(node.records.get("a")).toEqual(record(4));
});

it("drops what is too much, by number and by bytes, and counts it", async () => {
	const few = scene({ concurrency: 1, waiting: 2 });
	for (const name of ["a", "b", "c"]) few.add(name, record(1));
	expect(few.repairs.counts()).toMatchObject({ waiting: 2, dropped: 1 });
	const small = scene({ concurrency: 1, bytes: 200 });
	for (const name of ["a", "b"]) small.add(name, record(1, 100));
	expect(small.repairs.counts()).toMatchObject({ waiting: 1, dropped: 1 });
	await turn();
	// What is under way does not wait any more.
	small.add("c", record(1, 100));
	expect(small.repairs.counts()).toMatchObject({ waiting: 1, underWay: 1, dropped: 1 });
});

it("does not share memory with what was read", async () => {
	const { node, release, add } = scene();
	const read = record(1);
	add("a", read);
	read.fill(0);
	await turn();
	await release();
	expect(node.records.get("a")).toEqual(record(1));
});

it("leaves a node alone that takes no writes any more", async () => {
	const { node, repairs, add, state } = scene();
	state.writes = false;
	add("a", record(1));
	await turn();
	expect(node.stored).toEqual([]);
	expect(repairs.counts()).toMatchObject({ waiting: 0, dropped: 1 });
});

it("counts what failed, and what was outdated", async () => {
	const { node, release, repairs, add } = scene();
	node.records.set("a", record(9));
	node.draw = () => ({ fate: node.stored.length === 1 ? "ok" : "failed", turns: 0 });
	add("a", record(1));
	await turn();
	await release();
	add("b", record(1));
	await turn();
	await release();
	expect(repairs.counts()).toMatchObject({ done: 0, outdated: 1, failed: 1 });
});

it("forgets what waits when it is closed, and takes nothing more", async () => {
	const { node, release, repairs, add } = scene({ concurrency: 1 });
	for (const name of ["a", "b"]) add(name, record(1));
	await turn();
	repairs.close();
	add("c", record(1));
	await release();
	expect(node.stored).toEqual(["a"]);
	expect(repairs.counts()).toMatchObject({ waiting: 0, underWay: 0 });
});
