import type { ConfigMember, MemberHealth, ObservedSet, Probe, SetConfig } from "../../runtime/mongo/state.ts";
import { checkRules, heldBack, type Installed, ServerError, votersOf } from "./simulatedRules.ts";

interface SimulatedMember {
	host: string;
	up: boolean;
	/** What it has installed; a member that was removed keeps its last one. */
	installed?: Installed;
	/** Ticks until its initial sync is done. */
	syncing: number;
	lagSeconds: number;
	/** Ticks in which it does not stand for election, after it stepped down. */
	frozen: number;
	/** Its data belongs to another set. */
	foreign: boolean;
}

const SYNC_TICKS = 3;
const FREEZE_TICKS = 8;
const older = (a: SetConfig, b: SetConfig): boolean => a.term < b.term || (a.term === b.term && a.version < b.version);
const majorityOf = (count: number): number => Math.floor(count / 2) + 1;

/**
 * A replica set as the planners see it: enforces the server's rules, spreads configs by heartbeat, elects, rolls
 * uncommitted configs back, holds back votes. Time passes only in `tick`. `choose(n)` picks 0..n-1 where the real
 * world would be free to.
 */
export class SimulatedSet {
	readonly #members = new Map<string, SimulatedMember>();
	readonly #fcv: string;
	readonly #choose: (n: number) => number;
	#term = 1;
	primary: string | undefined;
	/** Commands that changed something, for "replay does nothing". */
	commands = 0;

	constructor(hosts: readonly string[], fcv: string, choose: (n: number) => number = () => 0) {
		this.#fcv = fcv;
		this.#choose = choose;
		for (const host of hosts)
			this.#members.set(host, { host, up: false, syncing: 0, lagSeconds: 0, frozen: 0, foreign: false });
	}

	/** A set of one, as it is after its first build began. */
	initiate(host: string): void {
		const member: ConfigMember = {
			_id: 0,
			host,
			votes: 1,
			priority: 1,
			hidden: false,
			arbiterOnly: false,
			rest: { tags: { slot: "0" } },
		};
		const settings = {
			replicaSetId: "650000000000000000000001",
			electionTimeoutMillis: 10_000,
			rest: { chainingAllowed: true },
		};
		const config = { _id: "rs0", version: 1, term: 1, members: [member], settings, rest: { protocolVersion: 1 } };
		this.start(host);
		this.#at(host).installed = { config, newlyAdded: new Set() };
		this.primary = host;
	}

	#at(host: string): SimulatedMember {
		return this.#members.get(host)!;
	}

	get #up(): SimulatedMember[] {
		return [...this.#members.values()].filter(({ up }) => up);
	}

	/** What the primary has installed. */
	get current(): Installed {
		return this.#at(this.primary!).installed!;
	}

	start(host: string): void {
		const member = this.#at(host);
		if (!member.up && member.installed) member.lagSeconds = 40;
		member.up = true;
	}

	kill(host: string): void {
		this.#at(host).up = false;
		if (this.primary === host) this.primary = undefined;
	}

	isUp(host: string): boolean {
		return this.#at(host).up;
	}

	occupy(host: string): void {
		this.#at(host).foreign = true;
	}

	stateOf(host: string): number {
		const { up, syncing } = this.#at(host);
		if (!up) return 8;
		const arbiter = this.current.config.members.find((member) => member.host === host)?.arbiterOnly;
		return host === this.primary ? 1 : arbiter ? 7 : syncing > 0 ? 5 : 2;
	}

	/** One look, as the executor takes it; nothing while there is no primary. */
	observe(): ObservedSet | undefined {
		if (!this.primary) return undefined;
		const { config, newlyAdded } = this.current;
		const members: MemberHealth[] = config.members.map(({ _id, host }) => {
			const { installed, lagSeconds, up } = this.#at(host);
			const state = this.stateOf(host);
			// Like the executor, which is told only how many votes count: a member that has synced is not flagged.
			const flagged = newlyAdded.has(_id) && state !== 2;
			return {
				host,
				state,
				lagSeconds,
				newlyAdded: flagged,
				configVersion: up ? (installed?.config.version ?? -1) : -1,
			};
		});
		return structuredClone({
			config,
			primary: this.primary,
			members,
			votingMembersCount: votersOf(this.current).length,
			featureCompatibilityVersion: this.#fcv,
			probes: this.#probes(config),
		});
	}

	#probes({ members, settings }: SetConfig): Record<string, Probe> {
		const strangers = [...this.#members.values()].filter(({ host }) => !members.some((member) => member.host === host));
		const answer = ({ up, foreign, installed }: SimulatedMember): Probe => {
			if (!up) return { answer: "unreachable", reason: "connection refused" };
			if (foreign) return { answer: "foreign", setName: "other" };
			return installed?.config.settings.replicaSetId === settings.replicaSetId
				? { answer: "ours" }
				: { answer: "ready" };
		};
		return Object.fromEntries(strangers.map((member) => [member.host, answer(member)]));
	}

	/** replSetReconfig without force. 50 means the caller does not know: the config may be installed or not. */
	reconfig(next: SetConfig): void {
		if (!this.primary) throw new ServerError(10107, "not primary");
		const now = this.current;
		if (!this.#isCommitted(now)) throw new ServerError(308, "the current config is not committed yet");
		checkRules(now, next, this.primary, this.#fcv);
		this.#install(this.primary, {
			config: structuredClone({ ...next, term: this.#term }),
			newlyAdded: heldBack(now, next, this.#fcv),
		});
		this.commands++;
		this.#spread();
		if (!this.#isCommitted(this.current)) throw new ServerError(50, "timed out before a majority had the config");
	}

	#install(host: string, installed: Installed): void {
		const member = this.#at(host);
		const entry = installed.config.members.find((m) => m.host === host);
		const known = member.installed?.config.members.some((m) => m._id === entry?._id);
		if (entry && !known && !entry.arbiterOnly && host !== this.primary) member.syncing = SYNC_TICKS;
		member.installed = installed;
	}

	#isCommitted({ config, newlyAdded }: Installed): boolean {
		const voters = votersOf({ config, newlyAdded });
		const having = voters.filter(({ host }) => {
			const installed = this.#at(host).installed;
			return installed && !older(installed.config, config);
		});
		return having.length >= majorityOf(voters.length);
	}

	#spread(): void {
		const { current } = this;
		for (const { host, installed } of this.#up) {
			const isMember = current.config.members.some((member) => member.host === host);
			if (isMember && (!installed || older(installed.config, current.config))) this.#install(host, current);
		}
	}

	stepDown(): void {
		const heir = this.#electable().find(({ host, lagSeconds }) => host !== this.primary && lagSeconds <= 10);
		if (!this.primary || !heir) throw new ServerError(262, "no caught-up secondary");
		this.#at(this.primary).frozen = FREEZE_TICKS;
		this.commands++;
		this.primary = undefined;
		this.#elect();
	}

	/** Candidates by their own config, as the server lets them stand. */
	#electable(): SimulatedMember[] {
		return this.#up.filter((member) => {
			if (!member.installed || member.frozen > 0 || member.syncing > 0) return false;
			const entry = votersOf(member.installed).find(({ host }) => host === member.host);
			return entry !== undefined && entry.priority > 0 && !entry.arbiterOnly;
		});
	}

	#elect(candidates = this.#electable()): void {
		const winners = candidates.filter(({ installed }) => {
			const voters = votersOf(installed!);
			const granting = voters.filter(({ host }) => {
				const voter = this.#at(host);
				return voter.up && voter.installed && !older(installed!.config, voter.installed.config);
			});
			return granting.length >= majorityOf(voters.length);
		});
		if (winners.length === 0) return;
		const winner = winners[this.#choose(winners.length)]!;
		this.primary = winner.host;
		this.#term++;
		winner.lagSeconds = 0;
		winner.installed = { ...winner.installed!, config: { ...winner.installed!.config, term: this.#term } };
	}

	/** Heartbeats, elections, initial syncs; a primary without a majority steps down; a held-back vote is given. */
	tick(): void {
		for (const member of this.#members.values()) member.frozen = Math.max(0, member.frozen - 1);
		if (this.primary) {
			const voters = votersOf(this.current);
			if (voters.filter(({ host }) => this.isUp(host)).length < majorityOf(voters.length)) this.primary = undefined;
		}
		if (!this.primary) this.#elect();
		if (!this.primary) return;
		this.#spread();
		this.#takeOver();
		for (const member of this.#up) {
			member.syncing = Math.max(0, member.syncing - 1);
			member.lagSeconds = Math.max(0, member.lagSeconds - 10);
		}
		this.#giveVote();
	}

	/** A caught-up member of higher priority calls an election, and wins it. */
	#takeOver(): void {
		const rank = (host: string) => this.current.config.members.find((member) => member.host === host)?.priority ?? 0;
		const better = this.#electable().find(
			({ host, lagSeconds }) => lagSeconds === 0 && rank(host) > rank(this.primary!),
		);
		if (!better) return;
		this.#elect([better]);
	}

	/** The primary's own reconfig: it raises the version under the runner's feet. */
	#giveVote(): void {
		const { config, newlyAdded } = this.current;
		const ready = [...newlyAdded].find((id) => {
			const host = config.members.find(({ _id }) => _id === id)!.host;
			return this.isUp(host) && this.#at(host).syncing === 0;
		});
		if (ready === undefined || !this.#isCommitted(this.current)) return;
		const rest = new Set([...newlyAdded].filter((id) => id !== ready));
		this.#install(this.primary!, { config: { ...config, version: config.version + 1 }, newlyAdded: rest });
	}
}
