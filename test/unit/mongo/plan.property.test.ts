import fc from "fast-check";
import type { SlotOverride } from "../../../runtime/mongo/model.ts";
import { planMembership } from "../../../runtime/mongo/plan.ts";
import type { DesiredSet } from "../../../runtime/mongo/state.ts";
import { topology } from "../../../runtime/mongo/topology.ts";
import { converge, type Run, Script } from "../../support/simulatedRun.ts";
import { SimulatedSet } from "../../support/simulatedSet.ts";

const seed = Number(process.env.HOLDFAST_SEED) || Date.now() % 2 ** 31;
const SLOTS = 9;
const POOL = [..."ab"].flatMap((side) => Array.from({ length: SLOTS }, (_, slot) => `${side}${slot}:27017`));

const override: fc.Arbitrary<SlotOverride> = fc.oneof(
	fc.record({ priority: fc.constantFrom(0, 0.5, 1, 2) }),
	fc.constant({ hidden: true }),
	fc.constant({ votes: 0 as const }),
);

/** Slot 0 stays and can always be primary; the others come, go, move to another address and change rank. */
const target: fc.Arbitrary<DesiredSet> = fc
	.record({
		count: fc.oneof(
			{ weight: 5, arbitrary: fc.integer({ min: 1, max: 5 }) },
			{ weight: 1, arbitrary: fc.integer({ min: 6, max: SLOTS }) },
		),
		moved: fc.array(fc.boolean(), { minLength: SLOTS, maxLength: SLOTS }),
		overrides: fc.dictionary(fc.integer({ min: 1, max: SLOTS - 1 }).map(String), override, { maxKeys: 4 }),
		arbiter: fc.option(fc.integer({ min: 1, max: SLOTS - 1 }), { freq: 3, nil: undefined }),
		electionTimeoutMillis: fc.constantFrom(10_000, 2000),
	})
	.map(({ count, moved, overrides, arbiter, electionTimeoutMillis }) => {
		const hosts = Array.from({ length: count }, (_, slot) => `${slot > 0 && moved[slot] ? "b" : "a"}${slot}:27017`);
		try {
			return { members: topology(hosts, { overrides, arbiter }).members, electionTimeoutMillis };
		} catch {
			return undefined; // the settings themselves are refused: topology.test.ts
		}
	})
	.filter((desired) => desired !== undefined);

/** One `up`: retire, then the platform stops and starts processes, then join. Whether it came to its end. */
function up(run: Run, desired: DesiredSet, limit: number): boolean {
	const keep = desired.members.map(({ host }) => host);
	const retired = converge(run, desired, { phase: "retire", keep }, limit);
	if (retired?.kind === "refuse") return movesTooMany(run, desired, limit);
	if (retired?.kind !== "done") return false;
	for (const host of run.hosts) {
		if (keep.includes(host)) run.set.start(host);
		else run.set.kill(host);
	}
	return converge(run, desired, { phase: "join" }, limit)?.kind === "done";
}

/** The operator is told to move one member at a time, and does: each host that goes is replaced in a run of its own. */
function movesTooMany(run: Run, desired: DesiredSet, limit: number): boolean {
	const now = run.set.observe()?.config.members ?? [];
	const gone = now.filter(({ host }) => !desired.members.some((member) => member.host === host));
	expect(gone.length).toBeGreaterThan(1);
	const stays = gone.slice(1).map(({ _id, rest, ...member }) => ({ ...member, votes: 0 as const, priority: 0 }));
	const regular = desired.members.filter(({ arbiterOnly }) => !arbiterOnly);
	return (
		up(run, { ...desired, members: [...regular, ...stays.filter(({ arbiterOnly }) => !arbiterOnly)] }, limit) &&
		up(run, desired, limit)
	);
}

const wanted = ({ members }: DesiredSet) => [...members].sort((a, b) => (a.host < b.host ? -1 : 1));
const reached = (set: SimulatedSet) =>
	wanted({ electionTimeoutMillis: 0, members: set.current.config.members.map(({ _id, rest, ...member }) => member) });

function settles(run: Run, desired: DesiredSet): void {
	const { set } = run;
	// Whatever an interrupted run left in the config comes back to life, so that it can leave in order.
	for (let tick = 0; tick < 12; tick++) {
		for (const { host } of set.observe()?.config.members ?? []) set.start(host);
		for (const { host } of desired.members) set.start(host);
		set.tick();
	}
	if (!set.primary) for (const host of run.hosts) set.start(host);
	expect(up(run, desired, 400)).toBe(true);
	expect(reached(set)).toEqual(wanted(desired));
	expect(set.current.config.settings.electionTimeoutMillis).toBe(desired.electionTimeoutMillis);
	expect(set.current.config.settings.rest).toEqual({ chainingAllowed: true });
}

function replaysToNothing({ set }: Run, desired: DesiredSet): void {
	const before = set.commands;
	for (let look = 0; look < 5; look++) {
		set.tick();
		const seen = set.observe();
		if (seen) expect(planMembership(seen, desired, { phase: "join" })).toEqual({ kind: "done" });
	}
	expect(set.commands).toBe(before);
}

const story = fc.record({
	fcv: fc.constantFrom("6.0", "6.0", "4.4"),
	targets: fc.array(target, { minLength: 1, maxLength: 5 }),
	script: fc.array(fc.nat({ max: 255 }), { maxLength: 120 }),
	luck: fc.integer({ min: 0, max: 1000 }),
	/** Looks after which a run is killed, by wish. */
	lifetimes: fc.array(fc.integer({ min: 0, max: 60 }), { minLength: 5, maxLength: 5 }),
});

function begin({ fcv, script, luck }: { fcv: string; script: number[]; luck: number }): Run {
	let turn = luck;
	const choose = (n: number) => {
		turn = (turn * 1103515245 + 12345) % 2 ** 31;
		return turn % n;
	};
	const set = new SimulatedSet(POOL, fcv, choose);
	set.initiate("a0:27017");
	return { set, hosts: POOL, script: new Script(script), ledger: {} };
}

test(`any sequence of wishes, faults and crashes keeps the rules and converges (seed ${seed})`, () => {
	fc.assert(
		fc.property(story, (tale) => {
			const run = begin(tale);
			tale.targets.forEach((desired, i) => void up(run, desired, tale.lifetimes[i]!));
			run.script = new Script([]);
			const last = tale.targets.at(-1)!;
			settles(run, last);
			replaysToNothing(run, last);
		}),
		{ seed, numRuns: 400 },
	);
});

test(`without faults every wish is fulfilled within 40 looks a member (seed ${seed})`, () => {
	fc.assert(
		fc.property(story, (tale) => {
			const run = begin({ ...tale, script: [] });
			for (const desired of tale.targets) {
				expect(up(run, desired, 40 * (desired.members.length + run.set.current.config.members.length))).toBe(true);
				expect(reached(run.set)).toEqual(wanted(desired));
				replaysToNothing(run, desired);
			}
		}),
		{ seed, numRuns: 200 },
	);
});
