import { allocateId, type IdLedger } from "./ids.ts";
import { counts, healthOf, isCaughtUp, isHealthy } from "./quorum.ts";
import type { ConfigMember, DesiredMember, DesiredSet, ObservedSet, SetConfig } from "./state.ts";

/** One difference between the set and what is wanted, as the config that would remove it. */
export interface Change {
	why: string;
	/** Absent while it cannot even be written down; then `blocked` says why. */
	next?: SetConfig;
	blocked?: string;
	/** What it does to the votes that count: nothing, now, or once the server finds that the new member has caught up. */
	votes: "same" | "now" | "held back";
}

const withMembers = (config: SetConfig, members: ConfigMember[]): SetConfig => ({
	...config,
	version: config.version + 1,
	members,
});

const replaced = (config: SetConfig, member: ConfigMember): SetConfig =>
	withMembers(
		config,
		config.members.map((old) => (old._id === member._id ? member : old)),
	);

function removal(observed: ObservedSet, member: ConfigMember, why: string): Change {
	const { config } = observed;
	const next = withMembers(
		config,
		config.members.filter(({ _id }) => _id !== member._id),
	);
	return { why, next, votes: counts(observed, member) ? "now" : "same" };
}

/** Members to take out, the best first: those that do not answer help nobody, then the highest slot. */
export function retireChanges(observed: ObservedSet, keep: readonly string[]): Change[] {
	const gone = observed.config.members.filter(({ host }) => !keep.includes(host)).reverse();
	const sick = gone.filter(({ host }) => !isHealthy(healthOf(observed, host)));
	const well = gone.filter((member) => !sick.includes(member));
	return [...sick, ...well].map((member) => removal(observed, member, `remove ${member.host}`));
}

/**
 * Everything that `desired` asks for, in the order in which it is best done: new voters join before old ones lose
 * their vote, so that the set gets weaker at no time. Members that `desired` does not name are left alone.
 */
export function joinChanges(observed: ObservedSet, desired: DesiredSet, ids: IdLedger): Change[] {
	const pairs = desired.members.map((want) => ({
		want,
		now: observed.config.members.find(({ host }) => host === want.host),
	}));
	const careful = isCareful(observed, desired);
	const missing = pairs.filter(({ now }) => !now).map(({ want }) => want);
	const present = pairs.flatMap(({ want, now }) => (now ? [{ want, now }] : []));
	const kept = present.filter(({ want, now }) => want.arbiterOnly === now.arbiterOnly);
	return [
		...settingsChange(observed, desired),
		...[...missing]
			.sort((a, b) => Number(a.arbiterOnly) - Number(b.arbiterOnly))
			.map((want) => addition(observed, want, careful, ids)),
		...kept
			.filter(({ want, now }) => want.votes > now.votes)
			.map(({ want, now }) => promotion(observed, want, now, careful)),
		// The server never changes this on a member: it leaves, and comes back as a new one.
		...present
			.filter((pair) => !kept.includes(pair))
			.map(({ want, now }) =>
				removal(observed, now, `remove ${now.host}, to add it ${want.arbiterOnly ? "as an arbiter" : "with data"}`),
			),
		...kept.filter(({ want, now }) => want.votes < now.votes).map(({ want, now }) => demotion(observed, want, now)),
		...kept
			.filter(
				({ want, now }) => want.votes === now.votes && (want.priority !== now.priority || want.hidden !== now.hidden),
			)
			.sort((a, b) => b.want.priority - b.now.priority - (a.want.priority - a.now.priority))
			.map(({ want, now }) => reranking(observed, want, now)),
	];
}

/**
 * Whether votes are given by hand, after catching up: before 5.0 the server does not hold them back itself, and with
 * an arbiter it refuses a voter that is electable at once.
 */
const isCareful = ({ config, featureCompatibilityVersion }: ObservedSet, { members }: DesiredSet): boolean =>
	Number.parseInt(featureCompatibilityVersion, 10) < 5 ||
	[...config.members, ...members].some(({ arbiterOnly }) => arbiterOnly);

function settingsChange({ config }: ObservedSet, { electionTimeoutMillis }: DesiredSet): Change[] {
	if (config.settings.electionTimeoutMillis === electionTimeoutMillis) return [];
	const next = { ...config, version: config.version + 1, settings: { ...config.settings, electionTimeoutMillis } };
	return [{ why: `set electionTimeoutMillis to ${electionTimeoutMillis}`, next, votes: "same" }];
}

function addition({ config, probes }: ObservedSet, want: DesiredMember, careful: boolean, ids: IdLedger): Change {
	const why = `add ${want.host}`;
	const probe = probes[want.host];
	if (probe?.answer !== "ready" && probe?.answer !== "ours") {
		const blocked = probe?.answer === "unreachable" ? `it does not answer (${probe.reason})` : "it was not asked yet";
		return { why, blocked, votes: "same" };
	}
	const later = careful && want.votes === 1 && !want.arbiterOnly;
	const member: ConfigMember = {
		...want,
		...(later ? { votes: 0, priority: 0 } : {}),
		_id: allocateId(config, want.host, ids),
		rest: {},
	};
	const votes = member.votes === 0 ? "same" : want.arbiterOnly ? "now" : "held back";
	return { why, next: withMembers(config, [...config.members, member]), votes };
}

function promotion(observed: ObservedSet, want: DesiredMember, now: ConfigMember, careful: boolean): Change {
	const why = `give ${want.host} its vote`;
	if (!isCaughtUp(healthOf(observed, want.host))) return { why, blocked: "it has not caught up yet", votes: "now" };
	const member = { ...now, votes: 1 as const, priority: careful ? 0 : want.priority, hidden: want.hidden };
	return { why, next: replaced(observed.config, member), votes: "now" };
}

function demotion(observed: ObservedSet, want: DesiredMember, now: ConfigMember): Change {
	const member = { ...now, votes: 0 as const, priority: 0, hidden: want.hidden };
	const votes = counts(observed, now) ? "now" : "same";
	return { why: `take the vote of ${want.host}`, next: replaced(observed.config, member), votes };
}

const reranking = ({ config }: ObservedSet, want: DesiredMember, now: ConfigMember): Change => ({
	why: `set ${want.host} to priority ${want.priority}${want.hidden ? ", hidden" : ""}`,
	next: replaced(config, { ...now, priority: want.priority, hidden: want.hidden }),
	votes: "same",
});
