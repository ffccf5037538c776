import fc from "fast-check";
import { planRetire, planRollout } from "../../../runtime/postgres/rollout.ts";
import { SimulatedPatroni, type Story } from "../../support/simulatedPatroni.ts";

const seed = Number(process.env.HOLDFAST_SEED) || Date.now() % 2 ** 31;

const story: fc.Arbitrary<Story> = fc
	.record({
		members: fc.integer({ min: 1, max: 5 }),
		durability: fc.constantFrom("async" as const, "sync" as const, "quorum" as const, "strict" as const),
		nodeCount: fc.integer({ min: 1, max: 2 }),
		staged: fc.record({
			floor: fc.integer({ min: 0, max: 2 }),
			other: fc.integer({ min: 1, max: 2 }),
			process: fc.integer({ min: 1, max: 2 }),
			files: fc.integer({ min: 1, max: 2 }),
		}),
	})
	.filter(({ members, durability }) => members > 1 || durability !== "strict");
const script = fc.array(fc.nat(255), { maxLength: 60 });

/** Something else goes wrong, or comes back. */
function disturb(cluster: SimulatedPatroni, decision: number | undefined): void {
	if (decision === undefined) cluster.heal();
	else if (decision % 8 === 1) cluster.crash(decision >> 3, false);
	else if (decision % 16 === 2) cluster.crash(decision >> 4, true);
	else if (decision % 16 === 3) cluster.heal();
	else if (decision % 16 === 4) cluster.paused = !cluster.paused;
}

test(`any rollout keeps its promises through crashes, and ends (seed ${seed})`, () => {
	fc.assert(
		fc.property(story, script, (told, decisions) => {
			const cluster = new SimulatedPatroni(told);
			const next = decisions.values();
			let quiet = 0;
			while (quiet < 60 + 20 * told.members) {
				const decision = next.next().value;
				if (decision === undefined) quiet++;
				disturb(cluster, decision);
				const step = planRollout(cluster.observe(), cluster.rules);
				if (step.kind === "done" && decision === undefined && cluster.members.every((one) => one.up)) break;
				cluster.act(step);
				cluster.tick();
			}
			for (const member of cluster.members)
				expect({ member, current: cluster.isCurrent(member) }).toMatchObject({ current: true });
			for (let look = 0; look < 5; look++) cluster.tick();
			expect(planRollout(cluster.observe(), cluster.rules)).toEqual({ kind: "done" });
		}),
		{ seed, numRuns: 1000 },
	);
});

test(`without disturbance a rollout switches over once at most, twice where a floor was lowered (seed ${seed})`, () => {
	fc.assert(
		fc.property(story, (told) => {
			const cluster = new SimulatedPatroni(told);
			const steps: string[] = [];
			for (let look = 0; look < 200; look++) {
				const step = planRollout(cluster.observe(), cluster.rules);
				if (step.kind === "done") break;
				if (step.kind !== "wait") steps.push("member" in step ? `${step.kind} ${step.member}` : step.kind);
				cluster.act(step);
				cluster.tick();
			}
			const lowers = told.staged.floor < 1;
			expect(steps.filter((step) => step === "switchover").length).toBeLessThanOrEqual(1);
			const restarts = steps.filter((step) => step.startsWith("restart"));
			// A floor that is lowered with something else takes standbys two restarts.
			expect(restarts.length).toBeLessThanOrEqual(told.members * (lowers ? 2 : 1));
			if (!lowers) expect(new Set(restarts).size).toBe(restarts.length);
		}),
		{ seed, numRuns: 500 },
	);
});

test(`members leave without taking the leader or the last good copy along (seed ${seed})`, () => {
	fc.assert(
		fc.property(story, fc.nat(4), script, (told, first, decisions) => {
			const cluster = new SimulatedPatroni({ ...told, staged: { floor: 1, other: 1, process: 1, files: 1 } });
			const leaving = cluster.members.filter((_, slot) => slot >= first).map(({ name }) => name);
			const next = decisions.values();
			for (let look = 0; look < 300; look++) {
				const decision = next.next().value;
				disturb(cluster, decision);
				const stay = told.members - leaving.length;
				const step = planRetire(cluster.observe(), leaving, cluster.rules);
				if (step.kind === "refuse") return expect(leaving).toHaveLength(told.members);
				if (step.kind === "done") {
					const well = cluster.members.filter(({ up, starting }) => up && starting === 0);
					const lost = well.filter(({ name }) => leaving.includes(name));
					if (lost.length > 0 && stay > 1) expect(well.length - lost.length).toBeGreaterThanOrEqual(2);
					return cluster.retire(leaving);
				}
				cluster.act(step);
				cluster.tick();
			}
			throw new Error("nobody ever left");
		}),
		{ seed, numRuns: 500 },
	);
});
