import { encodeRecord } from "../../../runtime/redis/record.ts";
import type { Written } from "../../support/redisClient.ts";
import { Registers } from "../../support/redisModel.ts";

const stamp = (n: number): string => n.toString(16).padStart(12, "0") + "0".repeat(20);
const answer = (at: number, outcomes: ("ok" | "failed" | "unknown")[]): Written => {
	const results = outcomes.map((outcome, i) => ({
		node: `n${i}`,
		nodeIp: "n",
		success: outcome === "ok",
		outcome,
	}));
	const writtenTo = results.filter(({ success }) => success).length;
	return { success: writtenTo > 1, writtenTo, totalNodes: 3, results, stamp: stamp(at), timestamp: at };
};
const done = (at: number) => answer(at, ["ok", "ok", "failed"]);
const held = (key: string, at: number, value?: string) => {
	const record = encodeRecord(
		stamp(at),
		value === undefined ? undefined : { kind: "text", payload: Buffer.from(value) },
	);
	return { key: Buffer.from(`d:${key}`).toString("hex"), value: record.toString("hex"), expiry: -1 };
};

let registers: Registers;
const write = (value: string | undefined, what: Written | undefined, expiresAt?: number) =>
	registers.wrote({ key: "k", value, from: performance.now() }, what, { expiresAt });
const read = (status: number, body: object, clock = 0) =>
	registers.read("k", "quorum", performance.now(), { status, body, headers: {}, ms: 1 }, clock);
const told = () => registers.violations.map((text) => text.split(":\n")[0]);

beforeEach(() => {
	registers = new Registers();
});

test("what must be is no violation: the newest, its successors, open writes, deletes", () => {
	write("a", done(1));
	write("b", answer(2, ["ok", "unknown", "failed"]));
	write(undefined, done(3));
	read(404, { stamp: stamp(3) });
	registers.final([held("k", 3)]);
	write("c", undefined);
	registers.final([held("k", 9, "c")]);
	read(503, {});
	expect(registers.violations).toEqual([]);
	expect(registers.checked).toEqual({ reads: 1, orders: 2, finals: 2 });
});

test("a lost write, a deleted value that is back, and a made up one are found", () => {
	write("a", done(1));
	write(undefined, done(2));
	registers.final([held("k", 1, "a")]);
	registers.final([]);
	registers.final([held("k", 3, "z")]);
	expect(told()).toEqual([
		`k ends with ${stamp(1)}, and ${stamp(2)} was acknowledged`,
		`k ends with undefined, and ${stamp(2)} was acknowledged`,
		"k ends with z, which nobody wrote",
	]);
});

test("a write that landed nowhere is not found later, unless it was sent again", () => {
	write("a", answer(1, ["failed", "failed", "failed"]));
	registers.final([held("k", 1, "a")]);
	expect(told()).toEqual(["k ends with a, which nobody wrote"]);
	registers.violations.length = 0;
	registers.repeats(registers.sent[0]!);
	registers.repeated(registers.sent[0]!, done(1));
	registers.final([held("k", 1, "a")]);
	expect(told()).toEqual([]);
	registers.final([]);
	expect(told()).toHaveLength(1);
});

test("reads that go back, that find what has expired, or nothing where something lives, are found", () => {
	write("a", done(1));
	write("b", done(2), 50_000);
	read(200, { value: "a", stamp: stamp(1) });
	read(404, {});
	read(200, { value: "b", stamp: stamp(2), expiresAt: 50_000 }, 50_000);
	read(404, { stamp: stamp(2) }, 1000);
	read(404, { stamp: stamp(2) }, 50_000);
	expect(told()).toEqual([
		`k read 200 of ${stamp(1)} after ${stamp(2)} was acknowledged`,
		`k read 404 of  after ${stamp(2)} was acknowledged`,
		"k read b past its expiry",
		`k read 404 where ${stamp(2)} is alive`,
	]);
});

test("a write that is acknowledged below an earlier one is found", () => {
	write("a", done(5));
	write("b", done(4));
	expect(told()).toEqual([`k was written at ${stamp(4)} after ${stamp(5)} was acknowledged`]);
});
