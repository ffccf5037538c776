import type { Probe, SetConfig } from "../../runtime/mongo/state.ts";
import { type Installed, votersOf } from "./simulatedRules.ts";

export interface SimulatedMember {
	host: string;
	up: boolean;
	/** What it has installed; a member that was removed keeps its last one. */
	installed?: Installed;
	/** Ticks until its initial sync is done. */
	syncing: number;
	lagSeconds: number;
	/** Ticks in which it does not stand for election, after it stepped down. */
	frozen: number;
}

export const older = (a: SetConfig, b: SetConfig): boolean =>
	a.term < b.term || (a.term === b.term && a.version < b.version);
export const majorityOf = (count: number): number => Math.floor(count / 2) + 1;

/** What `replSetInitiate` leaves behind, with some fields that nobody here manages. */
export const firstConfig = (host: string): SetConfig => ({
	...{ _id: "rs0", version: 1, term: 1, rest: { protocolVersion: 1 } },
	members: [{ _id: 0, host, votes: 1, priority: 1, hidden: false, arbiterOnly: false, rest: { tags: { slot: "0" } } }],
	settings: {
		replicaSetId: "650000000000000000000001",
		electionTimeoutMillis: 10_000,
		rest: { chainingAllowed: true },
	},
});

/** By its own config, as the server lets it stand. */
export function standsForElection({ host, installed, frozen, syncing }: SimulatedMember): boolean {
	if (!installed || frozen > 0 || syncing > 0) return false;
	const entry = votersOf(installed).find((member) => member.host === host);
	return entry !== undefined && entry.priority > 0 && !entry.arbiterOnly;
}

/** Whether a majority of the voters that the candidate knows would vote for it: none that has a newer config does. */
export function isElected({ installed }: SimulatedMember, members: ReadonlyMap<string, SimulatedMember>): boolean {
	const voters = votersOf(installed!);
	const granting = voters.filter(({ host }) => {
		const voter = members.get(host)!;
		return voter.up && voter.installed && !older(installed!.config, voter.installed.config);
	});
	return granting.length >= majorityOf(voters.length);
}

/** Whether a majority of its voters has this config or a newer one. */
export function isCommitted(installed: Installed, members: ReadonlyMap<string, SimulatedMember>): boolean {
	const voters = votersOf(installed);
	const having = voters.filter(({ host }) => {
		const known = members.get(host)!.installed;
		return known && !older(known.config, installed.config);
	});
	return having.length >= majorityOf(voters.length);
}

/** What the hosts outside the config answer. */
export function probesOf(config: SetConfig, members: ReadonlyMap<string, SimulatedMember>): Record<string, Probe> {
	const strangers = [...members.values()].filter(({ host }) => !config.members.some((member) => member.host === host));
	const answer = ({ up, installed }: SimulatedMember): Probe => {
		if (!up) return { answer: "unreachable", reason: "connection refused" };
		return installed ? { answer: "ours" } : { answer: "ready" };
	};
	return Object.fromEntries(strangers.map((member) => [member.host, answer(member)]));
}
