import type { ConfigMember, SetConfig } from "../../runtime/mongo/state.ts";

/** What the server keeps beside the config it shows: whose votes it holds back. */
export interface Installed {
	config: SetConfig;
	newlyAdded: ReadonlySet<number>;
}

/** An answer of the simulated server, by the code of the real one. */
export class ServerError extends Error {
	readonly code: number;
	constructor(code: number, message: string) {
		super(`${code}: ${message}`);
		this.code = code;
	}
}

const INVALID = 93; // InvalidReplicaSetConfig
const INCOMPATIBLE = 103; // NewReplicaSetConfigurationIncompatible
const NOT_ELECTABLE = 107; // NodeNotElectable

export const votersOf = ({ config, newlyAdded }: Installed): ConfigMember[] =>
	config.members.filter(({ _id, votes }) => votes === 1 && !newlyAdded.has(_id));

/** Ids whose votes the server will hold back under `next`: new voters with data, from 5.0 on, and those it holds back now. */
export function heldBack(now: Installed, next: SetConfig, fcv: string): Set<number> {
	const isNew = (id: number) => !now.config.members.some(({ _id }) => _id === id);
	const held = next.members.filter(
		({ _id, votes, arbiterOnly }) =>
			now.newlyAdded.has(_id) || (Number.parseInt(fcv, 10) >= 5 && votes === 1 && !arbiterOnly && isNew(_id)),
	);
	return new Set(held.map(({ _id }) => _id));
}

/** Throws what the server answers to a config that breaks R1 to R4 or R7 (there is no way past it: never forced). */
export function checkRules(now: Installed, next: SetConfig, primary: string, fcv: string): void {
	checkIdentity(now.config, next);
	checkMembers(next);
	const after: Installed = { config: next, newlyAdded: heldBack(now, next, fcv) };
	const before = new Set(votersOf(now).map(({ _id }) => _id));
	const later = new Set(votersOf(after).map(({ _id }) => _id));
	const difference =
		[...before].filter((id) => !later.has(id)).length + [...later].filter((id) => !before.has(id)).length;
	if (difference > 1) throw new ServerError(INVALID, `${difference} voters differ`);
	if (later.size < 1) throw new ServerError(INVALID, "no voter is left");
	const self = next.members.find(({ host }) => host === primary);
	if (!self || self.priority === 0) throw new ServerError(NOT_ELECTABLE, `${primary} would not be electable`);
	checkPsa(now, after);
}

function checkIdentity(now: SetConfig, next: SetConfig): void {
	if (next._id !== now._id || next.settings.replicaSetId !== now.settings.replicaSetId) {
		throw new ServerError(INCOMPATIBLE, "another set");
	}
	if (next.version <= now.version)
		throw new ServerError(INCOMPATIBLE, `version ${next.version} is not above ${now.version}`);
	for (const member of next.members) {
		const old = now.members.find(({ host }) => host === member.host);
		if (old && old._id !== member._id) throw new ServerError(INVALID, `${member.host} changes its _id`);
		const same = now.members.find(({ _id }) => _id === member._id);
		if (same && same.arbiterOnly !== member.arbiterOnly)
			throw new ServerError(INVALID, `${member.host} changes arbiterOnly`);
		if (same && JSON.stringify(same.rest) !== JSON.stringify(member.rest))
			throw new Error(`rest of ${member.host} was changed`);
	}
}

function checkMembers({ members }: SetConfig): void {
	const unique = (values: unknown[]) => new Set(values).size === values.length;
	const problems = [
		!unique(members.map(({ host }) => host)) && "duplicate host",
		!unique(members.map(({ _id }) => _id)) && "duplicate _id",
		members.some(({ _id }) => _id < 0 || _id > 255) && "_id out of range",
		members.length > 50 && "more than 50 members",
		members.filter(({ votes }) => votes === 1).length > 7 && "more than 7 voters",
		members.filter(({ arbiterOnly }) => arbiterOnly).length > 1 && "more than one arbiter",
		members.some(({ votes, priority }) => votes === 0 && priority > 0) && "priority without a vote",
		members.some(({ hidden, priority }) => hidden && priority > 0) && "hidden with a priority",
		members.some(({ arbiterOnly, priority, votes }) => arbiterOnly && (priority > 0 || votes === 0)) && "arbiter",
		!members.some(({ priority }) => priority > 0) && "nobody is electable",
	].filter((problem) => problem !== false);
	if (problems.length > 0) throw new ServerError(INVALID, problems.join(", "));
}

/** With primary, secondary and arbiter, a member must not get vote and priority in one step. */
function checkPsa(now: Installed, after: Installed): void {
	const voters = votersOf(after);
	if (voters.length !== 3 || !voters.some(({ arbiterOnly }) => arbiterOnly)) return;
	const before = new Set(votersOf(now).map(({ _id }) => _id));
	const sudden = voters.find(({ _id, priority }) => priority > 0 && !before.has(_id));
	if (sudden) throw new ServerError(INVALID, `${sudden.host} gets vote and priority at once in a set with an arbiter`);
}
