import { planMembership } from "../../../runtime/mongo/plan.ts";
import type { ObservedSet } from "../../../runtime/mongo/state.ts";
import { outline, seen, wish } from "../../support/sketch.ts";

const retire = (look: ObservedSet, ...keep: string[]) => planMembership(look, wish(), { phase: "retire", keep });

describe("retiring", () => {
	const members = [{ host: "a" }, { host: "b" }, { host: "c" }];

	test("removes one voter a step, the highest first, and does nothing else", () => {
		const five = seen([...members, { host: "d" }, { host: "e" }]);
		expect(outline(retire(five, "a", "b", "c"))).toEqual(["0 a 1/1", "1 b 1/1", "2 c 1/1", "3 d 1/1"]);
		expect(retire(seen(members), "a", "b", "c", "d")).toEqual({ kind: "done" });
	});

	test("removes the dead before the living, and nobody whom the rest cannot spare", () => {
		const look = seen([{ host: "a" }, { host: "b", state: 8 }, { host: "c" }]);
		expect(outline(retire(look, "a"))).toEqual(["0 a 1/1", "2 c 1/1"]);
		expect(retire(look, "a", "b")).toMatchObject({
			kind: "wait",
			why: expect.stringContaining("2 of 2 voters must be healthy, these are not: b"),
		});
	});

	test("changes nothing while the set has no majority, even where the change would give it one", () => {
		const look = seen([{ host: "a" }, { host: "b" }, { host: "c", state: 8 }, { host: "d", state: 8 }]);
		expect(retire(look, "a", "b", "c")).toEqual({
			kind: "wait",
			why: "nothing is changed while 3 of 4 voters must be healthy, these are not: c, d",
		});
	});

	test("lets another member take over before the primary leaves", () => {
		expect(
			retire(
				seen([
					{ host: "b", _id: 1 },
					{ host: "a", _id: 0 },
				]),
				"a",
			),
		).toMatchObject({ kind: "stepDown", host: "b" });
		expect(
			retire(
				seen([
					{ host: "b", _id: 1 },
					{ host: "a", _id: 0, lagSeconds: 20 },
				]),
				"a",
			),
		).toMatchObject({ kind: "wait" });
	});

	test("may remove a member whose vote never counted while it is away", () => {
		const look = seen([...members, { host: "d", state: 8, newlyAdded: true }]);
		expect(outline(retire(look, "a", "b", "c"))).toEqual(["0 a 1/1", "1 b 1/1", "2 c 1/1"]);
		expect(retire(look, "a", "b", "d")).toMatchObject({
			kind: "wait",
			why: "remove c: the votes of d do not count yet",
		});
	});

	test("refuses to leave nobody who could be primary", () => {
		for (const keep of [[], ["z"]]) {
			expect(retire(seen(members), ...keep)).toMatchObject({
				kind: "refuse",
				code: "HF_UNSAFE",
				why: expect.stringContaining("without a, b, c"),
			});
		}
		expect(retire(seen([{ host: "a" }, { host: "b", votes: 0, priority: 0 }]), "b")).toMatchObject({ kind: "refuse" });
	});

	test("refuses to move several members at once where one copy would be left in between", () => {
		expect(retire(seen(members), "a", "new-b", "new-c")).toMatchObject({
			kind: "refuse",
			code: "HF_UNSAFE",
			next: "move one member at a time",
		});
		expect(retire(seen(members), "a", "b", "new-c")).toMatchObject({ kind: "reconfig" });
		expect(retire(seen(members), "a")).toMatchObject({ kind: "reconfig" });
		expect(retire(seen([...members, { host: "d" }, { host: "e" }]), "a", "b", "n1", "n2", "n3")).toMatchObject({
			kind: "reconfig",
		});
	});

	test("counts data, not arbiters, for acknowledged writes", () => {
		const psa = [{ host: "a" }, { host: "b", state: 8 }, { host: "c", state: 7, arbiterOnly: true, priority: 0 }];
		expect(outline(retire(seen(psa), "a", "c"))).toEqual(["0 a 1/1", "2 c 1/0"]);
		const four = [...psa, { host: "d" }];
		// Three voters would be left: two of them healthy, but only one of them with data, where writes need two.
		expect(retire(seen(four), "a", "b", "c")).toMatchObject({
			kind: "wait",
			why: expect.stringContaining("voters with data must be healthy"),
		});
	});
});
