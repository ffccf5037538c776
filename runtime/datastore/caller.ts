import { setTimeout as sleep } from "node:timers/promises";
import { ExponentialBackoff, type IBackoff } from "cockatiel";
import { HoldfastError } from "../errors.ts";
import { failureOf, isPassing, isThrottled, type Told } from "./failure.ts";

/** Milliseconds and numbers of tries. */
export interface Patience {
	/** Until a call counts as lost. */
	deadline: number;
	/** Waits between tries, spread at random; ten and four times as long where too much was asked. */
	first: number;
	longest: number;
	/** After the first try. */
	attempts: number;
}

/** About a minute for what passes, and several for a quota. */
export const PATIENCE: Patience = { deadline: 60_000, first: 100, longest: 15_000, attempts: 10 };

/** Of one call: tries are counted here, not by the client. */
interface CallOptions {
	timeout: number;
	retry: { retryCodes: [] };
}

/** Makes calls to one service, again while they fail with what may pass, and says in one way how they failed. */
export class Caller {
	readonly #where: string;
	readonly #patience: Patience;
	readonly #closing = new AbortController();

	constructor(where: string, patience: Patience) {
		this.#where = where;
		this.#patience = patience;
	}

	/** `what` is for the message: `page of Dataset`. HF_RETRY, HF_EXPIRED, HF_CREDENTIALS, HF_REJECTED. */
	async call<T>(what: string, send: (options: CallOptions) => Promise<T>): Promise<T> {
		const about = `${what} from ${this.#where}`;
		let backoff: IBackoff<unknown> | undefined;
		for (let tries = 0; ; tries++) {
			try {
				this.#closing.signal.throwIfAborted();
				return await send({ timeout: this.#patience.deadline, retry: { retryCodes: [] } });
			} catch (error) {
				if (this.#closing.signal.aborted) throw new HoldfastError("HF_RETRY", `${about}: the source was closed`);
				const told = error as Told;
				const mayPass = isPassing(told) || isThrottled(told);
				if (!mayPass || tries === this.#patience.attempts) throw failureOf(about, told, error);
				backoff = (backoff ?? this.#waits(isThrottled(told))).next(undefined);
				// Closing ends the wait; the next round says so.
				await sleep(backoff.duration, undefined, { signal: this.#closing.signal }).catch(() => undefined);
			}
		}
	}

	/** A quota is counted by the minute: asking again within seconds only keeps it used up. */
	#waits(throttled: boolean): { next(context: unknown): IBackoff<unknown> } {
		const { first, longest } = this.#patience;
		return new ExponentialBackoff(
			throttled ? { initialDelay: first * 10, maxDelay: longest * 4 } : { initialDelay: first, maxDelay: longest },
		);
	}

	/** Ends waits between tries. */
	close(): void {
		this.#closing.abort();
	}
}
