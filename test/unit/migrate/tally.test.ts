import { allowed, type Limit, Tally } from "../../../runtime/migrate/tally.ts";
import type { LoadCount } from "../../../runtime/migrate/work.ts";

const partitions = [0, 1].map((index) => ({ index, label: `p ${index}`, total: 500, range: {} }));
const limit = (most: number | string): Limit<LoadCount> => ({ of: ["dead", "conflicts"], most });

test("a limit is a number, or a percentage of all that there are", () => {
	expect(allowed(3, 100, 50)).toBe(3);
	expect(allowed("1%", 5000, 20)).toBe(50);
	expect(allowed("0.5%", 1000, 20)).toBe(5);
	// Not known: of those that were read, but one bad item of the first ten is not 10 %.
	expect(allowed("1%", undefined, 10)).toBe(10);
	expect(allowed("1%", undefined, 100_000)).toBe(1000);
});

test("what all partitions put aside counts, also before this run", () => {
	const tally = new Tally(partitions, new Map([[0, { counts: { read: 10, dead: 4 }, done: true }]]), limit(5));
	tally.set(1, { read: 100, conflicts: 1 });
	tally.refuseTooMany();
	tally.set(1, { read: 200, conflicts: 2 });
	expect(() => tally.refuseTooMany()).toThrow("HF_INCOMPLETE: 6 items were put aside or met conflicts, 5 are allowed");
	expect(tally.sum()).toEqual({ read: 210, dead: 4, conflicts: 2 });
});

test("a percentage is of the sum of all partitions", () => {
	const tally = new Tally(partitions, new Map(), limit("1%"));
	tally.set(0, { read: 1, dead: 10 });
	tally.refuseTooMany();
	tally.set(0, { read: 1, dead: 11 });
	expect(() => tally.refuseTooMany()).toThrow("HF_INCOMPLETE");
});

test("what passed when it was tried again does not count any more", () => {
	const known = new Map([[0, { counts: { read: 10, dead: 9 }, done: true }]]);
	const tally = new Tally(partitions, known, { ...limit(5), before: { dead: -8, written: 8 } });
	tally.refuseTooMany();
	expect(tally.sum()).toEqual({ read: 10, dead: 1, written: 8 });
});
