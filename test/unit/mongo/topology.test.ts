import fc from "fast-check";
import { membershipProblems, topology } from "../../../runtime/mongo/topology.ts";

const seed = Number(process.env.HOLDFAST_SEED) || Date.now() % 2 ** 31;
const hosts = (count: number) => Array.from({ length: count }, (_, slot) => `10.0.0.1:${27017 + slot}`);
const votes = (count: number, settings = {}) => topology(hosts(count), settings).members.map((member) => member.votes);
const refusal = (...args: Parameters<typeof topology>): string => {
	try {
		topology(...args);
	} catch (error) {
		expect(error).toMatchObject({ code: "HF_SETTING" });
		return (error as Error).message;
	}
	throw new Error("was not refused");
};

test("an odd number of members all vote, with priority 1", () => {
	expect(topology(hosts(3))).toEqual({
		members: hosts(3).map((host) => ({ host, votes: 1, priority: 1, hidden: false, arbiterOnly: false })),
		notes: [],
	});
});

test("an even number makes the last one non-voting, and says so", () => {
	expect(votes(2)).toEqual([1, 0]);
	expect(votes(6)).toEqual([1, 1, 1, 1, 1, 0]);
	expect(topology(hosts(4)).notes).toEqual([
		"4 voters would be an even number: 10.0.0.1:27020 does not vote (3 voters survive 1 failures)",
	]);
	expect(topology(hosts(2)).notes[0]).toContain("nobody takes over when the only voter fails");
	// The last one is the only one that can be primary: another one gives up its vote.
	expect(votes(2, { overrides: { 0: { priority: 0 } } })).toEqual([0, 1]);
});

test("the arbiter is named by slot or as the last, and makes a count odd", () => {
	expect(topology(hosts(3), { arbiter: "last" }).members[2]).toMatchObject({
		votes: 1,
		priority: 0,
		arbiterOnly: true,
	});
	expect(topology(hosts(5), { arbiter: 1 }).members.filter((member) => member.arbiterOnly)).toHaveLength(1);
	expect(topology(hosts(3), { arbiter: "last" }).notes[0]).toContain("10.0.0.1:27019 is an arbiter");
	expect(refusal(hosts(4), { arbiter: "last" })).toContain("arbiter makes 4 voters");
	expect(refusal(hosts(3), { arbiter: 3 })).toContain("the slots are 0 to 2");
	expect(refusal(hosts(3), { arbiter: 2, overrides: { 2: { hidden: true } } })).toContain("overrides.2");
});

test("hidden and non-voting members have priority 0", () => {
	const { members } = topology(hosts(4), { overrides: { 1: { hidden: true }, 3: { votes: 0 } } });
	expect(members.map(({ votes, priority, hidden }) => [votes, priority, hidden])).toEqual([
		[1, 1, false],
		[1, 0, true],
		[1, 1, false],
		[0, 0, false],
	]);
	expect(refusal(hosts(3), { overrides: { 1: { hidden: true, priority: 2 } } })).toContain("overrides.1.priority is 2");
	expect(refusal(hosts(3), { overrides: { 2: { votes: 0, priority: 0.5 } } })).toContain("overrides.2.priority is 0.5");
});

test("refuses too many members and voters, duplicates, and a set without a possible primary", () => {
	expect(refusal(hosts(0))).toContain("members is 0");
	expect(refusal(hosts(51))).toContain("members is 51");
	expect(refusal(hosts(8))).toContain("overrides.<slot>.votes");
	expect(refusal(hosts(9), { overrides: { 8: { votes: 0 } } })).toContain("8 of 9 members vote");
	expect(votes(8, { overrides: { 7: { votes: 0 } } })).toEqual([1, 1, 1, 1, 1, 1, 1, 0]);
	expect(refusal(["a:1", "b:1", "a:1"])).toContain("two members have the address a:1");
	const passive = { 0: { priority: 0 }, 1: { priority: 0 }, 2: { hidden: true } };
	expect(refusal(hosts(3), { overrides: passive })).toContain("no member can become primary");
});

test("an override of a slot that is not there is said, not refused: it may be back", () => {
	expect(topology(hosts(3), { overrides: { 4: { priority: 2 } } }).notes).toEqual([
		"overrides.4 has no effect: the slots are 0 to 2",
	]);
});

test("membershipProblems names what it finds", () => {
	const arbiter = { host: "a:1", votes: 1 as const, priority: 0, hidden: false, arbiterOnly: true };
	expect(membershipProblems([arbiter, { ...arbiter, host: "b:1", votes: 0 }])).toEqual([
		"more than one arbiter: a set has at most one",
		"b:1 is an arbiter: it must vote and cannot be hidden",
		"no member can become primary: one needs priority above 0 (overrides.<slot>.priority)",
	]);
	expect(membershipProblems([{ ...arbiter, arbiterOnly: false, hidden: true, priority: 1 }])[0]).toContain(
		"has priority 1, but is hidden",
	);
});

test(`whatever is accepted is a set that the server takes, with an odd number of voters (seed ${seed})`, () => {
	const override = fc.oneof(
		fc.record({ priority: fc.integer({ min: 0, max: 3 }) }),
		fc.record({ hidden: fc.boolean() }),
		fc.record({ votes: fc.constantFrom(0 as const, 1 as const) }),
	);
	const settings = fc.record({
		count: fc.integer({ min: 1, max: 10 }),
		overrides: fc.dictionary(fc.nat(9).map(String), override, { maxKeys: 6 }),
		arbiter: fc.option(fc.oneof(fc.constant("last" as const), fc.nat(9)), { freq: 2, nil: undefined }),
	});
	let accepted = 0;
	fc.assert(
		fc.property(settings, ({ count, overrides, arbiter }) => {
			let members: ReturnType<typeof topology>["members"];
			try {
				({ members } = topology(hosts(count), { overrides, arbiter }));
			} catch (error) {
				expect(error).toMatchObject({ code: "HF_SETTING" });
				return;
			}
			accepted++;
			const voters = members.filter((member) => member.votes === 1);
			expect(membershipProblems(members)).toEqual([]);
			expect(voters.length % 2).toBe(1);
			expect(voters.length).toBeLessThanOrEqual(7);
			expect(members.map(({ host }) => host)).toEqual(hosts(count));
		}),
		{ seed, numRuns: 1000 },
	);
	expect(accepted).toBeGreaterThan(100);
});
