import { isAt, isIdle, type Match, ownerOf, type Pair } from "./match.ts";
import {
	absenceObstacle,
	additionObstacle,
	type Confirmed,
	healthOf,
	heir,
	isHealthy,
	nameOf,
	promotionObstacle,
	removalObstacle,
	votersOf,
} from "./quorum.ts";
import { type EtcdRecord, hasStarted } from "./record.ts";
import type { EtcdMember, EtcdStep, Machine } from "./state.ts";

/** One difference from what is wanted: the step that removes it, and why it cannot be taken now. */
export interface Change {
	step: EtcdStep & { why: string };
	obstacle?: string;
}

/** Nothing will ever come of it without an operator. */
const isHopeless = ({ process }: Machine): boolean => process === "fatal" || process === "missing";

export function removal(observed: Confirmed, member: EtcdMember, name: string, why: string): Change {
	const leads = member.id === observed.cluster.leader;
	const obstacle = removalObstacle(observed, member);
	const to = leads && !obstacle ? heir(observed, votersOf(observed)) : undefined;
	if (to) return { step: { kind: "moveLeader", from: member.id, to: to.id, why: `let ${nameOf(to)} lead, to ${why}` } };
	return { step: { kind: "remove", name, id: member.id, why }, obstacle };
}

/** Entries that shall go, the best first: learners and those that do not answer help nobody; the leader is the last. */
export function leavers(observed: Confirmed, surplus: readonly EtcdMember[], record: EtcdRecord | undefined): Change[] {
	const rank = (member: EtcdMember) =>
		(isHealthy(observed, member) ? 4 : 0) +
		(member.isLearner ? 0 : 2) +
		(member.id === observed.cluster.leader ? 1 : 0);
	return [...surplus]
		.sort((a, b) => rank(a) - rank(b))
		.map((member) => {
			const name = ownerOf(member, record);
			return removal(observed, member, name, `remove ${nameOf({ ...member, name })}`);
		});
}

const setAside = (name: string, why: string): Change => ({ step: { kind: "setAside", name, why } });

/** Runs in another cluster than ours, or as a member that ours does not have. */
function isStray({ cluster }: Confirmed, { answer }: Machine): boolean {
	return (
		answer !== undefined &&
		(answer.clusterId !== cluster.clusterId || !cluster.members.some(({ id }) => id === answer.memberId))
	);
}

/** What keeps a voter that is wanted from being one: the next thing to do about it; `undefined` when it is as it should be. */
export function mending(observed: Confirmed, pair: Pair, record: EtcdRecord | undefined): Change | undefined {
	const { want, machine, member } = pair;
	if (!machine) {
		if (member) return undefined;
		return { step: { kind: "wait", why: `what ${want.name} has on its disk is not known` }, obstacle: "look again" };
	}
	const answers = machine.answer?.memberId === member?.id && machine.answer?.clusterId === observed.cluster.clusterId;
	if (isStray(observed, machine)) return estranged(want.name, machine);
	if (!member) return adding(observed, want.name, want.peerURL, machine);
	if (machine.data === "present" || answers) return present(observed, { want, machine, member }, record);
	return absent(observed, { want, machine, member }, record);
}

function estranged(name: string, machine: Machine): Change {
	const whose = `member ${machine.answer!.memberId} of cluster ${machine.answer!.clusterId}, which our cluster does not have`;
	if (!isIdle(machine) && !isHopeless(machine))
		return setAside(name, `set the etcd data of ${name} aside: it belongs to ${whose}`);
	const why = `a process that is not ours answers at the address of ${name}, as ${whose}`;
	return { step: { kind: "refuse", code: "HF_FOREIGN", why, next: "stop it, or choose another address" } };
}

function adding(observed: Confirmed, name: string, peerURL: string, machine: Machine): Change {
	if (machine.data !== "none")
		return setAside(name, `set the etcd data of ${name} aside: our cluster does not list it`);
	const hopeless = isHopeless(machine) ? `its process cannot start${because(machine)}` : undefined;
	const obstacle = hopeless ?? additionObstacle(observed);
	return { step: { kind: "add", name, peerURL, why: `add ${name} as a learner` }, obstacle };
}

const because = ({ process, detail }: Machine): string => ` (${detail ?? process})`;

type Found = Pair & { machine: Machine; member: EtcdMember };

function present(observed: Confirmed, found: Found, record: EtcdRecord | undefined): Change | undefined {
	const { want, machine, member } = found;
	if (!hasStarted(record, member) && machine.answer === undefined)
		return setAside(want.name, `set the etcd data of ${want.name} aside: it is older than member ${member.id}`);
	if (isIdle(machine)) return { step: { kind: "start", name: want.name, why: `start ${want.name}` } };
	if (!isAt(member, want)) {
		const why = `tell the cluster that ${want.name} moves to ${want.peerURL}`;
		return {
			step: { kind: "update", name: want.name, id: member.id, peerURL: want.peerURL, why },
			obstacle: absenceObstacle(observed, member),
		};
	}
	return member.isLearner ? learning(observed, found) : undefined;
}

function learning(observed: Confirmed, { want, machine, member }: Found): Change {
	const { name } = want;
	if (isHopeless(machine))
		return removal(observed, member, name, `remove ${name}: the learner cannot start${because(machine)}`);
	const obstacle = promotionObstacle(observed, member);
	return { step: { kind: "promote", name, id: member.id, why: `give ${name} its vote` }, obstacle };
}

/** Without its data a member is another one: its old id would break promises that it does not remember. */
function absent(observed: Confirmed, { want, machine, member }: Found, record: EtcdRecord | undefined): Change {
	const { name } = want;
	if (isHopeless(machine) && member.isLearner)
		return removal(observed, member, name, `remove ${name}: the learner cannot start${because(machine)}`);
	if (!isIdle(machine) && !isHopeless(machine))
		return {
			step: { kind: "wait", why: `start of ${name}` },
			obstacle: `its process is ${machine.process}, without data`,
		};
	if (!member.isLearner || hasStarted(record, member))
		return removal(observed, member, name, `remove ${name}, to add it again: its etcd data is gone`);
	if (!isAt(member, want)) return removal(observed, member, name, `remove ${name}, to add it as ${want.peerURL}`);
	if (machine.data === "partial") return setAside(name, `set what an unfinished start of ${name} left aside`);
	return {
		step: {
			kind: "join",
			name,
			id: member.id,
			initialCluster: initialCluster(observed, member, name),
			why: `let ${name} join`,
		},
	};
}

/** All members in the form of `initial-cluster`: a joining member compares the addresses, and its own name. */
const initialCluster = ({ cluster }: Confirmed, joining: EtcdMember, name: string): string =>
	cluster.members
		.flatMap((member) => {
			const called = member.id === joining.id ? name : member.name || member.id;
			return member.peerURLs.map((url) => `${called}=${url}`);
		})
		.join(",");

/** Data of members that neither vote nor are listed: kept aside, so that their process stays held. */
export function leftovers(observed: Confirmed, record: EtcdRecord | undefined): Change[] {
	const listed = new Set(observed.cluster.members.map((member) => ownerOf(member, record)));
	return Object.entries(observed.machines)
		.filter(([name, { data }]) => data !== "none" && !listed.has(name))
		.map(([name]) => setAside(name, `set the etcd data of ${name} aside: it does not vote`));
}

/** Restarts for a staged configuration, the leader last and relieved of its office first. */
export function restarts(observed: Confirmed, { pairs }: Match): Change[] {
	const due = pairs.filter(({ machine }) => machine?.pendingRestart && machine.process === "running");
	const leads = ({ member }: Pair) => member?.id === observed.cluster.leader;
	return [...due.filter((pair) => !leads(pair)), ...due.filter(leads)].map((pair) => {
		const { want, member } = pair;
		const why = `restart ${want.name} with its new configuration`;
		const to = leads(pair) ? heir(observed, votersOf(observed)) : undefined;
		const obstacle = member && absenceObstacle(observed, member);
		if (to)
			return {
				step: { kind: "moveLeader", from: member!.id, to: to.id, why: `let ${nameOf(to)} lead, to ${why}` },
				obstacle,
			};
		return { step: { kind: "restart", name: want.name, why }, obstacle };
	});
}

/** Voters that are wanted, listed, and not healthy. */
export const sickOf = (observed: Confirmed, { pairs }: Match): string[] =>
	pairs
		.filter(({ member }) => member && !isHealthy(observed, member))
		.map(({ want, machine, member }) => {
			const detail = machine?.detail ?? (healthOf(observed, member!) ? "it follows no leader" : "no answer");
			return `${want.name} (${detail})`;
		});
