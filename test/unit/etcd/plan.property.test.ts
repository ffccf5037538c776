import fc from "fast-check";
import { planEtcd } from "../../../runtime/etcd/plan.ts";
import type { DesiredVoters } from "../../../runtime/etcd/state.ts";
import { SimulatedEtcd } from "../../support/simulatedEtcd.ts";
import { converge, type EtcdRun, voter } from "../../support/simulatedEtcdRun.ts";
import { Script } from "../../support/simulatedRun.ts";

const seed = Number(process.env.HOLDFAST_SEED) || Date.now() % 2 ** 31;
/** Names and addresses that are prefixes of each other. */
const NAMES = ["10.0.0.1", "10.0.0.12", "10.0.0.123", "1.10.0.0.1", "pg-1", "pg-10", "pg-100"];

/** The first stays; the others come and go. */
const target: fc.Arbitrary<DesiredVoters> = fc
	.tuple(fc.constantFrom(0, 2, 2, 4), fc.shuffledSubarray(NAMES.slice(1), { minLength: 4 }))
	.map(([more, others]) => [NAMES[0]!, ...others.slice(0, more)].map((name) => voter(name)));

/** One `up`: retire, then the platform stops members that go, then join. */
function up(run: EtcdRun, desired: DesiredVoters, limit: number): boolean {
	if (converge(run, desired, { phase: "retire" }, limit)?.kind !== "done") return false;
	for (const name of run.names) if (!desired.some((want) => want.name === name)) run.etcd.at(name).running = false;
	return converge(run, desired, { phase: "join" }, limit)?.kind === "done";
}

const listed = ({ etcd }: EtcdRun) =>
	etcd.members.map(({ name, peerURLs, isLearner }) => `${name} ${peerURLs.join()} ${isLearner}`).sort();
const wanted = (desired: DesiredVoters) => desired.map(({ name, peerURL }) => `${name} ${peerURL} false`).sort();

function heal({ etcd, names }: EtcdRun): void {
	for (const name of names) Object.assign(etcd.at(name), { alive: true, slowness: 1 });
	etcd.tick();
}

function settles(run: EtcdRun, desired: DesiredVoters): void {
	heal(run);
	if (isLost(run)) {
		isGivenUp(run, desired);
		return;
	}
	expect(up(run, desired, 400)).toBe(true);
	expect(listed(run)).toEqual(wanted(desired));
	expect(run.etcd.members.every(({ id }) => run.etcd.machineOf(id))).toBe(true);
	staysIdle(run, desired);
}

/** A cluster that was never seen with a quorum is begun anew, as the same one: nobody relied on it. */
const isLost = ({ etcd, record }: EtcdRun): boolean => record?.formed === true && !etcd.isRecoverable;

/** A lost quorum is said, and nothing is made in its place. */
function isGivenUp(run: EtcdRun, desired: DesiredVoters): void {
	const id = run.etcd.clusterId;
	const before = run.etcd.members.length;
	const end = converge(run, desired, { phase: "join" }, 100);
	expect(end).toMatchObject({ kind: "refuse", code: expect.stringMatching(/^HF_(UNSAFE|DATA_LOST)$/) });
	expect([run.etcd.clusterId, run.etcd.members.length]).toEqual([id, before]);
}

function staysIdle({ etcd, names, record }: EtcdRun, desired: DesiredVoters): void {
	const before = etcd.changes;
	for (let look = 0; look < 5; look++) {
		etcd.tick();
		for (const phase of ["retire", "join"] as const)
			expect(planEtcd(etcd.observe(names), desired, record, { phase })).toEqual({ kind: "done" });
	}
	expect(etcd.changes).toBe(before);
}

const story = fc.record({
	targets: fc.array(target, { minLength: 1, maxLength: 5 }),
	script: fc.array(fc.nat({ max: 255 }), { maxLength: 200 }),
	/** Looks after which a run is killed, by wish. */
	lifetimes: fc.array(fc.integer({ min: 0, max: 60 }), { minLength: 5, maxLength: 5 }),
});

const begin = (script: number[]): EtcdRun => ({
	...{ etcd: new SimulatedEtcd(NAMES.map((name) => voter(name))), names: NAMES },
	...{ script: new Script(script), sparing: true },
});

test(`any sequence of wishes, faults and crashes keeps the rules and converges (seed ${seed})`, () => {
	let given = 0;
	let told = 0;
	fc.assert(
		fc.property(story, (tale) => {
			const run = begin(tale.script);
			tale.targets.forEach((desired, i) => void up(run, desired, tale.lifetimes[i]!));
			run.script = new Script([]);
			told++;
			if (isLost(run)) given++;
			settles(run, tale.targets.at(-1)!);
		}),
		{ seed, numRuns: 1000 },
	);
	// Most stories end well, some are about a lost quorum.
	expect(given).toBeLessThan(told / 2);
});

test(`without faults every wish is fulfilled within 40 looks a voter (seed ${seed})`, () => {
	fc.assert(
		fc.property(story, (tale) => {
			const run = begin([]);
			for (const desired of tale.targets) {
				expect(up(run, desired, 40 * (desired.length + run.etcd.members.length))).toBe(true);
				expect(listed(run)).toEqual(wanted(desired));
				staysIdle(run, desired);
			}
		}),
		{ seed, numRuns: 200 },
	);
});

test("members that move are told to the cluster and restarted one by one; the quorum is kept", () => {
	const run = begin([]);
	const names = NAMES.slice(0, 3);
	const before = names.map((name) => voter(name));
	expect(up(run, before, 100)).toBe(true);
	const after = names.map((name) => voter(name, 100));
	for (const want of after) Object.assign(run.etcd.at(want.name), { voter: want, stale: true });
	expect(up(run, after, 100)).toBe(true);
	expect(listed(run)).toEqual(wanted(after));
	staysIdle(run, after);
});
