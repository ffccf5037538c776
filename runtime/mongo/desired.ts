import { HoldfastError } from "../errors.ts";
import type { ReplicaSetInputs } from "./model.ts";
import type { ConfigMember, DesiredMember, DesiredSet, ObservedSet } from "./state.ts";
import { MAX_VOTERS } from "./topology.ts";

type Inputs = Pick<ReplicaSetInputs, "members" | "settings">;

/**
 * What is wanted of the set, in full: what an adopted member's inputs leave out stays as the set has it. Members that
 * the set does not have yet join as voters, but for the last of an even number and those beyond the seventh.
 */
export function desiredSet({ members, settings }: Inputs, { config }: Pick<ObservedSet, "config">): DesiredSet {
	const known = new Map(config.members.map((member) => [member.host, member]));
	const wanted = members.map((member) => settled(member, known.get(member.host)));
	const undecided = members.flatMap(({ host, votes }, i) =>
		votes === undefined && !known.has(host) ? [wanted[i]!] : [],
	);
	for (const newcomer of undecided.reverse()) {
		const voters = wanted.filter(({ votes }) => votes === 1).length;
		if (voters % 2 === 1 && voters <= MAX_VOTERS) break;
		Object.assign(newcomer, { votes: 0, priority: 0 });
	}
	const electionTimeoutMillis = settings.electionTimeoutMillis ?? config.settings.electionTimeoutMillis;
	return { members: wanted, electionTimeoutMillis };
}

function settled(member: Inputs["members"][number], now: ConfigMember | undefined): DesiredMember {
	const { host, votes = now?.votes ?? 1, hidden = now?.hidden ?? false } = member;
	const arbiterOnly = member.arbiterOnly ?? now?.arbiterOnly ?? false;
	const passive = votes === 0 || hidden || arbiterOnly;
	return { host, votes, hidden, arbiterOnly, priority: member.priority ?? (passive ? 0 : (now?.priority ?? 1)) };
}

/**
 * An arbiter's folder holds no data and a data member's does: a server that finds the other kind aborts for ever. What
 * is there is never emptied, so the slot has to go first.
 */
export function refuseTurning({ config }: Pick<ObservedSet, "config">, { members }: DesiredSet): void {
	const turned = members.find(({ host, arbiterOnly }) => {
		const now = config.members.find((member) => member.host === host);
		return now !== undefined && now.arbiterOnly !== arbiterOnly;
	});
	if (!turned) return;
	const what = turned.arbiterOnly
		? "holds data and cannot become an arbiter"
		: "is an arbiter and cannot begin to hold data";
	throw new HoldfastError("HF_SETTING", `${turned.host} ${what} where it is`, {
		next: "set arbiter back; scale its slot away first (members), then add it again",
	});
}
