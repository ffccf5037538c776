import { lacking, remaining, type Seen, serving } from "../../../runtime/redis/lacking.ts";
import type { NodeReport } from "../../../runtime/redis/store.ts";

const node = (slot: number) => ({ name: `r-${slot}`, address: { host: "127.0.0.1", port: 6379 + slot } });
const declared = [node(0), node(1), node(2)];

const report = (slot: number, more: Partial<NodeReport> = {}): NodeReport => ({
	...{ node: `127.0.0.1:${6379 + slot}`, nodeIp: "127.0.0.1", state: "ready", reads: true, writes: true },
	...more,
});
const seen = (manager: string, ...nodes: NodeReport[]): Seen => ({ manager, nodes });
const all = [report(0), report(1), report(2)];

test("whole is every declared node ready in every manager, and no other", () => {
	expect(lacking(declared, [seen("m-0", ...all), seen("m-1", ...all)])).toBeUndefined();
	expect(lacking(declared, [seen("m-0", ...all), { manager: "m-1", silent: "HF_UNREACHABLE" }])).toEqual({
		why: "an answer of m-1 (HF_UNREACHABLE)",
	});
	expect(lacking(declared, [seen("m-0", ...all), seen("m-1", report(0), report(1))])).toEqual({
		why: "m-1 to know r-2",
	});
	expect(lacking(declared, [seen("m-0", report(0), report(1, { state: "healing" }), report(2))])).toEqual({
		why: "r-1 to be ready in m-0 (healing)",
	});
	expect(
		lacking(declared, [seen("m-0", report(0), report(1), report(2, { state: "unreachable", reason: "timed out" }))]),
	).toEqual({ why: "r-2 to be ready in m-0 (unreachable: timed out)" });
	expect(lacking(declared, [seen("m-0", ...all, report(3, { state: "leaving" }))])).toEqual({
		why: "m-0 to let 127.0.0.1:6382 go (leaving)",
	});
});

test("a node that is held out waits for a person, and says what there is to do", () => {
	const lack = lacking(declared, [
		seen("m-0", report(0), report(1, { state: "held", reason: "away too long" }), report(2)),
	]);
	expect(lack).toEqual({
		why: "a decision over r-1, which m-0 holds out (away too long)",
		next: expect.stringContaining("POST /admin/nodes/127.0.0.1:6380"),
	});
});

test("a node may go once no manager counts it any more", () => {
	const leaving = [node(3), node(4)];
	const left = [...all, report(4, { state: "leaving" })];
	expect(remaining(leaving, [seen("m-0", ...all), seen("m-1", ...left)])).toBe("m-1 to have all that r-4 has");
	expect(remaining(leaving, [seen("m-0", ...all), { manager: "m-1", silent: "HF_UNREACHABLE" }])).toBe(
		"an answer of m-1 (HF_UNREACHABLE)",
	);
	expect(remaining(leaving, [seen("m-0", ...all), seen("m-1", ...all)])).toBeUndefined();
});

test("a node serves when every manager that answers says so", () => {
	const one = seen("m-0", ...all);
	const other = seen("m-1", report(0), report(1, { state: "restarted" }), report(2));
	const silent: Seen = { manager: "m-2", silent: "HF_CREDENTIALS" };
	expect(serving(declared, [one, silent])).toEqual(declared);
	expect(serving(declared, [one, other]).map(({ name }) => name)).toEqual(["r-0", "r-2"]);
	expect(serving(declared, [silent])).toEqual([]);
});
