import { DelegateBackoff, handleWhen, type IRetryContext, retry } from "cockatiel";
import { HoldfastError } from "../errors.ts";

/** A call that failed in a way that passes: the network, 408, 429, 5xx. */
export class Passing extends Error {
	override readonly name = "Passing";
	/** HTTP status; absent where there was no answer. */
	readonly status: number | undefined;
	/** Milliseconds that the service asks to wait. */
	readonly waitMs: number;
	constructor(message: string, options: { status?: number; waitMs?: number; cause?: unknown } = {}) {
		super(message, { cause: options.cause });
		this.status = options.status;
		this.waitMs = options.waitMs ?? 0;
	}
}

export interface RepeatOptions {
	/** After the first try. @default 7 */
	attempts?: number;
	/** Milliseconds before the second try; doubles from there to 32 s. @default 250 */
	firstDelayMs?: number;
}

const LONGEST_MS = 32_000;

/** Repeats what fails in passing, after growing waits that are spread at random. HF_RETRY when it does not pass. */
export function repeater({ attempts = 7, firstDelayMs = 250 }: RepeatOptions = {}) {
	const backoff = new DelegateBackoff<{ attempt: number; result: object }>(({ attempt, result }) => {
		const asked = "error" in result && result.error instanceof Passing ? result.error.waitMs : 0;
		const most = Math.min(LONGEST_MS, firstDelayMs * 2 ** attempt);
		return Math.max(asked, most * (0.5 + Math.random() / 2));
	});
	const policy = retry(
		handleWhen((error) => error instanceof Passing),
		{ maxAttempts: attempts, backoff },
	);
	return async <T>(call: (context: IRetryContext) => Promise<T>): Promise<T> => {
		try {
			return await policy.execute(call);
		} catch (error) {
			throw error instanceof Passing ? new HoldfastError("HF_RETRY", error.message, { cause: error.cause }) : error;
		}
	};
}

/** Milliseconds of a Retry-After header: seconds or a date. 0 for none. */
export function waitOf(header: unknown, now: number): number {
	if (typeof header !== "string") return 0;
	const ms = /^\d+$/.test(header) ? Number(header) * 1000 : Date.parse(header) - now;
	return Number.isFinite(ms) ? Math.max(0, Math.min(ms, 10 * 60_000)) : 0;
}
