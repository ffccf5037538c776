import { areKin, isSettledIn, type Marked, referenceMark } from "./mark.ts";
import type { Mark, NodeFacts } from "./port.ts";

/** What a node is, by what it carries. */
export type Standing =
	/** Never answered yet. */
	| "unknown"
	/** Without a mark: gets one before anything is written to it. */
	| "unmarked"
	/** Takes writes, and waits for the round that makes it equal. */
	| "joining"
	/** Never restarted since it was equal: it has all that it acknowledged. */
	| "same"
	/** May have lost its last writes; takes writes, and waits for the round that makes it equal again. */
	| "restarted"
	/** Away for so long that it may hold keys whose tombstones are gone. Held. */
	| "stale"
	/** Holds records that did not come from this cluster. Held. */
	| "foreign"
	/** Its records are being removed. Held. */
	| "wiping"
	/** Another name of a server that is counted already. Held. */
	| "twin";

export interface Admission {
	standing: Standing;
	reads: boolean;
	writes: boolean;
	/** Has everything that it ever acknowledged. */
	intact: boolean;
	/** Belonged to the cluster at its last round. */
	isOld: boolean;
	/** Counted before the change of members that is under way, if one is. */
	isSettled: boolean;
}

/** Neither read nor written, whatever happens, until somebody decides. */
export const isHeld = (admission: Admission | undefined): boolean =>
	admission !== undefined && ["stale", "foreign", "wiping", "twin"].includes(admission.standing);

export interface AdmissionOptions {
	/** Milliseconds since 1970. */
	now: number;
	/** Milliseconds after which tombstones may be gone, less what a round takes. */
	graceMs: number;
	maxSkewMs: number;
	/** Nodes that have given nothing for so long that the others go on without. */
	waited: ReadonlySet<string>;
}

/** What each registered node may do, from what all of them say; listed ones come before those that leave. Needs no memory: a manager that starts anew finds the same. */
export function admit(nodes: readonly Marked[], options: AdmissionOptions): ReadonlyMap<string, Admission> {
	const reference = referenceMark(nodes, options.now + options.maxSkewMs);
	const twins = twinsIn(nodes);
	// Whoever has not told yet may know of a cluster that the others have never heard of, or have lost.
	const isBlind = !reference && nodes.some(({ name, facts }) => !facts && !options.waited.has(name));
	return new Map(
		nodes.map(({ name, facts }) => {
			const standing = twins.has(name) ? "twin" : standingOf(name, facts, reference, options);
			const isOld = reference?.members.includes(name) ?? false;
			return [name, admission(standing, { isOld, isSettled: isSettledIn(reference, name), isBlind })];
		}),
	);
}

function admission(
	standing: Standing,
	{ isOld, isSettled, isBlind }: { isOld: boolean; isSettled: boolean; isBlind: boolean },
): Admission {
	const isSame = standing === "same";
	return {
		...{ standing, isOld, isSettled },
		reads: isSame && isOld,
		writes: !isBlind && (isSame || standing === "joining" || standing === "restarted"),
		// One that counted already and begins anew has lost what it had.
		intact: isSame || (standing === "joining" && !(isOld && isSettled)),
	};
}

function standingOf(
	name: string,
	facts: NodeFacts | undefined,
	reference: Mark | undefined,
	options: AdmissionOptions,
): Standing {
	if (!facts) return "unknown";
	const { mark, runId } = facts;
	const isMember = reference?.members.includes(name) ?? false;
	if (!mark) return reference && facts.hasRecords && !isMember ? "foreign" : "unmarked";
	if (mark.phase === "wiping") return "wiping";
	if (mark.phase === "equal" && reference && !areKin(mark, reference)) return "foreign";
	if (reference && isStale(mark, reference, options)) return "stale";
	if (mark.phase === "joining") return mark.runId === runId ? "joining" : "restarted";
	return mark.runId === runId ? "same" : "restarted";
}

/** By the mark's time; one from the future was written under a wrong clock and does not say when. */
function isStale({ at }: Mark, reference: Mark, { now, graceMs, maxSkewMs }: AdmissionOptions): boolean {
	return at > now + maxSkewMs || (at < now - graceMs && reference.at > at);
}

/** Later names of a run of a server that has an earlier one: those that are listed come first. */
function twinsIn(nodes: readonly Marked[]): ReadonlySet<string> {
	const owners = new Map<string, string>();
	for (const { name, facts } of nodes) if (facts && !owners.has(facts.runId)) owners.set(facts.runId, name);
	return new Set(nodes.filter(({ name, facts }) => facts && owners.get(facts.runId) !== name).map(({ name }) => name));
}
