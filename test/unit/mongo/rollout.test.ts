import fc from "fast-check";
import { planRollout } from "../../../runtime/mongo/rollout.ts";
import type { RolloutMember } from "../../../runtime/mongo/state.ts";
import { type Layout, SimulatedRollout } from "../../support/simulatedRollout.ts";

const seed = Number(process.env.HOLDFAST_SEED) || Date.now() % 2 ** 31;

const member = (host: string, changes: Partial<RolloutMember> = {}): RolloutMember => ({
	...{ host, state: 2, lagSeconds: 0, votes: 1, priority: 1, joined: true, pendingRestart: true, keys: "old" },
	...changes,
});
const settled = { pendingRestart: false };
const plan = (...members: RolloutMember[]) => planRollout(members, { rotating: false });
const rotate = (...members: RolloutMember[]) => planRollout(members, { rotating: true });

describe("restarts", () => {
	test("nothing pending is done, whatever the health", () => {
		expect(plan(member("a", { ...settled, state: 1 }), member("b", { ...settled, state: 8 }))).toEqual({
			kind: "done",
		});
	});

	test("members without a vote first, then secondaries, then the primary after its step-down", () => {
		const [a, b, c] = [member("a", { state: 1 }), member("b"), member("c", { votes: 0, priority: 0 })];
		expect(plan(a, b, c)).toMatchObject({ kind: "restart", host: "c" });
		expect(plan(a, b, member("c", settled))).toMatchObject({ kind: "restart", host: "b" });
		expect(plan(a, member("b", settled), member("c", settled))).toMatchObject({ kind: "stepDown", host: "a" });
		expect(plan(member("a"), member("b", { ...settled, state: 1 }), member("c", settled))).toMatchObject({
			kind: "restart",
			host: "a",
		});
	});

	test("waits until all others are healthy and caught up, and for a primary", () => {
		const a = member("a", { state: 1 });
		for (const sick of [{ state: 8 }, { state: 3 }, { state: 5 }, { lagSeconds: 11 }]) {
			expect(plan(a, member("b"), member("c", { ...settled, ...sick }))).toMatchObject({
				kind: "wait",
				why: expect.stringContaining("c"),
			});
		}
		expect(plan(member("a", settled), member("b"), member("c"))).toMatchObject({
			kind: "wait",
			why: "waiting for a primary before the next restart",
		});
		expect(plan(a, member("b"), member("c", { ...settled, state: 7, priority: 0 }))).toMatchObject({
			kind: "restart",
			host: "b",
		});
	});

	test("a member that is down already is restarted at once; one that syncs is left alone", () => {
		expect(plan(member("a", { state: 8 }), member("b", { state: 8 }), member("c"))).toMatchObject({
			kind: "restart",
			host: "a",
		});
		expect(plan(member("a", { state: 1 }), member("b", { state: 5 }))).toMatchObject({ kind: "wait" });
	});

	test("hosts that have not joined block nobody and are blocked by nobody", () => {
		const stranger = member("d", { state: -1, joined: false, votes: 0, priority: 0 });
		expect(plan(member("a", { state: 1 }), member("b"), { ...stranger, ...settled })).toMatchObject({
			kind: "restart",
			host: "b",
		});
		expect(plan(member("a", { ...settled, state: 1 }), member("b", { ...settled, state: 8 }), stranger)).toMatchObject({
			kind: "restart",
			host: "d",
		});
	});

	test("a primary that nobody can replace is restarted directly", () => {
		expect(plan(member("a", { state: 1 }))).toMatchObject({ kind: "restart", host: "a" });
		expect(plan(member("a", { state: 1 }), member("b", { ...settled, votes: 0, priority: 0 }))).toMatchObject({
			kind: "restart",
			host: "a",
		});
		expect(plan(member("a", { state: 1 }), member("b", { ...settled, priority: 0 }))).toMatchObject({
			kind: "restart",
			host: "a",
		});
	});
});

describe("key rotation", () => {
	test("writes both keys everywhere, restarts everywhere, only then leaves the new one", () => {
		const primary = { state: 1, pendingRestart: false };
		expect(rotate(member("a", primary), member("b", settled))).toMatchObject({
			kind: "writeKeys",
			host: "a",
			keys: "both",
		});
		const both = { keys: "both" as const };
		expect(rotate(member("a", { ...primary, ...both, pendingRestart: true }), member("b", settled))).toMatchObject({
			kind: "writeKeys",
			host: "b",
			keys: "both",
		});
		expect(rotate(member("a", { ...primary, ...both }), member("b", both))).toMatchObject({
			kind: "restart",
			host: "b",
		});
		expect(rotate(member("a", { ...primary, ...both }), member("b", { ...settled, ...both }))).toMatchObject({
			kind: "writeKeys",
			host: "a",
			keys: "new",
		});
		expect(rotate(member("a", { ...primary, keys: "new" }), member("b", { ...settled, keys: "new" }))).toEqual({
			kind: "done",
		});
	});

	test("a host born with the new key keeps it", () => {
		const born = member("c", { joined: false, state: -1, pendingRestart: false, keys: "new" });
		expect(rotate(member("a", { state: 1, pendingRestart: false, keys: "both" }), born)).toMatchObject({
			kind: "writeKeys",
			host: "a",
			keys: "new",
		});
	});
});

const layout: fc.Arbitrary<Layout[]> = fc
	.record({
		voters: fc.constantFrom(1, 2, 3, 5, 7),
		arbiter: fc.boolean(),
		passive: fc.nat(2),
		nonVoters: fc.nat(2),
		strangers: fc.nat(2),
	})
	.map(({ voters, arbiter, passive, nonVoters, strangers }) => {
		const make = (count: number, changes: Partial<Layout>) =>
			Array.from(
				{ length: count },
				(): Layout => ({ votes: 1, priority: 1, arbiter: false, joined: true, ...changes }),
			);
		const members = make(voters, {});
		for (let i = 1; i <= Math.min(passive, voters - 1); i++) members[i]!.priority = 0;
		if (arbiter && voters >= 3) members[voters - 1] = { votes: 1, priority: 0, arbiter: true, joined: true };
		return [...members, ...make(nonVoters, { votes: 0, priority: 0 }), ...make(strangers, { joined: false })];
	});

test(`any rollout keeps its promises through crashes and interruptions, and ends (seed ${seed})`, () => {
	const story = fc.record({
		layout,
		rotating: fc.boolean(),
		changed: fc.boolean(),
		script: fc.array(fc.nat(255), { maxLength: 80 }),
	});
	fc.assert(
		fc.property(story, ({ layout, rotating, changed, script }) => {
			const set = new SimulatedRollout(layout, rotating ? "old" : "new", changed);
			const decisions = script.values();
			for (let look = 0; look < 500; look++) {
				const decision = decisions.next().value;
				if (decision === undefined) set.heal();
				else if (decision % 8 === 1) set.crash(decision >> 3, false);
				else if (decision % 16 === 2) set.crash(decision >> 4, true);
				else if (decision % 16 === 3) set.heal();
				const step = planRollout(set.observe(), { rotating });
				if (step.kind === "done" && decision === undefined) break;
				set.act(step);
				set.tick();
			}
			for (const process of set.processes) {
				expect(process).toMatchObject({ keys: "new", loadedKeys: "new", loadedRevision: changed ? 1 : 0 });
			}
			for (let look = 0; look < 5; look++) set.tick();
			expect(planRollout(set.observe(), { rotating })).toEqual({ kind: "done" });
		}),
		{ seed, numRuns: 500 },
	);
});
