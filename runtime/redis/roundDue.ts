import type { Membership } from "./membership.ts";
import type { NodeWatch } from "./nodeWatch.ts";
import { isAfter } from "./registry.ts";

export interface RoundQuestion {
	membership: Membership;
	/** Nodes that can take part now: a majority. */
	able: readonly NodeWatch[];
	/** Milliseconds since 1970 of this manager's first look: a round since then has seen all that happened without it. */
	opened: number;
	/** Milliseconds between two rounds that nothing else asks for. */
	roundMs: number;
	/** By the steady clock. */
	now: number;
}

/** Why a round is needed, if one is; the most urgent reason first. */
export function roundDue({ membership, able, opened, roundMs, now }: RoundQuestion): string | undefined {
	const { admissions, reference, round, departed } = membership;
	const waiting = able.find(({ name }) => !admissions.get(name)!.reads);
	if (waiting) return `${waiting.name} waits to be read`;
	const returned = able.find(hasReturned);
	if (returned) return `${returned.name} was away`;
	if (!reference || reference.at < opened) return "start";
	if (departed !== undefined && !(round && round.began > departed)) return "a node has left";
	if (reference.former) return "members change";
	const leaving = able.find(({ name }) => {
		const after = membership.drainAfter(name);
		return after !== undefined && now > after && !isAfter(round, name, after);
	});
	if (leaving) return `${leaving.name} is leaving`;
	return membership.now() - reference.at > roundMs ? "time" : undefined;
}

/** Whether it was away since it was last found equal. */
export function hasReturned({ returnedAt, facts }: NodeWatch): boolean {
	if (returnedAt === undefined) return false;
	return !(facts?.mark?.phase === "equal" && facts.mark.at >= returnedAt);
}
