import { setTimeout as sleep } from "node:timers/promises";

/** Writes a second that are allowed, and since when (milliseconds). */
export interface Rate {
	perSecond: number;
	since: number;
}

/** What a bucket takes from the start, and how fast it grows: https://docs.cloud.google.com/storage/docs/request-rate */
const FIRST = 1000;
const DOUBLES_MS = 20 * 60_000;
const LEAST = 10;
/** Failures of one moment are one sign that it is too fast. */
const SLOW_DOWN_MS = 1000;

export const firstRate = (now: number, processes = 1): Rate => ({ perSecond: FIRST / processes, since: now });

/** The rate at a time: doubled for every whole 20 minutes in which it stood. */
export function rampedUp(rate: Rate, now: number): Rate {
	const times = Math.max(0, Math.floor((now - rate.since) / DOUBLES_MS));
	if (times === 0) return rate;
	return { perSecond: rate.perSecond * 2 ** Math.min(times, 20), since: rate.since + times * DOUBLES_MS };
}

/** The rate after the service was busy: half, and it stands for 20 minutes from now. */
export function slowedDown(rate: Rate, now: number): Rate {
	return { perSecond: Math.max(LEAST, rate.perSecond / 2), since: now };
}

/** Lets through so many writes a second as the rate allows. */
export class RateLimiter {
	#rate: Rate;
	#next = 0;
	#slowed = Number.NEGATIVE_INFINITY;
	readonly #now: () => number;

	constructor({ processes = 1, now = () => performance.now() }: { processes?: number; now?: () => number } = {}) {
		this.#now = now;
		this.#rate = firstRate(now(), processes);
	}

	get perSecond(): number {
		return this.#rate.perSecond;
	}

	/** Waits for a turn. Throws the signal's reason. */
	async take(signal?: AbortSignal): Promise<void> {
		const now = this.#now();
		this.#rate = rampedUp(this.#rate, now);
		const turn = Math.max(now, this.#next);
		this.#next = turn + 1000 / this.#rate.perSecond;
		if (turn <= now) return;
		await sleep(turn - now, undefined, { signal }).catch(() => signal?.throwIfAborted());
	}

	/** The service said that it is too fast. */
	slowDown(): void {
		const now = this.#now();
		if (now - this.#slowed < SLOW_DOWN_MS) return;
		this.#slowed = now;
		this.#rate = slowedDown(this.#rate, now);
	}
}
