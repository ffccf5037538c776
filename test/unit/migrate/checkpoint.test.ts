import fc from "fast-check";
import {
	addCounts,
	type Checkpoint,
	checkOf,
	type Owner,
	type Reached,
	reachedBy,
} from "../../../runtime/migrate/checkpoint.ts";
import { jsonDigest, sortedJson } from "../../../runtime/migrate/digest.ts";

const owner: Owner = { host: "a", pid: 1, born: "2", boot: "3", space: "4", token: "5" };
const reachedValues: fc.Arbitrary<Reached> = fc.record(
	{
		position: fc.string(),
		carry: fc.string(),
		counts: fc.dictionary(fc.constantFrom("read", "written", "dead"), fc.nat()),
		done: fc.boolean(),
	},
	{ requiredKeys: ["counts", "done"] },
);

function written(reached: Reached, fence = 3): Checkpoint {
	const _id = { migration: "m", job: "load", partition: 7 };
	const times = { leaseUntil: new Date(1), at: new Date(2) };
	return { _id, fence, owner, ...reached, ...times, check: checkOf(_id, fence, owner, reached) };
}

test("a checkpoint says what was written, whatever the order of its fields", () => {
	fc.assert(
		fc.property(reachedValues, (reached) => {
			const checkpoint = written(reached);
			expect(reachedBy(checkpoint)).toEqual(reached);
			expect(reachedBy(Object.fromEntries(Object.entries(checkpoint).reverse()) as unknown as Checkpoint)).toEqual(
				reached,
			);
			// A renewed lease is no change.
			expect(reachedBy({ ...checkpoint, leaseUntil: new Date(9), at: new Date(9) })).toEqual(reached);
		}),
	);
});

test("a checkpoint that was altered or cut off anywhere is refused", () => {
	const others: Record<string, unknown> = {
		position: "elsewhere",
		carry: "other",
		counts: { read: 1_000_001 },
		fence: 4,
		owner: { ...owner, pid: 2 },
		check: "0".repeat(64),
		_id: { migration: "m", job: "load", partition: 8 },
	};
	fc.assert(
		fc.property(reachedValues, fc.constantFrom(...Object.keys(others), "done"), fc.boolean(), (reached, field, cut) => {
			const checkpoint = written(reached) as unknown as Record<string, unknown>;
			fc.pre(!cut || checkpoint[field] !== undefined);
			const changed = { ...checkpoint, [field]: field === "done" ? !reached.done : others[field] };
			if (cut) delete changed[field];
			expect(() => reachedBy(changed as unknown as Checkpoint)).toThrow("HF_DAMAGED");
		}),
	);
});

test("sums keep every name", () => {
	expect(addCounts({ read: 3, written: 2 }, { read: 4, dead: 1 })).toEqual({ read: 7, written: 2, dead: 1 });
	expect(addCounts({ dead: 2, written: 1 }, { dead: -1, written: 1 })).toEqual({ dead: 1, written: 2 });
});

test("equal values have equal digests, others do not", () => {
	expect(sortedJson({ b: 1, a: { d: [2, { y: 1, x: 2 }], c: undefined } })).toBe('{"a":{"d":[2,{"x":2,"y":1}]},"b":1}');
	fc.assert(
		fc.property(fc.jsonValue(), fc.jsonValue(), (a, b) => {
			expect(jsonDigest(a) === jsonDigest(b)).toBe(sortedJson(a) === sortedJson(b));
		}),
	);
});
