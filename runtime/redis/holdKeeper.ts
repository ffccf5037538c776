import { describe, HoldfastError } from "../errors.ts";
import { isHeld } from "./admission.ts";
import { headerRange } from "./headerRange.ts";
import { mergeFrom, wipe } from "./hold.ts";
import type { Settled } from "./managerSettings.ts";
import type { Membership } from "./membership.ts";
import type { NodeWatch } from "./nodeWatch.ts";
import { Party } from "./party.ts";
import type { RoundKeeper } from "./roundKeeper.ts";

export interface HoldKeeperOptions {
	membership: Membership;
	rounds: RoundKeeper;
	settings: Settled;
	steady: () => number;
	lookAgain: () => Promise<void>;
	signal: AbortSignal;
}

/** Looks without having seen a mark that another manager may be late by. */
const NOTICE_LOOKS = 5;
const RETRY_MS = 10_000;

/** Carries out what was decided over held nodes. */
export class HoldKeeper {
	readonly #options: HoldKeeperOptions;
	readonly #atWork = new Set<string>();
	/** Why the last attempt failed, and when, by a steady clock. */
	readonly #failed = new Map<string, { reason: string; at: number }>();

	constructor(options: HoldKeeperOptions) {
		this.#options = options;
	}

	/** What is being done with a held node, or why it failed. */
	state(name: string): string | undefined {
		if (this.#atWork.has(name)) return "what was decided is being done";
		return this.#failed.get(name)?.reason;
	}

	/** Goes on with what was begun, and with what was decided beforehand. */
	tick(): void {
		const { membership, settings, steady } = this.#options;
		for (const watch of membership.watches) {
			const standing = membership.admissions.get(watch.name)?.standing;
			const last = this.#failed.get(watch.name);
			if (!watch.isHere || (last && steady() - last.at < RETRY_MS)) continue;
			if (standing === "wiping") this.#begin(watch, "wipe");
			else if (standing === "stale" && settings.onStale === "merge") this.#begin(watch, "merge");
		}
	}

	/** Begins at once and goes on behind the caller's back. HF_USAGE for a node that is not held. */
	decide(name: string, action: "merge" | "wipe"): void {
		const { membership } = this.#options;
		const watch = membership.watches.find((known) => known.name === name);
		const admission = membership.admissions.get(name);
		if (!watch || !isHeld(admission) || admission?.standing === "twin")
			throw new HoldfastError("HF_USAGE", `${name} is not a node that is held: there is nothing to decide`, {
				next: "see /nodes for the nodes and their states",
			});
		if (!watch.isHere)
			throw new HoldfastError("HF_UNREACHABLE", `${name} does not answer`, { next: "bring it back and ask again" });
		// What is half-wiped is worth nothing to the others.
		this.#begin(watch, admission?.standing === "wiping" ? "wipe" : action);
	}

	#begin(watch: NodeWatch, action: "merge" | "wipe"): void {
		const { settings, steady, signal, lookAgain } = this.#options;
		const { name } = watch;
		if (this.#atWork.has(name) || signal.aborted) return;
		this.#atWork.add(name);
		this.#failed.delete(name);
		settings.log.info({ node: name, action }, "held node: begun");
		this.#work(watch, action)
			.then(() => settings.log.info({ node: name, action }, "held node: done"))
			.catch((error: unknown) => {
				this.#failed.set(name, { reason: describe(error), at: steady() });
				if (!signal.aborted) settings.log.warn({ node: name, action, reason: describe(error) }, "held node: failed");
			})
			.finally(() => {
				this.#atWork.delete(name);
				return lookAgain();
			});
	}

	async #work(watch: NodeWatch, action: "merge" | "wipe"): Promise<void> {
		const { membership, rounds, settings, signal } = this.#options;
		const { pageSize, probeMs, graceSeconds, maxSkewMs } = settings;
		const held = new Party(watch.node, watch.facts!, signal);
		const now = () => membership.now();
		if (action === "merge") {
			// Nothing of it is too old: what it holds is what the operator wants back.
			const times = { at: now(), graceMs: graceSeconds * 1000, maxSkewMs, writeMs: 0, roundMs: 0 };
			const options = { registered: membership.admissions.size, pageSize, range: headerRange(times) };
			await mergeFrom(held, rounds.parties(), options);
		}
		await wipe(held, { noticeMs: NOTICE_LOOKS * probeMs, pageSize, now, signal });
	}
}
