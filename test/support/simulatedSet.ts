import type { MemberHealth, ObservedSet, SetConfig } from "../../runtime/mongo/state.ts";
import {
	firstConfig,
	isCommitted,
	isElected,
	majorityOf,
	older,
	probesOf,
	type SimulatedMember,
	standsForElection,
} from "./simulatedElection.ts";
import { checkRules, heldBack, type Installed, ServerError, votersOf } from "./simulatedRules.ts";

const SYNC_TICKS = 3;
const FREEZE_TICKS = 8;
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
		for (const host of hosts) this.#members.set(host, { host, up: false, syncing: 0, lagSeconds: 0, frozen: 0 });
	}

	/** A set of one, as it is after its first build began. */
	initiate(host: string): void {
		this.start(host);
		this.#at(host).installed = { config: firstConfig(host), newlyAdded: new Set() };
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
			probes: probesOf(config, this.#members),
		});
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

	#isCommitted(installed: Installed): boolean {
		return isCommitted(installed, this.#members);
	}

	#spread(): void {
		const { current } = this;
		for (const { host, installed } of this.#up) {
			const isMember = current.config.members.some((member) => member.host === host);
			if (isMember && (!installed || older(installed.config, current.config))) this.#install(host, current);
		}
	}

	stepDown(): void {
		const heir = this.#electable.find(({ host, lagSeconds }) => host !== this.primary && lagSeconds <= 10);
		if (!this.primary || !heir) throw new ServerError(262, "no caught-up secondary");
		this.#at(this.primary).frozen = FREEZE_TICKS;
		this.commands++;
		this.primary = undefined;
		this.#elect();
	}

	get #electable(): SimulatedMember[] {
		return this.#up.filter(standsForElection);
	}

	#elect(candidates = this.#electable): void {
		const winners = candidates.filter((candidate) => isElected(candidate, this.#members));
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
		const better = this.#electable.find(({ host, lagSeconds }) => lagSeconds === 0 && rank(host) > rank(this.primary!));
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
