import type { Logger } from "pino";
import { describe, HoldfastError } from "../errors.ts";
import { entitled } from "./entitled.ts";
import { headerRange, longestRoundMs } from "./headerRange.ts";
import { underLease } from "./lock.ts";
import { majority } from "./majority.ts";
import type { Settled } from "./managerSettings.ts";
import { markEqual, membersAfter } from "./markEqual.ts";
import type { Membership } from "./membership.ts";
import type { NodeWatch } from "./nodeWatch.ts";
import { Party } from "./party.ts";
import { roundDue } from "./roundDue.ts";
import { compareAll, runRound } from "./rounds.ts";
import type { Divergence, Figures, RoundReport } from "./store.ts";

/** Longest pause between two rounds that are needed, in milliseconds. */
const LONGEST_PAUSE = 60_000;

export interface RoundKeeperOptions {
	membership: Membership;
	settings: Settled;
	steady: () => number;
	/** Looks at all nodes again, and draws conclusions. */
	lookAgain: () => Promise<void>;
	signal: AbortSignal;
}

/** Runs rounds when they are due, one at a time. */
export class RoundKeeper {
	readonly #options: RoundKeeperOptions;
	readonly #log: Logger;
	readonly counts: Figures["rounds"] = { done: 0, failed: 0, carried: 0 };
	/** Milliseconds since 1970 of the first look: a round since then has seen all that happened without us. */
	#opened?: number;
	#running?: Promise<RoundReport>;
	#isWaitingForLease = false;
	#failures = 0;
	/** By a steady clock. */
	#notBefore = 0;
	/** Nodes that could take part when `notBefore` was set. */
	#situation = "";

	constructor(options: RoundKeeperOptions) {
		this.#options = options;
		this.#log = options.settings.log;
	}

	/** Nodes that can take part now. */
	#able(): NodeWatch[] {
		const { watches, admissions } = this.#options.membership;
		return watches.filter((watch) => {
			const isCurrent = watch.isHere && watch.connection === watch.node.connections;
			return isCurrent && admissions.get(watch.name)?.writes;
		});
	}

	/** Why a round is needed now, if one is. */
	due(): string | undefined {
		const { membership, settings, steady } = this.#options;
		const able = this.#able();
		if (able.length < majority(membership.admissions.size)) return undefined;
		this.#opened = Math.min(this.#opened ?? Number.POSITIVE_INFINITY, membership.now());
		return roundDue({ membership, able, opened: this.#opened, roundMs: settings.roundSeconds * 1000, now: steady() });
	}

	/** Begins a round if one is due and it is time. */
	tick(): void {
		const { steady, signal } = this.#options;
		if (this.#running || this.#isWaitingForLease || signal.aborted) return;
		const able = this.#able();
		const situation = able.map(({ name, facts }) => `${name} ${facts!.runId}`).join();
		if (situation !== this.#situation) [this.#situation, this.#failures, this.#notBefore] = [situation, 0, 0];
		const why = steady() < this.#notBefore ? undefined : this.due();
		if (why !== undefined) void this.#runLeased(why, able);
	}

	async #runLeased(why: string, able: readonly NodeWatch[]): Promise<void> {
		this.#isWaitingForLease = true;
		const nodes = able.map(({ node }) => node);
		try {
			const done = await underLease(nodes, () => this.run(why));
			this.#pause(done !== undefined);
		} catch (error) {
			this.#pause(true);
			if (!this.#options.signal.aborted) this.#log.warn({ why, reason: describe(error) }, "round failed");
		} finally {
			this.#isWaitingForLease = false;
		}
	}

	/** Until the next round that is due; while another manager has the lease, not long. */
	#pause(done: boolean): void {
		const { steady, membership, settings } = this.#options;
		this.#failures = done && this.due() !== undefined ? this.#failures + 1 : 0;
		let pause = done ? Math.min(LONGEST_PAUSE, 500 * 2 ** this.#failures) : 2000;
		for (const watch of membership.watches) {
			const left = (watch.nothingSince ?? 0) + settings.lossWaitSeconds * 1000 - steady();
			if (left > 0) pause = Math.min(pause, left + 100);
		}
		this.#notBefore = this.#failures === 0 && done ? 0 : steady() + pause * (0.75 + Math.random() / 2);
	}

	/** A round now, or the one under way. Throws HF_UNREACHABLE when no node can take part. */
	run(why: string): Promise<RoundReport> {
		this.#running ??= this.#counted(this.#round(why)).finally(() => {
			this.#running = undefined;
		});
		return this.#running;
	}

	async #counted(round: Promise<RoundReport>): Promise<RoundReport> {
		try {
			const report = await round;
			this.counts.done++;
			this.counts.carried += report.carried;
			this.counts.lastSeconds = report.seconds;
			return report;
		} catch (error) {
			this.counts.failed++;
			throw error;
		}
	}

	/** Resolves when none is under way. */
	async ended(): Promise<void> {
		await this.#running?.catch(() => undefined);
	}

	async #round(why: string): Promise<RoundReport> {
		const { membership, steady, lookAgain } = this.#options;
		const [at, began] = [membership.now(), steady()];
		const { admissions } = membership;
		const waited = membership.waited();
		const members = membership.members();
		const parties = this.parties();
		const waiting = parties.filter(({ name }) => !admissions.get(name)!.reads);
		const newcomers = new Set(waiting.map(({ name }) => name));
		const carried = await runRound({ parties, newcomers, ...this.#heal(at) });
		const whole = parties.filter(({ failure }) => failure === undefined);
		const equal = new Set(whole.map(({ name }) => name));
		// Beyond this, tombstones may have vanished while it ran.
		const isInTime = steady() - began < this.#roundMs();
		const names = isInTime ? entitled({ admissions, equal, waited }) : [];
		const marked = whole.filter(({ name }) => names.includes(name));
		await markEqual(marked, at, membersAfter(admissions, { members, marked: names, waited }));
		if (names.length > 0) membership.round = { began, equal };
		await lookAgain();
		const report = { at, seconds: (steady() - began) / 1000, nodes: parties.map(({ name }) => name) };
		const out = parties.flatMap(({ failure }) => failure ?? []);
		this.#log.info({ why, ...report, equal: [...equal], entitled: names, carried, out }, "round done");
		return { ...report, equal: [...equal], carried };
	}

	/** Compares what the nodes hold; carries nothing but what is under way. */
	async divergence(): Promise<Divergence> {
		const at = this.#options.membership.now();
		return compareAll(this.parties(), this.#heal(at), at);
	}

	/** All nodes that can take part. Throws HF_UNREACHABLE when none can. */
	parties(): Party[] {
		const able = this.#able();
		if (able.length === 0)
			throw new HoldfastError("HF_UNREACHABLE", "no node answers that could take part in a round", {
				next: "see /nodes for what each is waiting for",
			});
		return able.map(({ node, facts }) => new Party(node, facts!, this.#options.signal));
	}

	/** What a round compares that begins at `at`. */
	#heal(at: number) {
		const { graceSeconds, maxSkewMs, writeTimeoutMs, buckets, pageSize } = this.#options.settings;
		const times = { at, maxSkewMs, graceMs: graceSeconds * 1000, roundMs: this.#roundMs() };
		// Twice: a write may be stamped anew and sent again.
		return { range: headerRange({ ...times, writeMs: 2 * writeTimeoutMs }), buckets, pageSize };
	}

	#roundMs(): number {
		return longestRoundMs(this.#options.settings);
	}
}
