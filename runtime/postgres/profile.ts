import { HoldfastError } from "../errors.ts";

/** Seconds that rule how fast a failure is noticed; Patroni's `ttl`, `loop_wait`, `retry_timeout`. */
export interface Timing {
	/** A leader that has not renewed its lock for so long is replaced. */
	ttl: number;
	/** Between two looks of Patroni. */
	loopWait: number;
	/** How long a call to etcd or PostgreSQL is tried before the leader gives up. */
	retryTimeout: number;
}

export type ProfileName = "lan" | "wan" | "fast";

export const profiles: Readonly<Record<ProfileName, Timing>> = {
	lan: { ttl: 30, loopWait: 10, retryTimeout: 9 },
	wan: { ttl: 45, loopWait: 10, retryTimeout: 15 },
	fast: { ttl: 20, loopWait: 5, retryTimeout: 6 },
};

/** Below these Patroni silently takes its own minimum instead. */
export const smallest: Timing = { ttl: 20, loopWait: 1, retryTimeout: 3 };

/** Seconds left for the slowest leader to learn that it has lost its lock before another one takes it. */
const MARGIN = 2;

/**
 * Seconds for which a leader's Patroni may be gone before its PostgreSQL has to stop. Another member may take the lock
 * `ttl` after it was last renewed, which may have been `loopWait + retryTimeout` before Patroni went. At least
 * `retryTimeout`, by the rule below.
 */
export const orphanPatience = ({ ttl, loopWait, retryTimeout }: Timing): number =>
	ttl - loopWait - retryTimeout - MARGIN;

/**
 * The profile's figures with what the program overrides. Throws HF_SETTING for figures with which a leader could still
 * be retrying when its lock runs out (Patroni itself would only log it and change `loop_wait`).
 */
export function timing(profile: ProfileName, overrides: { [key in keyof Timing]?: number | undefined }): Timing {
	const base = profiles[profile];
	const ttl = overrides.ttl ?? base.ttl;
	const loopWait = overrides.loopWait ?? base.loopWait;
	const retryTimeout = overrides.retryTimeout ?? base.retryTimeout;
	for (const [name, value] of Object.entries({ ttl, loopWait, retryTimeout })) {
		const least = smallest[name as keyof Timing];
		if (value < least) throw new HoldfastError("HF_SETTING", `${name} is ${value} s: Patroni takes at least ${least}`);
	}
	const needed = loopWait + 2 * retryTimeout + MARGIN;
	if (needed > ttl) {
		const sum = `loopWait ${loopWait} + 2 * retryTimeout ${retryTimeout} + ${MARGIN} s of margin = ${needed}`;
		throw new HoldfastError("HF_SETTING", `ttl is ${ttl} s, but ${sum}`, {
			next: `raise ttl to ${needed}, or lower retryTimeout or loopWait`,
		});
	}
	return { ttl, loopWait, retryTimeout };
}
