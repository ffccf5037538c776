import type { Confirmed } from "./quorum.ts";
import { type EtcdRecord, nameOfId, newestId } from "./record.ts";
import type { DesiredVoters, EtcdMember, Machine, Voter } from "./state.ts";

/** A voter that is wanted, and what there is of it. */
export interface Pair {
	want: Voter;
	/** Its entry in the member list. */
	member?: EtcdMember;
	/** Absent: could not be looked at. */
	machine?: Machine;
}

export interface Match {
	pairs: Pair[];
	/** Entries that belong to nobody who is wanted, and second entries of those who are. */
	surplus: EtcdMember[];
}

const sameURLs = (a: readonly string[], b: readonly string[]): boolean =>
	a.length === b.length && [...a].sort().join(" ") === [...b].sort().join(" ");

/** Whether the entry has exactly the address that is wanted. */
export const isAt = (member: EtcdMember, { peerURL }: Voter): boolean => sameURLs(member.peerURLs, [peerURL]);

/** By id where we gave it, else by exact name, else, before the first start, by exact address. */
function belongs(member: EtcdMember, want: Voter, record: EtcdRecord | undefined): boolean {
	const owner = nameOfId(record, member.id);
	if (owner !== undefined) return owner === want.name;
	return member.name === "" ? isAt(member, want) : member.name === want.name;
}

/** Which entry of the member list is whose. */
export function match(observed: Confirmed, desired: DesiredVoters, record: EtcdRecord | undefined): Match {
	const { members } = observed.cluster;
	const pairs = desired.map((want) => {
		const machine = observed.machines[want.name];
		const own = members.filter((member) => belongs(member, want, record));
		const rank = ({ id }: EtcdMember) =>
			(id === machine?.answer?.memberId ? 2 : 0) + (id === newestId(record, want.name) ? 1 : 0);
		return { want, machine, member: [...own].sort((a, b) => rank(b) - rank(a))[0] };
	});
	const taken = new Set(pairs.map(({ member }) => member?.id));
	return { pairs, surplus: members.filter(({ id }) => !taken.has(id)) };
}

/** The name of an entry that may not have started yet. */
export const ownerOf = (member: EtcdMember, record: EtcdRecord | undefined): string =>
	nameOfId(record, member.id) ?? member.name;

/** Its process does not run, nor does anybody try to start it on data that it has. */
export const isIdle = ({ process, data }: Machine): boolean =>
	process === "stopped" || process === "held" || (process === "backing-off" && data !== "present");
