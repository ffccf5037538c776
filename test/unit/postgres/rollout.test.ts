import { pendingRestart, rolloutMember } from "../../../runtime/postgres/look.ts";
import { planRetire, planRollout } from "../../../runtime/postgres/rollout.ts";
import type { ClusterView, PatroniStatus, RolloutMember } from "../../../runtime/postgres/state.ts";

const none = { lowered: false, other: false };
const other = { lowered: false, other: true };
const lowered = { lowered: true, other: false };
const standby = (name: string, changes: Partial<RolloutMember> = {}): RolloutMember => ({
	...{ name, role: "sync", state: "streaming", timeline: 1, lagBytes: 0, reloadPending: false },
	...{ restartPending: other, processPending: false, ...changes },
});
const lead = (name: string, changes: Partial<RolloutMember> = {}): RolloutMember =>
	standby(name, { role: "leader", state: "running", lagBytes: undefined, ...changes });
const settled = { restartPending: none };
const rules = { synchronous: 1, maximumLag: 100, paused: false };
const plan = (...members: RolloutMember[]) => planRollout(members, rules);

describe("planRollout", () => {
	test("nothing pending is done, whatever the health", () => {
		expect(plan(lead("a", settled), standby("b", { ...settled, state: "stopped" }))).toEqual({ kind: "done" });
		expect(planRollout([lead("a", settled)], { ...rules, paused: true })).toEqual({ kind: "done" });
	});

	test("reloads come first and wait for nobody", () => {
		const stale = { reloadPending: true };
		expect(plan(lead("a"), standby("b", { state: "stopped" }), standby("c", stale))).toMatchObject({
			...{ kind: "reload", member: "c" },
		});
		expect(plan(lead("a", settled), standby("b", { ...settled, ...stale, role: "absent", state: "absent" }))).toEqual({
			kind: "done",
		});
	});

	test("asynchronous standbys, then synchronous ones, then the leader after a switchover to one that is ready", () => {
		const [a, b, c] = [lead("a"), standby("b"), standby("c", { role: "replica" })];
		expect(plan(a, b, c)).toMatchObject({ kind: "restartPostgres", member: "c" });
		expect(plan(a, b, { ...c, ...settled })).toMatchObject({ kind: "restartPostgres", member: "b" });
		expect(plan(a, standby("b", settled), { ...c, ...settled })).toMatchObject({
			...{ kind: "switchover", from: "a", to: "b" },
		});
		expect(plan(standby("a"), lead("b", settled), { ...c, ...settled })).toMatchObject({
			...{ kind: "restartPostgres", member: "a" },
		});
	});

	test("a process takes its PostgreSQL along", () => {
		expect(plan(lead("a", settled), standby("b", { processPending: true }))).toMatchObject({
			...{ kind: "restartProcess", member: "b" },
		});
	});

	test("the standby that is least behind takes over; without synchronous durability any may", () => {
		const behind = standby("b", { ...settled, lagBytes: 50 });
		expect(plan(lead("a"), behind, standby("c", settled))).toMatchObject({ to: "c" });
		const replicas = [lead("a"), { ...behind, role: "replica" as const }];
		expect(planRollout(replicas, { ...rules, synchronous: 0 })).toMatchObject({ kind: "switchover", to: "b" });
	});

	test.each([
		["stopped", { state: "stopped" }],
		["starting", { state: "starting" }],
		["in archive recovery", { state: "in archive recovery" }],
		["on another timeline", { timeline: 2 }],
		["too far behind", { lagBytes: 101 }],
		["behind by who knows what", { lagBytes: undefined }],
		["away", { role: "absent" as const, state: "absent" }],
	])("waits for a member that is %s", (_, sick) => {
		expect(plan(lead("a"), standby("b"), standby("c", { ...settled, ...sick }))).toEqual({
			...{ kind: "wait", why: "waiting for c to be healthy before the next restart" },
		});
		// Nor is it the next one itself: its Patroni is at it.
		expect(plan(lead("a"), standby("b"), standby("c", sick))).toMatchObject({ kind: "wait" });
	});

	test("waits for a leader, and for the durability that is declared", () => {
		expect(plan(standby("a"), standby("b"))).toMatchObject({
			...{ kind: "wait", why: "waiting for a leader before the next restart" },
		});
		const replicas = [standby("b", { role: "replica" }), standby("c", { role: "replica" })];
		expect(plan(lead("a"), ...replicas)).toMatchObject({
			...{ kind: "wait", why: "waiting for 1 more synchronous standbys before the next restart" },
		});
		// Two members cannot have two standbys.
		expect(planRollout([lead("a"), standby("b")], { ...rules, synchronous: 2 })).toMatchObject({ member: "b" });
	});

	test("a process that is down is restarted at once", () => {
		const down = { role: "absent" as const, state: "absent", processPending: true, ...settled };
		expect(plan(lead("a"), standby("b"), standby("c", down))).toMatchObject({ kind: "restartProcess", member: "c" });
		expect(plan(standby("a", down), standby("b", down))).toMatchObject({ kind: "restartProcess", member: "a" });
	});

	test("in maintenance mode nothing is restarted", () => {
		expect(planRollout([lead("a"), standby("b")], { ...rules, paused: true })).toMatchObject({
			...{ kind: "wait", why: expect.stringContaining("maintenance mode") },
		});
	});

	test("the only member is restarted in place", () => {
		expect(plan(lead("a"))).toMatchObject({ kind: "restartPostgres", member: "a" });
		expect(plan(lead("a", { processPending: true }))).toMatchObject({ kind: "restartProcess", member: "a" });
	});

	test("where a floor was lowered the leader goes first, in place, after what the standbys can take", () => {
		const [a, b] = [lead("a", { restartPending: lowered }), standby("b", { restartPending: lowered })];
		expect(plan(a, b)).toMatchObject({ kind: "restartPostgres", member: "a" });
		expect(plan(a, standby("b", { restartPending: { lowered: true, other: true } }))).toMatchObject({ member: "b" });
		expect(plan(lead("a", settled), b)).toMatchObject({ kind: "restartPostgres", member: "b" });
		// A new build of the leader needs a switchover all the same; the heir lowers its floor as leader.
		expect(plan(lead("a", { restartPending: lowered, processPending: true }), b)).toMatchObject({
			...{ kind: "switchover", to: "b" },
		});
	});
});

describe("planRetire", () => {
	const [a, b, c] = [lead("a", settled), standby("b", settled), standby("c", settled)];
	const retire = (leaving: string[], ...members: RolloutMember[]) => planRetire(members, leaving, rules);

	test("is done when nobody goes, or those that go do not lead", () => {
		expect(retire([], a, b)).toEqual({ kind: "done" });
		expect(retire(["x"], a, b)).toEqual({ kind: "done" });
		expect(retire(["c"], a, b, c)).toEqual({ kind: "done" });
		expect(retire(["b", "c"], a, b, c)).toEqual({ kind: "done" });
	});

	test("a leader that goes hands over to one that stays and has every commit", () => {
		expect(retire(["a"], a, b, c)).toMatchObject({ kind: "switchover", from: "a", to: "b" });
		expect(retire(["a", "b"], a, b, c)).toMatchObject({ kind: "switchover", to: "c" });
		expect(retire(["a"], a, { ...b, role: "replica" }, { ...c, lagBytes: 9 })).toMatchObject({ to: "c" });
		expect(retire(["a"], a, { ...b, role: "replica" })).toMatchObject({
			...{ kind: "wait", why: "waiting for b to be able to take over from a" },
		});
	});

	test("a synchronous standby that goes with its leader goes first, once another one could follow it", () => {
		const replica = { ...c, role: "replica" as const };
		expect(retire(["a", "b"], a, b, replica)).toMatchObject({ kind: "stop", member: "b" });
		expect(retire(["a", "b"], a, b, { ...replica, state: "starting" })).toMatchObject({ kind: "wait" });
		const stopped = { ...b, role: "absent" as const, state: "absent" };
		expect(retire(["a", "b"], a, stopped, replica)).toMatchObject({ kind: "wait" });
		expect(retire(["a", "b"], a, stopped, c)).toMatchObject({ kind: "switchover", to: "c" });
	});

	test("a synchronous standby is preferred even where none is asked for", () => {
		const alone = { ...rules, synchronous: 0 };
		expect(planRetire([a, { ...b, role: "replica" }, { ...c, lagBytes: 9 }], ["a"], alone)).toMatchObject({ to: "c" });
	});

	test("a healthy copy does not go while those that stay have none of their own", () => {
		const sick = { ...b, state: "starting" };
		expect(retire(["c"], a, sick, c)).toMatchObject({
			...{ kind: "wait", why: "waiting for b to be healthy before c can go" },
		});
		expect(planRetire([a, b, sick, c], ["c"], { ...rules, synchronous: 2 })).toMatchObject({ kind: "wait" });
		// Patroni makes it synchronous as soon as the other one stops.
		expect(retire(["c"], a, { ...b, role: "replica" }, c)).toEqual({ kind: "done" });
		// One that holds nothing usable may go at any time.
		expect(retire(["c"], a, sick, { ...c, state: "start failed" })).toEqual({ kind: "done" });
	});

	test("waits for a leader, and refuses to take the last copy", () => {
		expect(retire(["c"], b, c)).toMatchObject({ kind: "wait", why: "waiting for a leader before c can go" });
		expect(retire(["a", "b"], a, b)).toMatchObject({ kind: "refuse", code: "HF_UNSAFE" });
	});

	test("those that are gone already need nothing", () => {
		expect(retire(["c"], b, { ...c, role: "absent", state: "absent" })).toEqual({ kind: "done" });
	});
});

describe("rolloutMember", () => {
	const view: ClusterView = {
		members: [
			{ name: "a", role: "leader", state: "running", api_url: "", timeline: 3 },
			{ name: "b", role: "quorum_standby", state: "streaming", api_url: "", timeline: 2, lag: 7 },
		],
	};
	const patroni = { version: "4.1.5", scope: "pg0", name: "b" };
	const status: PatroniStatus = {
		state: "running",
		role: "replica",
		replication_state: "streaming",
		timeline: 3,
		patroni,
	};
	const made = (name: string, said: PatroniStatus | undefined) =>
		rolloutMember(name, view, said, { reload: false, process: true });

	test("takes the member's own word where the cluster's is older", () => {
		expect(made("b", status)).toEqual({
			...{ name: "b", role: "sync", state: "streaming", timeline: 3, lagBytes: 7 },
			...{ reloadPending: false, processPending: true, restartPending: none },
		});
		expect(made("b", { ...status, replication_state: undefined })).toMatchObject({ state: "running" });
		expect(made("b", { ...status, state: "starting" })).toMatchObject({ state: "starting" });
		expect(made("a", { ...status, replication_state: undefined })).toMatchObject({ role: "leader", state: "running" });
	});

	test("is absent when it does not answer or the cluster does not know it", () => {
		expect(made("b", undefined)).toMatchObject({ role: "absent", state: "absent" });
		expect(made("x", status)).toMatchObject({ role: "absent" });
	});

	test("tells a lowered floor from other reasons to restart", () => {
		const because = (reasons: Record<string, [string, string]>) =>
			pendingRestart({
				...{ ...status, pending_restart: true },
				pending_restart_reason: Object.fromEntries(
					Object.entries(reasons).map(([name, [old_value, new_value]]) => [name, { old_value, new_value }]),
				),
			});
		expect(because({ max_connections: ["150", "60"] })).toEqual(lowered);
		expect(because({ max_connections: ["60", "150"] })).toEqual(other);
		expect(because({ max_worker_processes: ["16", "8"], shared_buffers: ["2GB", "1GB"] })).toEqual({
			...{ lowered: true, other: true },
		});
		expect(because({ shared_buffers: ["250MB", "160MB"] })).toEqual(other);
		expect(pendingRestart({ ...status, pending_restart: true })).toEqual(other);
		expect(pendingRestart(status)).toEqual(none);
	});
});
