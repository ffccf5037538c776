import { type Change, joinChanges, retireChanges } from "./changes.ts";
import type { IdLedger } from "./ids.ts";
import {
	copies,
	counts,
	healthOf,
	isCaughtUp,
	isElectable,
	lacksQuorum,
	notCommitted,
	pendingVoters,
	unsafe,
} from "./quorum.ts";
import type { DesiredSet, MembershipStep, ObservedSet } from "./state.ts";
import { MAX_VOTERS } from "./topology.ts";

export interface PlanOptions {
	/** `retire` only removes, before processes stop; `join` does everything else, after processes started. */
	phase: "retire" | "join";
	/** Hosts that `retire` leaves in. @default the hosts of the desired members */
	keep?: readonly string[];
	/** What `rememberIds` kept. @default only what the config says */
	ids?: IdLedger;
}

const wait = (why: string): MembershipStep => ({ kind: "wait", why });

/**
 * The one next step towards `desired`. Keeps the server's rules (one voting change at a time, `_id`s, the primary
 * electable) and ours (never below a healthy majority, before or after; never forced: a step has no such field).
 * Needs no memory: after a crash or an answer that was lost, look again and ask again.
 */
export function planMembership(observed: ObservedSet, desired: DesiredSet, options: PlanOptions): MembershipStep {
	const keep = options.keep ?? desired.members.map(({ host }) => host);
	const refusal = options.phase === "retire" ? refuseEmptying(observed, keep) : refuseForeign(observed, desired);
	if (refusal) return refusal;
	const changes =
		options.phase === "retire" ? retireChanges(observed, keep) : joinChanges(observed, desired, options.ids ?? {});
	// Nothing left to add: whether the last config has reached everybody matters to the next change only.
	if (changes.length === 0 && options.phase === "join") return doneWhenCounted(observed);
	const committing = notCommitted(observed);
	if (committing) return wait(`waiting for ${committing}`);
	if (changes.length === 0) return { kind: "done" };
	const primary = observed.config.members.find(({ host }) => host === observed.primary);
	if (!primary) return wait(`waiting for ${observed.primary}, the primary, to appear in the config`);
	const degraded = lacksQuorum(observed, observed.config.members);
	if (degraded) return wait(`nothing is changed while ${degraded}`);
	return firstPossible(observed, changes, options.phase === "join" ? copiesWanted(observed, desired) : 0);
}

/**
 * Below this many voters with data, none gives up its place before its successor has caught up. Where all 7 votes are
 * taken, one has to go first: there is no room for an exchange otherwise.
 */
function copiesWanted({ config }: ObservedSet, { members }: DesiredSet): number {
	const room = MAX_VOTERS - 1 - config.members.filter(({ arbiterOnly }) => arbiterOnly).length;
	return Math.min(room, members.filter(({ votes, arbiterOnly }) => votes === 1 && !arbiterOnly).length);
}

function doneWhenCounted(observed: ObservedSet): MembershipStep {
	const pending = pendingVoters(observed);
	return pending ? wait(`waiting for the votes of ${pending} to count`) : { kind: "done" };
}

/** Changes that cost the primary its office come last: by then the others are as they should be. */
function firstPossible(observed: ObservedSet, changes: Change[], floor: number): MembershipStep {
	const deposes = (change: Change) => change.next !== undefined && !keepsPrimary(observed, change.next.members);
	const ordered = [...changes.filter((change) => !deposes(change)), ...changes.filter(deposes)];
	const obstacles: string[] = [];
	for (const change of ordered) {
		const obstacle = obstacleTo(observed, change, floor);
		if (obstacle) obstacles.push(`${change.why}: ${obstacle}`);
		else if (!deposes(change)) return { kind: "reconfig", config: change.next!, why: change.why };
		else
			return {
				kind: "stepDown",
				host: observed.primary,
				why: `let another member take over from ${observed.primary}, to ${change.why}`,
			};
	}
	return wait(obstacles.join("; "));
}

const keepsPrimary = (observed: ObservedSet, members: ObservedSet["config"]["members"]): boolean =>
	members.some((member) => member.host === observed.primary && isElectable(member));

/** Why a change has to wait; `undefined` when it can be made now. */
function obstacleTo(observed: ObservedSet, { next, votes, blocked }: Change, floor: number): string | undefined {
	if (!next) return blocked;
	const pending = pendingVoters(observed);
	// While the primary is the only one that counts, members may be added back to back: none of them changes a majority.
	const building = votes === "held back" && observed.votingMembersCount === 1;
	if (votes !== "same" && pending && !building) return `the votes of ${pending} do not count yet`;
	const danger = unsafe(observed, next.members, votes === "held back");
	if (danger) return danger;
	const left = copies(observed, next.members);
	if (left < floor && left < copies(observed, observed.config.members))
		return `${floor} voters with data are wanted, ${left} would be left`;
	if (keepsPrimary(observed, next.members)) return undefined;
	const heirs = next.members.filter((member) => isElectable(member) && counts(observed, member));
	const able = heirs.filter(({ host }) => observed.config.members.some((now) => now.host === host && isElectable(now)));
	if (able.some(({ host }) => isCaughtUp(healthOf(observed, host)))) return undefined;
	return `none of ${heirs.map(({ host }) => host).join(", ")} could take over from ${observed.primary} now`;
}

function refuseForeign({ probes, config }: ObservedSet, { members }: DesiredSet): MembershipStep | undefined {
	for (const { host } of members) {
		const probe = probes[host];
		if (probe?.answer !== "foreign" || config.members.some((member) => member.host === host)) continue;
		return {
			kind: "refuse",
			code: "HF_FOREIGN",
			why: `${host} already belongs to another replica set (${probe.setName}), not to ${config.settings.replicaSetId}`,
			next: "choose another address, or take that member out of its set and empty its data folder yourself",
		};
	}
	return undefined;
}

function refuseEmptying(observed: ObservedSet, keep: readonly string[]): MembershipStep | undefined {
	const { config } = observed;
	const gone = config.members.filter(({ host }) => !keep.includes(host));
	const left = config.members.filter(({ host }) => keep.includes(host));
	const names = gone.map(({ host }) => host).join(", ");
	if (gone.length > 0 && !left.some(isElectable)) {
		return {
			kind: "refuse",
			code: "HF_UNSAFE",
			why: `without ${names} no member of ${config._id} could become primary`,
			next: "add or keep a voting member with priority above 0 first, then remove these in a second run",
		};
	}
	// Fewer members are wanted, or one is moved: fine. Several moved at once would leave a single copy in between.
	if (keep.length < 3 || copies(observed, gone) < 2 || copies(observed, left) > 1) return undefined;
	return {
		kind: "refuse",
		code: "HF_UNSAFE",
		why: `without ${names} only one voting member of ${config._id} with data would be left, until ${keep.length} have joined`,
		next: "move one member at a time",
	};
}
