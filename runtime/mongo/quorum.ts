import type { ConfigMember, MemberHealth, ObservedSet } from "./state.ts";
import { MAX_MEMBERS, MAX_VOTERS } from "./topology.ts";

/** Seconds behind the primary up to which a member may take over or get a vote: heartbeats alone make it look 2 s behind. */
export const CAUGHT_UP_SECONDS = 10;
/** Seconds behind the primary from which a member is no help for acknowledging majority writes. */
const LAGGING_SECONDS = 30;

const PRIMARY = 1;
const SECONDARY = 2;
const ARBITER = 7;

type Condition = Pick<MemberHealth, "state" | "lagSeconds">;

/** Answers, and serves or votes. */
export const isHealthy = ({ state, lagSeconds }: Condition): boolean =>
	state === PRIMARY || state === ARBITER || (state === SECONDARY && lagSeconds <= LAGGING_SECONDS);

/** Could take over right now, its priority apart. */
export const isCaughtUp = ({ state, lagSeconds }: Condition): boolean =>
	state === SECONDARY && lagSeconds <= CAUGHT_UP_SECONDS;

export const majority = (voters: number): number => Math.floor(voters / 2) + 1;

export function healthOf(observed: ObservedSet, host: string): MemberHealth {
	const unknown = { host, state: -1, lagSeconds: 0, newlyAdded: false, configVersion: -1 };
	return observed.members.find((member) => member.host === host) ?? unknown;
}

/** Whether the server counts this member's vote today. */
export const counts = (observed: ObservedSet, { host, votes }: ConfigMember): boolean =>
	votes === 1 && !healthOf(observed, host).newlyAdded;

/** What keeps back the next change of votes: voters whose vote the server does not count yet. Empty when all count. */
export function pendingVoters(observed: ObservedSet): string {
	const voters = observed.config.members.filter(({ votes }) => votes === 1);
	const flagged = voters.filter(({ host }) => healthOf(observed, host).newlyAdded).map(({ host }) => host);
	if (flagged.length > 0) return flagged.join(", ");
	const missing = voters.length - observed.votingMembersCount;
	return missing > 0 ? `${missing} of ${voters.length} voters` : "";
}

/** Why `members` would not have a healthy majority, as far as the last look goes; `undefined` when they would. */
export function lacksQuorum(observed: ObservedSet, members: readonly ConfigMember[]): string | undefined {
	const voters = members.filter((member) => counts(observed, member));
	const sick = voters.filter(({ host }) => !isHealthy(healthOf(observed, host)));
	const needed = majority(voters.length);
	if (voters.length - sick.length >= needed) return undefined;
	return `${needed} of ${voters.length} voters must be healthy, these are not: ${sick.map(({ host }) => host).join(", ")}`;
}

/** Why the current config is not yet safe from being rolled back; `undefined` when a majority of voters has it. */
export function notCommitted(observed: ObservedSet): string | undefined {
	const { version, members } = observed.config;
	const voters = members.filter((member) => counts(observed, member));
	const behind = voters.filter(({ host }) => healthOf(observed, host).configVersion < version);
	if (voters.length - behind.length >= majority(voters.length)) return undefined;
	return `config version ${version} to reach ${behind.map(({ host }) => host).join(", ")}`;
}

export const isElectable = ({ votes, priority, arbiterOnly }: ConfigMember): boolean =>
	votes === 1 && priority > 0 && !arbiterOnly;

/**
 * Why the set would not be healthy with `members`; `undefined` when it would. Newcomers count as not healthy, unless
 * the server holds their vote back (`heldBack`): then no majority changes before they have caught up.
 */
export function unsafe(observed: ObservedSet, members: readonly ConfigMember[], heldBack: boolean): string | undefined {
	if (members.length > MAX_MEMBERS) return `a set has at most ${MAX_MEMBERS} members`;
	if (members.filter(({ votes }) => votes === 1).length > MAX_VOTERS) return `a set has at most ${MAX_VOTERS} voters`;
	if (members.filter(({ arbiterOnly }) => arbiterOnly).length > 1) return "a set has at most one arbiter";
	const known = (host: string) => observed.config.members.some((member) => member.host === host);
	const counting = members.filter((member) => counts(observed, member) && (!heldBack || known(member.host)));
	if (!counting.some(isElectable)) return "no member could become primary";
	return lacksQuorum(observed, counting) ?? lacksWriteQuorum(observed, counting);
}

/** Arbiters vote but acknowledge nothing: `w: majority` needs this many members with data. */
function lacksWriteQuorum(observed: ObservedSet, voters: readonly ConfigMember[]): string | undefined {
	const bearing = voters.filter(({ arbiterOnly }) => !arbiterOnly);
	const needed = Math.min(majority(voters.length), bearing.length);
	const sick = bearing.filter(({ host }) => !isHealthy(healthOf(observed, host)));
	if (bearing.length - sick.length >= needed) return undefined;
	return `${needed} voters with data must be healthy, these are not: ${sick.map(({ host }) => host).join(", ")}`;
}

/** Voters with data whose vote counts: the copies that an acknowledged majority write may be on. */
export const copies = (observed: ObservedSet, members: readonly ConfigMember[]): number =>
	members.filter((member) => counts(observed, member) && !member.arbiterOnly).length;
