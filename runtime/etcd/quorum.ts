import type { EtcdHealth, EtcdMember, ObservedEtcd } from "./state.ts";

/** A cluster that a quorum confirmed, and how its members are. */
export type Confirmed = ObservedEtcd & { cluster: NonNullable<ObservedEtcd["cluster"]> };

/** Entries of the log that a learner may be behind when it gets its vote. */
const PROMOTION_LAG = 100;
/** Share of the log that etcd itself asks of it, which is more where the log is short. */
const PROMOTION_SHARE = 0.9;

export const majority = (voters: number): number => Math.floor(voters / 2) + 1;

export const votersOf = ({ cluster }: Confirmed): EtcdMember[] => cluster.members.filter((m) => !m.isLearner);
export const learnersOf = ({ cluster }: Confirmed): EtcdMember[] => cluster.members.filter((m) => m.isLearner);

export const healthOf = ({ health }: ObservedEtcd, { id }: Pick<EtcdMember, "id">): EtcdHealth | undefined =>
	health[id]?.reachable ? health[id] : undefined;

/** Answers, and follows the leader that the others follow. */
export function isHealthy(observed: Confirmed, member: Pick<EtcdMember, "id">): boolean {
	const health = healthOf(observed, member);
	return health !== undefined && health.leader !== "" && health.leader === observed.cluster.leader;
}

export const nameOf = ({ name, id }: Pick<EtcdMember, "name" | "id">): string => name || `member ${id}`;
export const namesOf = (members: readonly EtcdMember[]): string => members.map(nameOf).join(", ");

/** Why `voters` would not have a healthy majority of `size`; `undefined` when they would. */
function lacks(observed: Confirmed, voters: readonly EtcdMember[], size = voters.length): string | undefined {
	const sick = voters.filter((voter) => !isHealthy(observed, voter));
	if (voters.length - sick.length >= majority(size)) return undefined;
	const who = sick.length > 0 ? `, these are not: ${namesOf(sick)}` : "";
	return `${majority(size)} of ${size} voters would have to be healthy${who}`;
}

/** Why a member cannot go now. A learner has no vote, so it always can. */
export function removalObstacle(observed: Confirmed, member: EtcdMember): string | undefined {
	if (member.isLearner) return undefined;
	const rest = votersOf(observed).filter(({ id }) => id !== member.id);
	return rest.length === 0 ? "it is the only voter" : lacks(observed, rest);
}

/** Why a learner cannot be added now. The newcomer counts as a voter that is down, as etcd 3.6 does it. */
export function additionObstacle(observed: Confirmed): string | undefined {
	const voters = votersOf(observed);
	return lacks(observed, voters, voters.length === 1 ? 1 : voters.length + 1);
}

/** Why a learner cannot get its vote now. */
export function promotionObstacle(observed: Confirmed, learner: EtcdMember): string | undefined {
	const leader = healthOf(observed, { id: observed.cluster.leader });
	const health = healthOf(observed, learner);
	if (!leader) return "the leader does not answer";
	if (!health) return "it does not answer yet";
	if (health.errors.length > 0) return `it reports ${health.errors.join(", ")}`;
	const behind = leader.raftIndex - health.raftAppliedIndex;
	const close = behind <= PROMOTION_LAG && health.raftAppliedIndex >= PROMOTION_SHARE * leader.raftIndex;
	return close ? undefined : `it is ${behind} entries of the log behind`;
}

/** Why a voter cannot be away for a moment. One or two voters have nobody to spare: there it is a short outage. */
export function absenceObstacle(observed: Confirmed, member: EtcdMember): string | undefined {
	if (member.isLearner || !isHealthy(observed, member)) return undefined;
	const voters = votersOf(observed);
	if (voters.length <= 2) return lacks(observed, voters);
	const rest = voters.filter(({ id }) => id !== member.id);
	return lacks(observed, rest, voters.length);
}

/** The voter that would lead best of those in `among`: healthy, with the longest log. */
export function heir(observed: Confirmed, among: readonly EtcdMember[]): EtcdMember | undefined {
	const applied = (member: EtcdMember) => healthOf(observed, member)?.raftAppliedIndex ?? 0;
	return among
		.filter((member) => !member.isLearner && member.id !== observed.cluster.leader && isHealthy(observed, member))
		.sort((a, b) => applied(b) - applied(a))[0];
}
