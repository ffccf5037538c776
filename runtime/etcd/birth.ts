import { isIdle } from "./match.ts";
import { majority } from "./quorum.ts";
import { type EtcdRecord, nameOfId, newestId } from "./record.ts";
import type { DesiredVoters, EtcdStep, Machine, ObservedEtcd } from "./state.ts";

const wait = (why: string): EtcdStep => ({ kind: "wait", why });
const list = (names: readonly string[]): string => names.join(", ");

/** Where no quorum answers: begin, start what has data, or wait; never anything that changes the member list. */
export function withoutQuorum(
	observed: ObservedEtcd,
	desired: DesiredVoters,
	record: EtcdRecord | undefined,
): EtcdStep {
	const stranger = Object.entries(observed.machines).find(
		([, { answer }]) => answer && answer.clusterId !== record?.clusterId,
	);
	if (!record?.formed) {
		if (stranger) return foreign(stranger[0], stranger[1].answer!.clusterId, record);
		return begin(observed, desired, record);
	}
	return revive(observed, record);
}

function foreign(name: string, clusterId: string, record: EtcdRecord | undefined): EtcdStep {
	const known = record ? `, not to ${record.clusterId}` : ", and nothing here proves that it is ours";
	return {
		kind: "refuse",
		code: "HF_FOREIGN",
		why: `the etcd that answers at the address of ${name} belongs to cluster ${clusterId}${known}`,
		next: "adopt that cluster by its id, or choose other addresses",
	};
}

/** One voter begins alone, and only when nothing anywhere says that there ever was a cluster. */
function begin(observed: ObservedEtcd, desired: DesiredVoters, record: EtcdRecord | undefined): EtcdStep {
	const seed = desired.find(({ name }) => name === (record?.seed ?? name));
	const unseen = desired.filter(({ name }) => !observed.machines[name]).map(({ name }) => name);
	const others = Object.entries(observed.machines).filter(([name]) => name !== record?.seed);
	const first = seed && record ? observed.machines[seed.name] : undefined;
	if (seed && first?.data === "present" && isIdle(first))
		return { kind: "start", name: seed.name, why: `start ${seed.name}, the first voter` };
	const holding = others.filter(([, { data }]) => data !== "none").map(([name]) => name);
	if (holding.length > 0) {
		return {
			kind: "refuse",
			code: "HF_FOREIGN",
			why: `${list(holding)} already has etcd data, and nothing here proves that it is ours: no cluster is begun beside it`,
			next: "adopt that cluster by its id, or move its folder data/etcd away yourself",
		};
	}
	if (!seed) {
		return {
			kind: "refuse",
			code: "HF_SETTING",
			why: `the cluster began to be made on ${record?.seed}, which is not a voter any more`,
			next: `declare ${record?.seed} a voter again until the cluster is there`,
		};
	}
	if (unseen.length > 0) return wait(`whether ${list(unseen)} has etcd data is not known: no cluster is begun before`);
	const machine = observed.machines[seed.name]!;
	if (!isIdle(machine)) return wait(`${seed.name}, the first voter, to answer${because(machine)}`);
	const { name, peerURL } = seed;
	return { kind: "seed", name, peerURL, why: `begin the etcd cluster with ${name} alone` };
}

const because = ({ detail }: Machine): string => (detail ? ` (${detail})` : "");

/** A formed cluster that does not answer: every member that still has its data is started. */
function revive(observed: ObservedEtcd, record: EtcdRecord): EtcdStep {
	const machines = Object.entries(observed.machines);
	const ours = machines.filter(([name]) => newestId(record, name) !== undefined || record.voters.length === 0);
	const idle = ours.find(([, machine]) => machine.data === "present" && isIdle(machine));
	if (idle) return { kind: "start", name: idle[0], why: `start ${idle[0]}: the etcd cluster has no quorum` };
	// Nobody loses anything by it: a member may have to be restarted at the address that the others know.
	const stale = ours.find(([, { pendingRestart, process }]) => pendingRestart && process === "running");
	if (stale) return { kind: "restart", name: stale[0], why: `restart ${stale[0]}: the etcd cluster has no quorum` };
	const names = record.voters.map((id) => nameOfId(record, id) ?? `member ${id}`);
	const lost = names.filter((name) => isLost(observed.machines[name], record));
	if (names.length > 0 && names.length - lost.length < majority(names.length)) return refuseLost(names, lost);
	const silent = names.filter((name) => !isAnswering(observed, name, record));
	const details = silent.flatMap((name) => observed.machines[name]?.detail ?? []);
	const said = details.length > 0 ? ` (${details.join("; ")})` : "";
	return wait(`a quorum of the etcd cluster to answer; silent: ${list(silent) || "none"}${said}`);
}

/** Its machine was looked at, and has nothing, or another cluster's. */
const isLost = (machine: Machine | undefined, { clusterId }: EtcdRecord): boolean =>
	machine !== undefined &&
	(machine.data !== "present" || (machine.answer !== undefined && machine.answer.clusterId !== clusterId));

const isAnswering = ({ machines }: ObservedEtcd, name: string, { clusterId }: EtcdRecord): boolean =>
	machines[name]?.answer?.clusterId === clusterId;

function refuseLost(names: readonly string[], lost: readonly string[]): EtcdStep {
	const all = lost.length === names.length;
	return {
		kind: "refuse",
		code: all ? "HF_DATA_LOST" : "HF_UNSAFE",
		why: `the etcd data of ${list(lost)} is gone, or another cluster's: ${names.length - lost.length} of ${names.length} voters cannot have a quorum again`,
		next: `restore data/etcd of ${majority(names.length)} voters, or recover from the one copy that is newest by hand (docs/runbook.md, lost quorum)`,
	};
}
