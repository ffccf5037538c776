import { setTimeout as sleep } from "node:timers/promises";
import { HoldfastError } from "./errors.ts";

/** A point in time that a verb must not pass; Ctrl-C never reaches a provider, so every verb carries one. */
export class Deadline {
	readonly #end: number;
	readonly #what: string;
	constructor(what: string, ms: number) {
		this.#what = what;
		this.#end = Date.now() + ms;
	}

	/** Milliseconds left, at most `limit`; never negative. */
	left(limit = Number.POSITIVE_INFINITY): number {
		return Math.max(0, Math.min(limit, this.#end - Date.now()));
	}

	/** Waits `ms`, or fails when the time is up; `why` is the last thing that was waited for. */
	async pause(ms: number, why: string): Promise<void> {
		if (this.left() === 0)
			throw new HoldfastError("HF_DEADLINE", `${this.#what} took too long; last waited for: ${why}`);
		await sleep(this.left(ms));
	}
}
