import { withoutQuorum } from "./birth.ts";
import { type Change, leavers, leftovers, mending, restarts, sickOf } from "./changes.ts";
import { type Match, match, ownerOf } from "./match.ts";
import { type Confirmed, isHealthy, learnersOf, namesOf, votersOf } from "./quorum.ts";
import { type EtcdRecord, nameOfId } from "./record.ts";
import type { DesiredVoters, EtcdMember, EtcdStep, ObservedEtcd } from "./state.ts";

export interface EtcdPlanOptions {
	/** `retire` only removes, before processes stop; `join` does everything else, after members were made. */
	phase: "retire" | "join";
	/** Names of voters that are not removed though they are not wanted. @default none */
	keep?: readonly string[];
}

const wait = (why: string): EtcdStep => ({ kind: "wait", why });

/**
 * The one next step towards `desired`. Nothing is changed without a quorum's word, at most one learner is there at a
 * time, a voter goes only while the rest has a healthy majority, and no id starts on an empty folder twice. Needs no
 * memory but the record: after a crash or a lost answer, look again and ask again.
 */
export function planEtcd(
	observed: ObservedEtcd,
	desired: DesiredVoters,
	record: EtcdRecord | undefined,
	options: EtcdPlanOptions,
): EtcdStep {
	const refusal = refuseSettings(desired, options.phase);
	if (refusal) return refusal;
	const keep = options.keep ?? [];
	if (!isConfirmed(observed, record)) {
		if (options.phase === "retire" && !isLeaving(record, desired, keep)) return { kind: "done" };
		return withoutQuorum(observed, desired, record);
	}
	const found = match(observed, desired, record);
	const surplus = found.surplus.filter((member) => member.isLearner || !keep.includes(ownerOf(member, record)));
	return options.phase === "retire"
		? retire(observed, desired, { ...found, surplus }, record)
		: join(observed, { ...found, surplus }, record);
}

const isConfirmed = (observed: ObservedEtcd, record: EtcdRecord | undefined): observed is Confirmed =>
	observed.cluster !== undefined && observed.cluster.clusterId === record?.clusterId;

/** Whether a voter of the last confirmed look is neither wanted nor kept. */
const isLeaving = (record: EtcdRecord | undefined, desired: DesiredVoters, keep: readonly string[]): boolean =>
	(record?.voters ?? []).some((id) => {
		const name = nameOfId(record, id) ?? "";
		return !keep.includes(name) && !desired.some((want) => want.name === name);
	});

/** While members retire, those that stay may be any number: the rest has yet to join. */
function refuseSettings(desired: DesiredVoters, phase: EtcdPlanOptions["phase"]): EtcdStep | undefined {
	const refuse = (why: string): EtcdStep => ({ kind: "refuse", code: "HF_SETTING", why, next: "correct the voters" });
	if (desired.length === 0) return refuse("no etcd voters are declared: nothing is changed");
	if (phase === "join" && desired.length % 2 === 0)
		return refuse(
			`${desired.length} etcd voters survive no more failures than ${desired.length - 1}: declare 1, 3 or 5`,
		);
	for (const key of ["name", "peerURL", "clientURL"] as const) {
		const values = desired.map((want) => want[key]);
		const twice = values.find((value, i) => values.indexOf(value) !== i);
		if (twice !== undefined) return refuse(`two etcd voters have the ${key} ${twice}`);
	}
	return undefined;
}

function retire(
	observed: Confirmed,
	desired: DesiredVoters,
	{ surplus }: Match,
	record: EtcdRecord | undefined,
): EtcdStep {
	const left = votersOf(observed).filter((voter) => !surplus.includes(voter));
	if (surplus.length > 0 && left.length === 0) {
		return {
			kind: "refuse",
			code: "HF_UNSAFE",
			why: `without ${namesOf(surplus)} the etcd cluster would have no voter left`,
			next: `keep one of them beside ${desired.map(({ name }) => name).join(", ")} first, and remove it in a second run`,
		};
	}
	const dead = learnersOf(observed).filter((learner) => !surplus.includes(learner) && !isHealthy(observed, learner));
	const changes = leavers(observed, surplus.length > 0 ? [...surplus, ...dead] : surplus, record);
	return firstPossible(changes) ?? { kind: "done" };
}

function join(observed: Confirmed, found: Match, record: EtcdRecord | undefined): EtcdStep {
	const { pairs, surplus } = found;
	const mends = pairs.flatMap((pair) => mending(observed, pair, record) ?? []);
	const start = mends.find(({ step }) => step.kind === "start");
	if (start) return start.step;
	const leaving = leavers(observed, surplus, record);
	const learner = learnersOf(observed)[0];
	if (learner) return finishLearner(learner, [...leaving, ...mends], found);
	const isEarly = ({ step }: Change) =>
		step.kind === "remove" && surplus.some((member) => member.id === step.id && isInTheWay(observed, member, found));
	const sooner = ["remove", "moveLeader", "update", "setAside"];
	const changes = [
		...mends.filter(({ step }) => step.kind === "setAside"),
		...leaving.filter(isEarly),
		...mends.filter(({ step }) => step.kind !== "setAside" && sooner.includes(step.kind)),
		...mends.filter(({ step }) => !sooner.includes(step.kind)),
		...leaving.filter((change) => !isEarly(change)),
		...leftovers(observed, record),
		...restarts(observed, found),
	];
	const step = firstPossible(changes);
	if (step) return step;
	const sick = sickOf(observed, found);
	return sick.length > 0 ? wait(`${sick.join(", ")} to be healthy`) : { kind: "done" };
}

/** A surplus member that does not answer, or that has an address which somebody else needs. */
const isInTheWay = (observed: Confirmed, member: EtcdMember, { pairs }: Match): boolean =>
	!isHealthy(observed, member) || pairs.some(({ want, member: own }) => !own && member.peerURLs.includes(want.peerURL));

/** While there is a learner, it is brought to its vote, or removed; the rest waits. */
function finishLearner(learner: EtcdMember, changes: Change[], { pairs }: Match): EtcdStep {
	const name = pairs.find(({ member }) => member?.id === learner.id)?.want.name;
	const own = changes.filter(
		({ step }) => ("id" in step && step.id === learner.id) || ("name" in step && step.name === name),
	);
	return firstPossible(own) ?? wait(`${namesOf([learner])} to become a voter`);
}

/** The first change that nothing stands against; else everything that is waited for; `undefined` where nothing is to do. */
function firstPossible(changes: readonly Change[]): EtcdStep | undefined {
	const possible = changes.find(({ obstacle }) => obstacle === undefined);
	if (possible) return possible.step;
	if (changes.length === 0) return undefined;
	return wait(changes.map(({ step, obstacle }) => `${step.why}: ${obstacle}`).join("; "));
}
