import type { Mark, NodeFacts } from "./port.ts";

/** Before the first record is written to a node: what it acknowledges from here on, it has. */
export const joiningMark = (at: number, { runId }: Pick<NodeFacts, "runId">, members: readonly string[]): Mark => ({
	...{ phase: "joining", at, runId, members },
});

/** After a round that began at `at`. `runId` is of the run in which it began: a restart since then voids the mark. */
export const equalMark = (at: number, runId: string, members: readonly string[], former?: readonly string[]): Mark => ({
	...{ phase: "equal", at, runId, members },
	...(former && { former }),
});

/** Whether a node counted before the change of members that is under way, if one is; all do before the first round. */
export const isSettledIn = (reference: Mark | undefined, name: string): boolean =>
	reference === undefined || (reference.former ?? reference.members).includes(name);

/** Before the first record is removed: whoever finds it goes on removing. */
export const wipingMark = (at: number, { runId }: Pick<NodeFacts, "runId">): Mark => ({
	...{ phase: "wiping", at, runId, members: [] },
});

/** As it stands on a node. */
export const markText = (mark: Mark): string => JSON.stringify(mark);

/** A node as far as its mark is concerned. */
export interface Marked {
	name: string;
	facts?: NodeFacts;
}

/**
 * The mark that says who belongs together: the newest "equal" one of the largest group of nodes whose marks have members
 * in common. So a node of another cluster, however new its mark, does not outweigh ours, and neither does one that left
 * and comes back. None before the first round.
 */
export function referenceMark(nodes: readonly Marked[], latest: number): Mark | undefined {
	const marks = nodes.flatMap(({ facts }) =>
		facts?.mark?.phase === "equal" && facts.mark.at <= latest ? [facts.mark] : [],
	);
	const ranked = marks.map((mark) => ({ mark, kin: marks.filter((other) => areKin(mark, other)).length }));
	// Of one round, the mark that says it is settled was written later.
	const isOpen = ({ former }: Mark) => Number(former !== undefined);
	const newer = (a: Mark, b: Mark) => b.at - a.at || b.members.length - a.members.length || isOpen(a) - isOpen(b);
	ranked.sort((a, b) => b.kin - a.kin || newer(a.mark, b.mark));
	return ranked[0]?.mark;
}

export const areKin = (a: Mark, b: Mark): boolean => a.members.some((member) => b.members.includes(member));
