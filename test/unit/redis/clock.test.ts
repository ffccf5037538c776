import fc from "fast-check";
import { HybridClock } from "../../../runtime/redis/clock.ts";
import {
	counterOf,
	formatStamp,
	greatestCounter,
	greatestMs,
	isStamp,
	msOf,
	type StampParts,
} from "../../../runtime/redis/stamp.ts";
import { seeded } from "../../support/long.ts";

const seed = Math.floor(seeded("redis clock")() * 2 ** 31);
const nodeIds = ["0000000000000000", "00000000000000ff", "ffffffffffffffff"];
const parts: fc.Arbitrary<StampParts> = fc.record({
	ms: fc.integer({ min: 0, max: greatestMs }),
	counter: fc.integer({ min: 0, max: greatestCounter }),
	nodeId: fc.constantFrom(...nodeIds),
});

describe("a stamp", () => {
	it("says what it was made of", () => {
		fc.assert(
			fc.property(parts, (made) => {
				const stamp = formatStamp(made);
				expect(isStamp(stamp)).toBe(true);
				expect({ ms: msOf(stamp), counter: counterOf(stamp), nodeId: stamp.slice(16) }).toEqual(made);
			}),
			{ seed, numRuns: 500 },
		);
	});

	it("is compared as milliseconds, then counter, then node id are", () => {
		fc.assert(
			fc.property(parts, parts, (a, b) => {
				const order = a.ms - b.ms || a.counter - b.counter || nodeIds.indexOf(a.nodeId) - nodeIds.indexOf(b.nodeId);
				const [one, other] = [formatStamp(a), formatStamp(b)];
				expect([one < other, one === other]).toEqual([order < 0, order === 0]);
			}),
			{ seed, numRuns: 500 },
		);
	});

	it.each([
		"",
		"0".repeat(31),
		"0".repeat(33),
		"0".repeat(31).concat("G"),
		"A".repeat(32),
		`${"0".repeat(31)}\n`,
	])("is not %j", (text) => expect(isStamp(text)).toBe(false));
});

describe("a hybrid clock", () => {
	const at = (ms: number, counter = 0, nodeId = nodeIds[0]!) => formatStamp({ ms, counter, nodeId });

	it("draws ever greater stamps, whatever the wall clock does, beyond all it has merged", () => {
		const step = fc.oneof(
			fc.record({ kind: fc.constant("wall" as const), by: fc.integer({ min: -100_000, max: 100_000 }) }),
			fc.record({ kind: fc.constant("tick" as const), by: fc.constant(0) }),
			fc.record({ kind: fc.constant("seen" as const), by: fc.integer({ min: -90_000, max: 90_000 }) }),
		);
		fc.assert(
			fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
				let wall = 1_000_000;
				let greatest = "";
				const clock = new HybridClock({ nodeId: nodeIds[1]!, now: () => wall, maxSkewMs: 60_000 });
				for (const { kind, by } of steps) {
					if (kind === "wall") wall = Math.max(0, wall + by);
					const seen = at(Math.max(0, wall + by), 7, nodeIds[2]);
					if (kind === "seen") {
						const isMerged = clock.observe(seen);
						expect(isMerged).toBe(seen <= greatest || by <= 60_000 || wall + by <= 60_000);
						if (isMerged && seen > greatest) greatest = seen;
					}
					if (kind !== "tick") continue;
					const stamp = clock.tick();
					expect(stamp > greatest).toBe(true);
					greatest = stamp;
				}
			}),
			{ seed, numRuns: 500 },
		);
	});

	it("follows the wall clock where that is ahead", () => {
		let wall = 5000;
		const clock = new HybridClock({ now: () => wall });
		clock.tick();
		wall = 9000;
		expect(clock.tick()).toBe(at(9000, 0, clock.nodeId));
	});

	it("borrows the next millisecond when its counter is full", () => {
		const clock = new HybridClock({ nodeId: nodeIds[0]!, now: () => 5000 });
		expect(clock.observe(at(5000, greatestCounter, nodeIds[2]))).toBe(true);
		expect(clock.tick()).toBe(at(5001, 0));
	});

	it("does not merge what is too far ahead", () => {
		const clock = new HybridClock({ now: () => 5000, maxSkewMs: 1000 });
		expect(clock.observe(at(6001))).toBe(false);
		expect(msOf(clock.tick())).toBe(5000);
		expect(clock.observe(at(6000))).toBe(true);
		expect(msOf(clock.tick())).toBe(6000);
	});

	it("draws a node id of its own, and takes none that would break the order", () => {
		expect(new HybridClock().nodeId).not.toBe(new HybridClock().nodeId);
		expect(() => new HybridClock({ nodeId: "me" })).toThrow(RangeError);
	});
});
