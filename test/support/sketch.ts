import type {
	ConfigMember,
	DesiredMember,
	DesiredSet,
	MembershipStep,
	ObservedSet,
} from "../../runtime/mongo/state.ts";

export const want = (host: string, changes: Partial<DesiredMember> = {}): DesiredMember => ({
	host,
	votes: 1,
	priority: 1,
	hidden: false,
	arbiterOnly: false,
	...changes,
});
export const wish = (...members: DesiredMember[]): DesiredSet => ({ members, electionTimeoutMillis: 10_000 });

export interface Sketch extends Partial<ConfigMember> {
	host: string;
	state?: number;
	lagSeconds?: number;
	newlyAdded?: boolean;
	configVersion?: number;
}

/** A look at a set whose first member is primary, all others healthy secondaries unless the sketch says otherwise. */
export function seen(sketches: Sketch[], changes: Partial<ObservedSet> = {}): ObservedSet {
	const members = sketches.map(({ state: _s, lagSeconds: _l, newlyAdded: _n, configVersion: _v, ...member }, _id) => ({
		...{ _id, votes: 1 as const, priority: 1, hidden: false, arbiterOnly: false, rest: {} },
		...member,
	}));
	const settings = { replicaSetId: "650000000000000000000001", electionTimeoutMillis: 10_000, rest: {} };
	const health = sketches.map(({ host, state, lagSeconds = 0, newlyAdded = false, configVersion = 7 }, i) => ({
		...{ host, state: state ?? (i === 0 ? 1 : 2), lagSeconds, newlyAdded, configVersion },
	}));
	return {
		config: { _id: "rs0", version: 7, term: 3, members, settings, rest: { protocolVersion: 1 } },
		primary: sketches[0]!.host,
		members: health,
		votingMembersCount: members.filter(({ votes }, i) => votes === 1 && !health[i]!.newlyAdded).length,
		featureCompatibilityVersion: "6.0",
		probes: {},
		...changes,
	};
}

export const outline = (step: MembershipStep) =>
	step.kind === "reconfig"
		? step.config.members.map(({ _id, host, votes, priority }) => `${_id} ${host} ${votes}/${priority}`)
		: step.kind;
