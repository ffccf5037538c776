import { HoldfastError } from "../errors.ts";
import type { SlotOverride } from "./arguments.ts";
import type { DesiredMember } from "./state.ts";

export const MAX_MEMBERS = 50;
export const MAX_VOTERS = 7;

export interface Topology {
	/** In slot order. */
	members: DesiredMember[];
	/** What the operator should know about the outcome; shown in preview. */
	notes: string[];
}

export interface TopologySettings {
	/** By slot. */
	overrides?: Record<string, SlotOverride>;
	arbiter?: "last" | number;
}

const refuse = (message: string, next?: string) => new HoldfastError("HF_SETTING", message, { next });

/**
 * Who votes, who may become primary: from `hosts` (`host:port` by slot) and what the program says of single slots.
 * Throws HF_SETTING, naming the setting, for what no replica set can be.
 */
export function topology(hosts: readonly string[], { overrides = {}, arbiter }: TopologySettings = {}): Topology {
	if (hosts.length < 1) throw refuse("members is 0: a replica set has at least 1 member");
	if (hosts.length > MAX_MEMBERS)
		throw refuse(`members is ${hosts.length}: a replica set has at most ${MAX_MEMBERS} members`);
	const arbiterSlot = arbiter === "last" ? hosts.length - 1 : arbiter;
	if (arbiterSlot !== undefined && arbiterSlot >= hosts.length) {
		throw refuse(`arbiter is ${arbiterSlot}, but the slots are 0 to ${hosts.length - 1}`);
	}
	const members = hosts.map((host, slot) => memberOf(host, slot, overrides[slot] ?? {}, slot === arbiterSlot));
	const notes = [...unusedOverrides(overrides, hosts.length), ...arbiterNotes(members)];
	const odd = withOddVoters(members);
	const [problem] = membershipProblems(odd.members);
	if (problem) throw refuse(problem);
	return { members: odd.members, notes: [...notes, ...odd.notes] };
}

function memberOf(
	host: string,
	slot: number,
	{ priority, hidden = false, votes = 1 }: SlotOverride,
	arbiterOnly: boolean,
): DesiredMember {
	const setting = `overrides.${slot}`;
	if (arbiterOnly && (hidden || votes === 0))
		throw refuse(`${setting}: the arbiter (slot ${slot}) can be neither hidden nor non-voting`);
	const passive = arbiterOnly
		? "the arbiter"
		: hidden
			? "a hidden member"
			: votes === 0
				? "a non-voting member"
				: undefined;
	if (passive && (priority ?? 0) > 0) throw refuse(`${setting}.priority is ${priority}, but ${passive} has priority 0`);
	return { host, votes, priority: passive ? 0 : (priority ?? 1), hidden, arbiterOnly };
}

const unusedOverrides = (overrides: Record<string, SlotOverride>, count: number): string[] =>
	Object.keys(overrides)
		.filter((slot) => Number(slot) >= count)
		.map((slot) => `overrides.${slot} has no effect: the slots are 0 to ${count - 1}`);

function arbiterNotes(members: readonly DesiredMember[]): string[] {
	const arbiter = members.find((member) => member.arbiterOnly);
	if (!arbiter) return [];
	return [
		`${arbiter.host} is an arbiter: while a data member is down, writes with w: majority may wait; a data member is better`,
	];
}

/** An even number of voters survives no more failures than one less, so the last one keeps its data but not its vote. */
function withOddVoters(members: DesiredMember[]): Topology {
	const voters = members.filter((member) => member.votes === 1);
	if (voters.length % 2 === 1 || voters.length > MAX_VOTERS) return { members, notes: [] };
	if (voters.some((member) => member.arbiterOnly)) {
		throw refuse(
			`arbiter makes ${voters.length} voters, an even number: it is of use only beside an even number of voting data members`,
			"leave the arbiter out, or change members by one",
		);
	}
	const dispensable = (member: DesiredMember) => members.some((other) => other !== member && other.priority > 0);
	const last = voters.filter(dispensable).at(-1);
	if (!last) return { members, notes: [] };
	const changed = members.map((member) => (member === last ? { ...member, votes: 0 as const, priority: 0 } : member));
	const rest = voters.length - 1;
	const effect =
		rest === 1 ? "nobody takes over when the only voter fails" : `${rest} voters survive ${(rest - 1) / 2} failures`;
	return {
		members: changed,
		notes: [`${voters.length} voters would be an even number: ${last.host} does not vote (${effect})`],
	};
}

/** What is wrong with a list of members whoever wrote it: empty when a replica set can have exactly these. */
export function membershipProblems(members: readonly DesiredMember[]): string[] {
	const voters = members.filter((member) => member.votes === 1);
	const problems: string[] = [];
	if (members.length > MAX_MEMBERS)
		problems.push(`${members.length} members: a replica set has at most ${MAX_MEMBERS}`);
	problems.push(...duplicates(members));
	if (voters.length > MAX_VOTERS) {
		problems.push(
			`${voters.length} of ${members.length} members vote, at most ${MAX_VOTERS} may: give the others votes: 0 (overrides.<slot>.votes)`,
		);
	}
	if (members.filter((member) => member.arbiterOnly).length > 1)
		problems.push("more than one arbiter: a set has at most one");
	for (const { host, votes, priority, hidden, arbiterOnly } of members) {
		if (priority > 0 && (votes === 0 || hidden || arbiterOnly))
			problems.push(`${host} has priority ${priority}, but is hidden, non-voting or an arbiter`);
		if (arbiterOnly && (votes === 0 || hidden))
			problems.push(`${host} is an arbiter: it must vote and cannot be hidden`);
	}
	if (!members.some((member) => member.priority > 0))
		problems.push("no member can become primary: one needs priority above 0 (overrides.<slot>.priority)");
	return problems;
}

/** Two members with one address. */
export function duplicates(members: readonly Pick<DesiredMember, "host">[]): string[] {
	const twice = members.find(({ host }, i) => members.findIndex((other) => other.host === host) !== i);
	return twice ? [`two members have the address ${twice.host}: every member needs its own host and port`] : [];
}
