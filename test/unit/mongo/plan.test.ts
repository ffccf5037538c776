import { planMembership } from "../../../runtime/mongo/plan.ts";
import type { DesiredSet, ObservedSet } from "../../../runtime/mongo/state.ts";
import { converge, Script } from "../../support/simulatedRun.ts";
import { SimulatedSet } from "../../support/simulatedSet.ts";
import { outline, type Sketch, seen, want, wish } from "../../support/sketch.ts";

const three = wish(want("a"), want("b"), want("c"));
const ready = (...hosts: string[]) => ({
	probes: Object.fromEntries(hosts.map((host) => [host, { answer: "ready" as const }])),
});
const join = (look: ObservedSet, desired: DesiredSet) => planMembership(look, desired, { phase: "join" });

describe("first build", () => {
	test("adds with final votes and priority, one host a reconfig, without waiting for votes", () => {
		const first = join(seen([{ host: "a" }], ready("b", "c")), three);
		expect(outline(first)).toEqual(["0 a 1/1", "1 b 1/1"]);
		expect(first).toMatchObject({ config: { version: 8, rest: { protocolVersion: 1 } } });
		const second = join(seen([{ host: "a" }, { host: "b", state: 5, newlyAdded: true }], ready("c")), three);
		expect(outline(second)).toEqual(["0 a 1/1", "1 b 1/1", "2 c 1/1"]);
	});

	test("is done only when every vote counts", () => {
		const look = seen([{ host: "a" }, { host: "b" }, { host: "c", state: 5, newlyAdded: true }]);
		expect(join(look, three)).toEqual({ kind: "wait", why: "waiting for the votes of c to count" });
		expect(join(seen([{ host: "a" }, { host: "b" }, { host: "c" }]), three)).toEqual({ kind: "done" });
	});

	test("takes two reconfigs and no step-down for three members", () => {
		const set = new SimulatedSet(["a", "b", "c"], "6.0");
		set.initiate("a");
		for (const host of ["b", "c"]) set.start(host);
		expect(
			converge({ set, hosts: ["a", "b", "c"], script: new Script([]), ledger: {} }, three, { phase: "join" }, 20),
		).toEqual({ kind: "done" });
		expect(set.commands).toBe(2);
	});
});

describe("joining", () => {
	test("waits for votingMembersCount before the next voter of a grown set", () => {
		const look = seen(
			[{ host: "a" }, { host: "b" }, { host: "c" }, { host: "d", state: 5, newlyAdded: true }],
			ready("e"),
		);
		const five = wish(want("a"), want("b"), want("c"), want("d"), want("e"));
		expect(join(look, five)).toEqual({ kind: "wait", why: "add e: the votes of d do not count yet" });
		// Synced, but the server has not given the vote yet: only the count tells.
		const synced = seen([{ host: "a" }, { host: "b" }, { host: "c" }, { host: "d" }], {
			...ready("e"),
			votingMembersCount: 3,
		});
		expect(join(synced, five)).toEqual({ kind: "wait", why: "add e: the votes of 1 of 4 voters do not count yet" });
		// A member without a vote changes no majority.
		expect(outline(join(look, wish(...five.members.slice(0, 4), want("e", { votes: 0, priority: 0 }))))).toContain(
			"4 e 0/0",
		);
	});

	test("adds only hosts that answered, and refuses members of other sets before anything else", () => {
		const look = (answer: ObservedSet["probes"][string]) =>
			seen([{ host: "a" }, { host: "b" }], { probes: { c: answer } });
		expect(outline(join(look({ answer: "ours" }), three))).toContain("2 c 1/1");
		expect(join(look({ answer: "unreachable", reason: "refused" }), three)).toEqual({
			kind: "wait",
			why: "add c: it does not answer (refused)",
		});
		expect(join(seen([{ host: "a" }, { host: "b" }]), three)).toEqual({
			kind: "wait",
			why: "add c: it was not asked yet",
		});
		const refusal = join(look({ answer: "foreign", setName: "theirs" }), { ...three, electionTimeoutMillis: 2000 });
		expect(refusal).toMatchObject({
			kind: "refuse",
			code: "HF_FOREIGN",
			why: expect.stringContaining("c already belongs to another replica set (theirs)"),
		});
	});

	test("gives votes by hand, without priority first, before 5.0 and beside an arbiter", () => {
		const old = { featureCompatibilityVersion: "4.4" };
		expect(outline(join(seen([{ host: "a" }, { host: "b" }], { ...old, ...ready("c") }), three))).toContain("2 c 0/0");
		const psa = wish(want("a"), want("b"), want("c", { arbiterOnly: true, priority: 0 }));
		expect(outline(join(seen([{ host: "a" }], ready("b", "c")), psa))).toEqual(["0 a 1/1", "1 b 0/0"]);
		const synced: Sketch = { host: "b", votes: 0, priority: 0 };
		expect(join(seen([{ host: "a" }, { ...synced, state: 5 }], ready("c")), psa)).toMatchObject({ kind: "wait" });
		expect(join(seen([{ host: "a" }, { ...synced, lagSeconds: 11 }], ready("c")), psa)).toMatchObject({ kind: "wait" });
		expect(outline(join(seen([{ host: "a" }, synced], ready("c")), psa))).toEqual(["0 a 1/1", "1 b 1/0"]);
		expect(outline(join(seen([{ host: "a" }, { host: "b", priority: 0 }], ready("c")), psa))).toEqual([
			"0 a 1/1",
			"1 b 1/0",
			"2 c 1/0",
		]);
	});

	test("makes an even count odd: the primary steps down before it loses its vote", () => {
		const two = wish(want("b"), want("a", { votes: 0, priority: 0 }));
		expect(join(seen([{ host: "a" }, { host: "b" }]), two)).toMatchObject({ kind: "stepDown", host: "a" });
		expect(join(seen([{ host: "a" }, { host: "b", lagSeconds: 11 }]), two)).toMatchObject({
			kind: "wait",
			why: expect.stringContaining("none of b could take over"),
		});
		expect(
			outline(
				join(
					seen([
						{ host: "b", _id: 1 },
						{ host: "a", _id: 0 },
					]),
					two,
				),
			),
		).toEqual(["1 b 1/1", "0 a 0/0"]);
	});

	test("removes a member before it comes back as an arbiter", () => {
		const psa = wish(want("a"), want("b"), want("c", { arbiterOnly: true, priority: 0 }));
		expect(outline(join(seen([{ host: "a" }, { host: "b" }, { host: "c" }]), psa))).toEqual(["0 a 1/1", "1 b 1/1"]);
	});

	test("never has eight voters, more than one arbiter, or changes while degraded or uncommitted", () => {
		const eight = [..."abcdefgh"].map((host) => want(host));
		const seven = seen(
			[..."abcdefg"].map((host) => ({ host })),
			ready("h"),
		);
		expect(join(seven, wish(...eight))).toEqual({ kind: "wait", why: "add h: a set has at most 7 voters" });
		const timeout = { ...three, electionTimeoutMillis: 2000 };
		const degraded = seen([{ host: "a" }, { host: "b", state: 8 }, { host: "c", state: 3 }]);
		expect(join(degraded, timeout)).toMatchObject({
			kind: "wait",
			why: expect.stringContaining("2 of 3 voters must be healthy, these are not: b, c"),
		});
		const uncommitted = seen([{ host: "a" }, { host: "b", configVersion: 6 }, { host: "c", configVersion: 6 }]);
		expect(join(uncommitted, timeout)).toEqual({ kind: "wait", why: "waiting for config version 7 to reach b, c" });
		// The next change has to wait; where nothing is left to change, nothing is.
		expect(join(uncommitted, three)).toEqual({ kind: "done" });
	});

	test("takes nobody's vote before the successor has caught up, except where all seven votes are taken", () => {
		const exchange = wish(want("a"), want("b"), want("c", { votes: 0, priority: 0 }), want("d"));
		const d: Sketch = { host: "d", votes: 0, priority: 0 };
		const why =
			"give d its vote: it has not caught up yet; take the vote of c: 3 voters with data are wanted, 2 would be left";
		expect(join(seen([{ host: "a" }, { host: "b" }, { host: "c" }, { ...d, state: 5 }]), exchange)).toEqual({
			kind: "wait",
			why,
		});
		expect(outline(join(seen([{ host: "a" }, { host: "b" }, { host: "c" }, d]), exchange))).toContain("3 d 1/1");
		expect(outline(join(seen([{ host: "a" }, { host: "b" }, { host: "c" }, { host: "d" }]), exchange))).toContain(
			"2 c 0/0",
		);
		const seven = [..."abcdefg"].map((host) => ({ host }));
		const full = wish(...[..."abcdefh"].map((host) => want(host)), want("g", { votes: 0, priority: 0 }));
		expect(outline(join(seen([...seven, { ...d, host: "h" }]), full))).toContain("6 g 0/0");
	});

	test("keeps what it does not manage: tags, other settings, members it was not told of", () => {
		const look = seen([{ host: "a", rest: { tags: { dc: "x" } } }, { host: "b" }, { host: "c" }, { host: "stranger" }]);
		look.config.settings.rest = { chainingAllowed: false };
		expect(join(look, three)).toEqual({ kind: "done" });
		const step = join(look, { ...three, electionTimeoutMillis: 2000 });
		expect(step).toMatchObject({
			config: {
				members: [{ rest: { tags: { dc: "x" } } }, {}, {}, { host: "stranger" }],
				settings: { electionTimeoutMillis: 2000, rest: { chainingAllowed: false } },
			},
		});
	});

	test("raises priorities before it lowers others, the primary's last", () => {
		const swapped = wish(want("a", { priority: 0 }), want("b", { priority: 2 }), want("c"));
		expect(outline(join(seen([{ host: "a" }, { host: "b", priority: 0 }, { host: "c" }]), swapped))).toContain(
			"1 b 1/2",
		);
		expect(join(seen([{ host: "a" }, { host: "b", priority: 2 }, { host: "c" }]), swapped)).toMatchObject({
			kind: "stepDown",
		});
	});
});
