import type { Sighting } from "../discovery/watch.ts";
import type { Admission, Standing } from "./admission.ts";
import { isMajority, majority } from "./majority.ts";
import type { Membership } from "./membership.ts";
import type { NodeWatch } from "./nodeWatch.ts";
import { hasReturned } from "./roundDue.ts";
import type { Health, NodeReport, NodeState } from "./store.ts";

export interface ReportInput {
	membership: Membership;
	/** What is done with a held node, or why it failed. */
	holdState: (name: string) => string | undefined;
	sighting?: Sighting;
	/** Milliseconds since 1970. */
	believedAt?: number;
}

const STATES: Record<Standing, NodeState> = {
	unknown: "unreachable",
	unmarked: "joining",
	joining: "joining",
	same: "ready",
	restarted: "restarted",
	stale: "held",
	foreign: "held",
	wiping: "held",
	twin: "held",
};

const REASONS: Partial<Record<Standing, string>> = {
	unmarked: "is about to join",
	joining: "takes writes, and is read after the round that makes it equal to the others",
	restarted: "restarted and may have lost its last writes: it is read after a round",
	stale:
		"was away for so long that it may hold keys which were deleted meanwhile: decide with " +
		"POST /admin/nodes/<node>, merge (keep what only it has) or wipe",
	foreign:
		"holds records that did not come from these nodes: decide with POST /admin/nodes/<node>, merge (take them over) or wipe",
	wiping: "is being emptied, and joins anew then",
	twin: "is the same server as another name in the list: take one of them off the list",
};

export function nodeReports(input: ReportInput): NodeReport[] {
	const { membership } = input;
	return membership.watches.map((watch) => reportOf(watch, membership.admissions.get(watch.name)!, input));
}

function reportOf(watch: NodeWatch, admission: Admission, { membership, holdState }: ReportInput): NodeReport {
	const { name, address, facts, skewMs } = watch;
	const place = membership.view.places.find(({ node }) => node === watch.node);
	const isHere = isPresent(watch);
	const state = stateOf(watch, admission, membership.isLeaving(name));
	const reason = reasonOf(watch, admission, state, holdState(name));
	return {
		...{ node: name, nodeIp: address.ip, state },
		...{ reads: isHere && place?.reads === true, writes: isHere && place?.writes === true },
		...(reason === undefined ? {} : { reason }),
		...(facts ? { version: facts.version, durability: facts.durability, memory: facts.memory } : {}),
		...(facts?.mark?.phase === "equal" ? { equalAt: facts.mark.at } : {}),
		...(skewMs === undefined ? {} : { skewMs: Math.round(skewMs) }),
	};
}

/** One look that failed is no absence; a breaker that is open is. */
const isPresent = ({ facts, silentSince, node }: NodeWatch): boolean =>
	facts !== undefined && silentSince === undefined && node.isAvailable;

function stateOf(watch: NodeWatch, admission: Admission, isLeaving: boolean): NodeState {
	if (isLeaving) return "leaving";
	if (!isPresent(watch)) return "unreachable";
	const state = STATES[admission.standing];
	return state === "ready" && (!admission.reads || hasReturned(watch)) ? "healing" : state;
}

function reasonOf(watch: NodeWatch, { standing }: Admission, state: NodeState, work?: string): string | undefined {
	if (state === "ready") return undefined;
	if (state === "unreachable")
		return "does not answer: see whether it runs, and whether its address and password are right";
	const leaving = "is not in the list any more, and goes when the others have all that it has";
	const healing = "was away, and may lack writes until the next round";
	const words = state === "leaving" ? leaving : state === "healing" ? healing : REASONS[standing];
	const why = words?.replace("<node>", watch.name);
	return work === undefined ? why : `${why}; ${work}`;
}

export function healthOf(input: ReportInput): Health {
	const { membership, sighting, believedAt } = input;
	const nodes = nodeReports(input);
	const needed = majority(nodes.length);
	const readable = nodes.filter(({ reads }) => reads).length;
	const writable = nodes.filter(({ writes }) => writes).length;
	const places = nodes.map(({ node, writes }) => ({ writes, isSettled: membership.admissions.get(node)!.isSettled }));
	const isDown = readable < needed || !isMajority(places, ({ writes }) => writes);
	const reasons = [
		...(nodes.length === 0 ? ["no node is known yet: discovery has not answered with a list"] : []),
		...(membership.isClockWrong()
			? [
					`the clock of this machine differs by ${Math.round(membership.skewMs())} ms from those of the nodes: it writes nothing`,
				]
			: []),
		...(sighting === undefined || sighting.verdict === "ok" ? [] : [`discovery: ${wordsFor(sighting)}`]),
		...nodes.flatMap(({ node, state, reason }) => (state === "ready" ? [] : [`${node} ${reason ?? state}`])),
	];
	return {
		status: isDown ? "down" : reasons.length > 0 ? "degraded" : "ok",
		...{ registered: nodes.length, readable, writable, needed, reasons },
		discovery: {
			answer: sighting === undefined ? "none yet" : wordsFor(sighting),
			...(believedAt === undefined ? {} : { believedAt }),
		},
		durability: durabilityOf(nodes),
	};
}

function wordsFor({ verdict, problem }: Sighting): string {
	if (verdict === "shrunk") return "shrunk: too many nodes vanished at once; believed when it stays so for 10 minutes";
	return problem === undefined ? verdict : `${verdict}: ${problem}`;
}

const LOSSES: Record<string, string> = {
	always: "survives a crash of every node",
	everysec: "is lost only when a majority of the nodes lose power within the same second",
	no: "is lost when a majority of the nodes lose power before their kernels wrote it, within half a minute or so",
	off: "is lost when a majority of the nodes restart, for they keep nothing on disk",
};
const WEAKEST = ["off", "no", "everysec", "always"];

function durabilityOf(nodes: readonly NodeReport[]): string {
	const found = nodes.flatMap(({ durability }) => durability ?? []);
	const weakest = WEAKEST.find((level) => found.includes(level));
	if (weakest === undefined) return "not known: no node says how it writes its append-only file";
	return `${weakest}: an acknowledged write ${LOSSES[weakest]}`;
}
