import { setImmediate as turn } from "node:timers/promises";
import { HybridClock } from "../../../runtime/redis/clock.ts";
import { Coordinator } from "../../../runtime/redis/coordinator.ts";
import type { Place } from "../../../runtime/redis/port.ts";
import { encodeRecord } from "../../../runtime/redis/record.ts";
import { formatStamp, msOf } from "../../../runtime/redis/stamp.ts";
import type { Value } from "../../../runtime/redis/store.ts";
import { type FakeNode, fakeNodes } from "../../support/fakeNode.ts";

const key = Buffer.from("k");
const text = (words: string, expiresAt?: number): Value => ({
	...{ kind: "text", payload: Buffer.from(words) },
	...(expiresAt !== undefined && { expiresAt }),
});
const stampAt = (ms: number) => formatStamp({ ms, counter: 0, nodeId: "00000000000000aa" });
const put = (node: FakeNode, ms: number, value?: Value) => node.records.set("k", encodeRecord(stampAt(ms), value));

function over(count: number, states: Partial<Place>[] = []) {
	const nodes = fakeNodes(count);
	const places = nodes.map(({ node }, at) => ({ node, reads: true, writes: true, isSettled: true, ...states[at] }));
	const clock = new HybridClock({ now: () => 10_000, maxSkewMs: 1000 });
	const coordinator = new Coordinator({ view: () => ({ places }), clock, writeTimeoutMs: 50, graceMs: 1000 });
	const write = async (value?: Value, stamp?: string) =>
		(await coordinator.write([{ key, ...(value && { value }), ...(stamp && { stamp }) }]))[0]!;
	const read = async (consistency: "one" | "quorum" | "all" = "quorum") =>
		(await coordinator.read([key], consistency))[0]!;
	return { nodes, coordinator, clock, write, read };
}

/** Never answers. */
const silent = (node: FakeNode) => {
	node.draw = () => ({ fate: "ok", turns: Number.POSITIVE_INFINITY });
	node.store = () => new Promise(() => {});
	node.read = () => new Promise(() => {});
};
const failing = (node: FakeNode) => {
	node.draw = () => ({ fate: "failed", turns: 0 });
};

describe("a write", () => {
	it("goes to all and says where it stands", async () => {
		const { write, read } = over(3);
		const outcome = await write(text("v"));
		expect(outcome).toMatchObject({ success: true, writtenTo: 3, totalNodes: 3, superseded: false });
		expect(outcome.results[0]).toEqual({ node: "10.0.0.1:6379", nodeIp: "10.0.0.1", success: true, outcome: "ok" });
		expect(await read()).toEqual({ found: "value", value: text("v"), stamp: outcome.stamp });
	});

	it("succeeds with a majority of the registered, and not with less", async () => {
		const { nodes, write } = over(3);
		failing(nodes[0]!);
		expect(await write(text("v"))).toMatchObject({ success: true, writtenTo: 2 });
		failing(nodes[1]!);
		const outcome = await write(text("w"));
		expect(outcome).toMatchObject({ success: false, writtenTo: 1, totalNodes: 3 });
		expect(outcome.results[0]).toMatchObject({ success: false, outcome: "failed", code: "UNREACHABLE" });
	});

	it("needs a majority of those that counted before as well, while members change", async () => {
		const { nodes, write } = over(3, [{}, {}, { isSettled: false }]);
		failing(nodes[1]!);
		expect(await write(text("v"))).toMatchObject({ success: false, writtenTo: 2, totalNodes: 3 });
		const { nodes: others, write: writeToOthers } = over(3, [{}, {}, { isSettled: false }]);
		failing(others[2]!);
		expect(await writeToOthers(text("v"))).toMatchObject({ success: true, writtenTo: 2 });
	});

	it("does not count a place that is held, nor leave it out of the majority", async () => {
		const { nodes, write } = over(3, [{ writes: false }, { writes: false }]);
		const outcome = await write(text("v"));
		expect(outcome).toMatchObject({ success: false, writtenTo: 1, totalNodes: 3 });
		expect(outcome.results[0]).toMatchObject({ outcome: "failed", code: "HELD" });
		expect(nodes[0]!.stored).toEqual([]);
	});

	it("without any place fails", async () => {
		expect(await over(0).write(text("v"))).toMatchObject({ success: false, totalNodes: 0, results: [] });
		expect(await over(2, [{ writes: false }, { writes: false }]).write(text("v"))).toMatchObject({ writtenTo: 0 });
	});

	it("is over at its deadline, and unknown where nothing was said", async () => {
		const { nodes, write } = over(3);
		silent(nodes[2]!);
		const outcome = await write(text("v"));
		expect(outcome).toMatchObject({ success: true, writtenTo: 2 });
		expect(outcome.results[2]).toMatchObject({ success: false, outcome: "unknown", code: "TIMEOUT" });
	});

	it("that is fresh goes beyond what it meets, on all nodes", async () => {
		const { nodes, write, read, coordinator } = over(3);
		put(nodes[1]!, 10_500, text("older in truth"));
		const outcome = await write(text("v"));
		expect(outcome).toMatchObject({ success: true, writtenTo: 3, superseded: false });
		expect(outcome.stamp > stampAt(10_500)).toBe(true);
		expect(await read("all")).toMatchObject({ value: text("v"), stamp: outcome.stamp });
		expect(coordinator.counts().restamped).toBe(1);
	});

	it("that is fresh may stand where only its last offer failed", async () => {
		const { nodes, write } = over(3);
		put(nodes[1]!, 10_500, text("older in truth"));
		const store = nodes[0]!.store.bind(nodes[0]!);
		let offers = 0;
		nodes[0]!.store = (at, record) => {
			if (offers++ > 0) failing(nodes[0]!);
			return store(at, record);
		};
		const { results } = await write(text("v"));
		expect(offers).toBe(2);
		expect(results.map(({ outcome }) => outcome)).toEqual(["unknown", "ok", "ok"]);
	});

	it("that is fresh and overtaken again and again ends as overwritten", async () => {
		const { nodes, write } = over(1);
		let ms = 10_000;
		const store = nodes[0]!.store.bind(nodes[0]!);
		nodes[0]!.store = (at, record) => {
			put(nodes[0]!, ++ms + 100, text("faster"));
			return store(at, record);
		};
		expect(await write(text("v"))).toMatchObject({ success: true, superseded: true });
		expect(nodes[0]!.stored).toHaveLength(4);
	});

	it("with a stamp of its own is not stamped anew", async () => {
		const { nodes, write } = over(3);
		for (const node of nodes) put(node, 9000, text("newer"));
		const outcome = await write(text("v"), stampAt(8000));
		expect(outcome).toMatchObject({ success: true, writtenTo: 3, superseded: true, stamp: stampAt(8000) });
		expect(nodes[0]!.stored).toHaveLength(1);
	});

	it("repeated with its stamp is the same write", async () => {
		const { write } = over(3);
		const { stamp } = await write(text("v"));
		expect(await write(text("v"), stamp)).toMatchObject({ success: true, superseded: false, stamp });
	});

	it("with a stamp too far ahead reaches no node", async () => {
		const { nodes, write } = over(3);
		const outcome = await write(text("v"), stampAt(11_001));
		expect(outcome).toMatchObject({ success: false, writtenTo: 0 });
		expect(outcome.results.map(({ code }) => code)).toEqual(Array(3).fill("STAMP_AHEAD"));
		expect(nodes[0]!.stored).toEqual([]);
	});

	it("fails where a stamp too far ahead stands, and the clock does not follow", async () => {
		const { nodes, write, clock } = over(3);
		put(nodes[0]!, 99_000, text("from the future"));
		const outcome = await write(text("v"));
		expect(outcome).toMatchObject({ success: true, writtenTo: 2, superseded: false });
		expect(outcome.results[0]).toMatchObject({ outcome: "failed", code: "STAMP_AHEAD" });
		expect(msOf(clock.tick())).toBe(10_000);
	});
});

describe("a read", () => {
	it("takes the newest of a majority", async () => {
		const { nodes, read } = over(3);
		put(nodes[0]!, 1, text("old"));
		put(nodes[1]!, 2, text("new"));
		failing(nodes[2]!);
		expect(await read()).toMatchObject({ found: "value", value: text("new"), stamp: stampAt(2) });
	});

	it("finds nothing where the newest is a delete or past its expiry, and tells its stamp", async () => {
		const { nodes, read } = over(3);
		for (const node of nodes) put(node, 1, text("old"));
		put(nodes[1]!, 2);
		expect(await read("all")).toEqual({ found: "nothing", stamp: stampAt(2) });
		put(nodes[2]!, 3, text("brief", 10_000));
		expect(await read("all")).toEqual({ found: "nothing", stamp: stampAt(3) });
	});

	it("finds nothing without a stamp where nobody knows the key", async () => {
		expect(await over(3).read()).toEqual({ found: "nothing" });
	});

	it("does not wait for the slow where enough have answered", async () => {
		const { nodes, read } = over(3);
		for (const node of nodes) put(node, 1, text("v"));
		silent(nodes[0]!);
		expect(await read("quorum")).toMatchObject({ found: "value" });
		silent(nodes[1]!);
		expect(await read("one")).toMatchObject({ found: "value" });
	});

	it("is unavailable as soon as too few are left, by registered nodes", async () => {
		const { nodes, read } = over(3);
		failing(nodes[0]!);
		silent(nodes[1]!);
		expect(await read("all")).toEqual({ found: "unavailable", answered: expect.any(Number), needed: 3 });
		failing(nodes[1]!);
		nodes[1]!.read = Object.getPrototypeOf(nodes[1]!).read;
		expect(await read("quorum")).toMatchObject({ found: "unavailable", needed: 2 });
		expect(await over(3, [{ reads: false }, { reads: false }]).read()).toMatchObject({ found: "unavailable" });
		expect(await over(0).read("one")).toMatchObject({ found: "unavailable", needed: 1 });
	});

	it("repairs who is stale, also who answers late", async () => {
		const { nodes, read, coordinator } = over(3);
		put(nodes[0]!, 2, text("new"));
		put(nodes[1]!, 1, text("old"));
		nodes[2]!.draw = () => ({ fate: "ok", turns: 50 });
		await read();
		await turn();
		await turn();
		for (const node of nodes) expect(node.records.get("k")).toEqual(nodes[0]!.records.get("k"));
		expect(coordinator.counts().repairs).toMatchObject({ done: 2, failed: 0, dropped: 0 });
	});

	it("repairs nobody where all agree", async () => {
		const { nodes, read } = over(3);
		for (const node of nodes) put(node, 1, text("v"));
		await read("all");
		await turn();
		expect(nodes.flatMap(({ stored }) => stored)).toEqual([]);
	});

	it("does not bring back what is about to be dropped", async () => {
		const { nodes, read } = over(3);
		put(nodes[0]!, 9000, undefined);
		await read("all");
		await turn();
		expect(nodes.flatMap(({ stored }) => stored)).toEqual([]);
	});

	it("takes a string that is no record for nothing, counts it, and lets it be overwritten", async () => {
		const { nodes, read, coordinator } = over(3);
		nodes[0]!.records.set("k", Buffer.from("what is this"));
		put(nodes[1]!, 1, text("v"));
		expect(await read("all")).toMatchObject({ found: "value", value: text("v") });
		await turn();
		expect(nodes[0]!.records.get("k")).toEqual(nodes[1]!.records.get("k"));
		expect(coordinator.counts().foreign).toBe(1);
	});

	it("does not answer with a damaged payload, and mends it", async () => {
		const { nodes, read, coordinator } = over(3);
		for (const node of nodes) put(node, 1, text("v"));
		const damaged = Buffer.from(nodes[0]!.records.get("k")!);
		damaged[damaged.length - 1]! ^= 1;
		nodes[0]!.records.set("k", damaged);
		expect(await read()).toMatchObject({ value: text("v") });
		await turn();
		expect(nodes[0]!.records.get("k")).toEqual(nodes[1]!.records.get("k"));
		expect(coordinator.counts().damaged).toBe(1);
	});

	it("does not count a stamp too far ahead", async () => {
		const { nodes, read, coordinator } = over(3);
		put(nodes[0]!, 99_000, text("from the future"));
		put(nodes[1]!, 1, text("v"));
		expect(await read()).toMatchObject({ value: text("v") });
		expect(coordinator.counts().ahead).toBe(1);
	});

	it("of many keys answers each, in order", async () => {
		const { coordinator } = over(3);
		await coordinator.write([{ key: Buffer.from("a"), value: text("1") }, { key: Buffer.from("b") }]);
		const keys = ["a", "b", "c"].map((name) => Buffer.from(name));
		expect(await coordinator.read(keys, "quorum")).toMatchObject([
			{ found: "value", value: text("1") },
			{ found: "nothing", stamp: expect.any(String) },
			{ found: "nothing" },
		]);
		expect(await coordinator.read([], "quorum")).toEqual([]);
		expect(await coordinator.write([])).toEqual([]);
	});
});
