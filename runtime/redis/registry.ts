import { type Address, nameOf } from "../discovery/source.ts";

/** A node that counts. Times are milliseconds of a steady clock. */
export interface Member {
	address: Address;
	/** Since when discovery does not list it; absent while it does. */
	absent?: { since: number; answers: number };
}

/** Who counts. A pure value: every change is a new one. */
export interface Registry {
	/** By name. */
	members: ReadonlyMap<string, Member>;
	/** Names that left and were not listed since: what other nodes still say of them does not count. */
	left: ReadonlySet<string>;
	/** When the last one left. */
	departed?: number;
}

export const emptyRegistry: Registry = { members: new Map(), left: new Set() };

/** Trusted answers without it before a node may leave, where the list was found. */
const ANSWERS = 3;

/** After an answer that is believed: who is listed counts at once, who is not begins to leave. */
export function listed(registry: Registry, addresses: readonly Address[], at: number): Registry {
	const names = new Set(addresses.map(nameOf));
	const members = new Map<string, Member>(addresses.map((address) => [nameOf(address), { address }]));
	for (const [name, { address, absent }] of registry.members) {
		if (names.has(name)) continue;
		members.set(name, { address, absent: { since: absent?.since ?? at, answers: (absent?.answers ?? 0) + 1 } });
	}
	return { ...registry, members, left: new Set([...registry.left].filter((name) => !names.has(name))) };
}

/** After a look at the nodes' marks: who belonged to them counts until it has left in order, discovery or not. */
export function adopted(registry: Registry, addresses: readonly Address[], at: number): Registry {
	const news = addresses.filter(
		(address) => !registry.members.has(nameOf(address)) && !registry.left.has(nameOf(address)),
	);
	if (news.length === 0) return registry;
	const found = news.map((address): [string, Member] => [
		nameOf(address),
		{ address, absent: { since: at, answers: 0 } },
	]);
	return { ...registry, members: new Map([...registry.members, ...found]) };
}

export interface DepartureFacts {
	/** When the last completed round began, and who was equal in it. */
	round?: { began: number; equal: ReadonlySet<string> };
	/** Since when a node gives nothing: it does not answer, or is held. */
	silentSince: ReadonlyMap<string, number>;
	/** After what time a round has to begin to carry all that a node that leaves has; absent for one that still takes writes. */
	drainAfter: ReadonlyMap<string, number>;
	/** Other names of servers that count under a listed name. */
	twins: ReadonlySet<string>;
	graceMs: number;
	declared: boolean;
}

/** After so long in silence a declared list is obeyed even where too few are left for a round between two: it is the operator's word. */
const LOST_MS = 600_000;

/**
 * The node that may leave now, if any: after a round that had it as a source, or when it gives nothing for the grace.
 * One at a time, with a completed round between two: only so every acknowledged write keeps a majority.
 */
export function departure(registry: Registry, at: number, facts: DepartureFacts): string | undefined {
	const { round, silentSince, drainAfter, twins, graceMs, declared } = facts;
	const isSettled = registry.departed === undefined || (round !== undefined && round.began > registry.departed);
	if (registry.members.size < 2) return undefined;
	for (const [name, { absent }] of registry.members) {
		if (!absent || absent.answers < (declared ? 1 : ANSWERS)) continue;
		if (twins.has(name)) return name;
		const since = silentSince.get(name);
		const silence = since === undefined ? undefined : at - Math.max(since, absent.since);
		const drain = drainAfter.get(name);
		const isDrained = silence === undefined && drain !== undefined && isAfter(round, name, drain);
		const isGone = silence !== undefined && silence >= graceMs;
		const isLost = silence !== undefined && silence >= LOST_MS && declared;
		if ((isSettled && (isDrained || isGone)) || isLost) return name;
	}
	return undefined;
}

/** Whether a node took part to the end in a round that began later. */
export const isAfter = (round: DepartureFacts["round"], name: string, time: number): boolean =>
	round !== undefined && round.began > time && round.equal.has(name);

export const without = (registry: Registry, name: string, at: number): Registry => ({
	...forgotten(registry, name),
	departed: at,
});

/** Lets go of a mere name: no copy of anything goes with it. */
export function forgotten(registry: Registry, name: string): Registry {
	const members = new Map(registry.members);
	members.delete(name);
	return { ...registry, members, left: new Set([...registry.left, name]) };
}
