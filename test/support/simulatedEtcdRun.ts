import { birthOf } from "../../runtime/etcd/identity.ts";
import { type EtcdPlanOptions, planEtcd } from "../../runtime/etcd/plan.ts";
import { added, bornRecord, type EtcdRecord, remember, started } from "../../runtime/etcd/record.ts";
import type { DesiredVoters, EtcdStep, ObservedEtcd } from "../../runtime/etcd/state.ts";
import { EtcdAnswer, type SimulatedEtcd } from "./simulatedEtcd.ts";
import type { Script } from "./simulatedRun.ts";

export interface EtcdRun {
	etcd: SimulatedEtcd;
	/** Names of all machines there are. */
	names: readonly string[];
	script: Script;
	/** What was saved; survives every crash of the run. */
	record?: EtcdRecord;
	/** No folder is wiped any more: the true cluster could not come back. */
	sparing: boolean;
}

export const voter = (name: string, port = 0) => ({
	...{ name, peerURL: `http://${name}:${2380 + port}`, clientURL: `http://${name}:${2379 + port}` },
});

/** 0 and most others: nothing. */
function misfortune({ etcd, names, script, sparing, record }: EtcdRun): boolean {
	const decision = script.next();
	const machine = etcd.at(names[Math.floor(decision / 16) % names.length]!);
	switch (decision % 16) {
		case 1:
			machine.running = false;
			break;
		case 2:
			machine.alive = false;
			break;
		case 3:
			machine.alive = true;
			break;
		case 4:
			if (!sparing || etcd.isRecoverable) wipe(machine, etcd);
			break;
		case 5:
			machine.slowness = 8;
			break;
		case 6:
			if (machine.running && machine.data) machine.stale = true;
			break;
		case 7:
			if (etcd.index > 0) etcd.index += 3000;
			break;
		case 8:
			if (!machine.data && record?.formed) machine.data = { clusterId: "f00", memberId: "f01", applied: 7 };
			break;
		case 9:
			etcd.tick();
			break;
		case 10:
			if (etcd.serves) etcd.machineOf(etcd.leader)!.running = false;
			break;
		case 11:
			if (!machine.data && record?.formed) machine.partial = true;
			break;
		default:
			return false;
	}
	return true;
}

function wipe(machine: ReturnType<SimulatedEtcd["at"]>, etcd: SimulatedEtcd): void {
	const { data } = machine;
	Object.assign(machine, { running: false, data: undefined });
	// Half of the stories are about what can be mended.
	if (data && etcd.clusterId && !etcd.isRecoverable && etcd.index % 2 === 0) machine.data = data;
}

/** Looks, plans, does one step, as the executor does, until done or refused; `undefined` after `limit` looks. */
export function converge(run: EtcdRun, desired: DesiredVoters, options: EtcdPlanOptions, limit: number) {
	const { etcd, names } = run;
	for (let look = 0; look < limit; look++) {
		misfortune(run);
		const seen = etcd.observe(names);
		if (run.record) run.record = remember(run.record, seen);
		const step = planEtcd(seen, desired, run.record, options);
		if (step.kind === "done" || step.kind === "refuse") return step;
		judge(run, seen, step);
		const had = etcd.serves;
		const disturbed = misfortune(run);
		act(run, step, disturbed);
		if (had && !disturbed && !etcd.hasQuorum) throw new Error(`${step.kind} loses the quorum`);
		etcd.tick();
	}
	return undefined;
}

function act(run: EtcdRun, step: EtcdStep, disturbed: boolean): void {
	try {
		perform(run, step);
	} catch (error) {
		if (!(error instanceof EtcdAnswer)) throw error;
		if (!disturbed) throw new Error(`refused without a disturbance: ${step.kind}: ${error.message}`);
	}
}

/** As the executor: what is remembered is saved before the effect; an answer may be lost after it. */
function perform(run: EtcdRun, step: EtcdStep): void {
	const { etcd, script } = run;
	const luck = script.next() % 16;
	if (step.kind === "seed") {
		run.record ??= bornRecord(step.name, birthOf(step.peerURL, "pg-650001"));
		if (luck !== 1) etcd.seed(step.name, run.record.token);
	}
	if (step.kind === "add") {
		const id = etcd.add(step.peerURL);
		if (luck !== 1) run.record = added(run.record!, step.name, id);
	}
	if (step.kind === "join") {
		run.record = started(run.record!, step.name, step.id);
		if (luck === 2) etcd.at(step.name).partial = true;
		if (luck > 2 || luck === 0) etcd.join(step.name, step.id, step.initialCluster);
	}
	if (step.kind === "start") etcd.start(step.name);
	if (step.kind === "promote") etcd.promote(step.id);
	if (step.kind === "remove") etcd.remove(step.id);
	if (step.kind === "update") etcd.update(step.id, step.peerURL);
	if (step.kind === "moveLeader") etcd.moveLeader(step.to);
	if (step.kind === "setAside") etcd.setAside(step.name);
	if (step.kind === "restart") etcd.restart(step.name);
}

/** The rules, on what was seen when the step was planned; written without the planner's helpers. */
function judge({ etcd }: EtcdRun, seen: ObservedEtcd, step: EtcdStep): void {
	if (step.kind === "start" && seen.machines[step.name]!.data !== "present")
		throw new Error(`${step.name} starts without data: it would begin a cluster of its own`);
	if (step.kind === "wait" || step.kind === "start" || step.kind === "seed") return;
	if (!seen.cluster) {
		if (step.kind !== "restart") throw new Error(`${step.kind} without a quorum's word`);
		return;
	}
	const { members, leader } = seen.cluster;
	const voters = members.filter(({ isLearner }) => !isLearner).map(({ id }) => id);
	const well = (ids: readonly string[]) => ids.filter((id) => seen.health[id]?.leader === leader).length;
	if (step.kind === "remove" && voters.includes(step.id)) {
		const rest = voters.filter((id) => id !== step.id);
		if (well(rest) < Math.floor(rest.length / 2) + 1) throw new Error(`removal leaves ${well(rest)} of ${rest.length}`);
		if (step.id === leader) throw new Error("the leader is removed");
	}
	if (step.kind === "add" && members.some(({ isLearner }) => isLearner)) throw new Error("a second learner");
	if (step.kind === "add" && well(voters) < voters.length / 2 + 0.5 && voters.length > 1)
		throw new Error("a member is added to a cluster that could lose its quorum by it");
	if (step.kind === "join" && seen.machines[step.name]!.data !== "none")
		throw new Error("a member joins in a folder that is not empty");
	if (step.kind === "promote") judgePromotion(seen, step.id, leader);
	if (step.kind === "setAside") judgeSettingAside(etcd, step.name);
	if (step.kind === "restart") judgeRestart(etcd, seen, step.name, voters, well);
}

function judgePromotion(seen: ObservedEtcd, id: string, leader: string): void {
	const behind = seen.health[leader]!.raftIndex - seen.health[id]!.raftAppliedIndex;
	if (behind > 100) throw new Error(`promoted ${behind} entries behind`);
	if (seen.health[id]!.errors.length > 0) throw new Error("promoted with errors");
}

function judgeSettingAside(etcd: SimulatedEtcd, name: string): void {
	const { data } = etcd.at(name);
	const listed = etcd.members.some(({ id }) => data?.memberId === id && data.clusterId === etcd.clusterId);
	if (listed) throw new Error(`the data of ${name}, a member, is set aside`);
}

function judgeRestart(
	etcd: SimulatedEtcd,
	seen: ObservedEtcd,
	name: string,
	voters: readonly string[],
	well: (ids: readonly string[]) => number,
): void {
	const id = etcd.at(name).data?.memberId ?? "";
	if (!voters.includes(id) || well([id]) === 0) return;
	const rest = voters.filter((other) => other !== id);
	if (voters.length > 2 && well(rest) < Math.floor(voters.length / 2) + 1) throw new Error("restart loses the quorum");
	if (id === seen.cluster!.leader && well(rest) > 0) throw new Error("the leader is restarted in office");
}
