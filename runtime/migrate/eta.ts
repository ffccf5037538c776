/** How fast something goes, smoothed, and until when it will go on. */
export interface Pace {
	/** Items a second; 0 before the second observation. */
	rate: number;
	/** Seconds until `total`; absent where the total or the rate is not known. */
	eta?: number;
}

/** A count at a time (milliseconds of any monotonic clock). */
interface Observation {
	at: number;
	done: number;
}

export interface Meter {
	last: Observation;
	/** Items a second; absent before the second observation. */
	rate?: number;
}

/** After so many seconds an old rate counts for 37 %. */
const MEMORY_S = 30;

/** Begins to measure. What was done before a resume is no work of this run: it does not count for the rate. */
export const meter = (at: number, done = 0): Meter => ({ last: { at, done } });

/**
 * Takes an observation in: an average that forgets exponentially, by time and not by observations, so that pages of any
 * length weigh as long as they took. A count that went back (another runner's view) counts as no progress.
 */
export function measure(before: Meter, at: number, done: number): Meter {
	const seconds = (at - before.last.at) / 1000;
	if (seconds <= 0) return before;
	const now = Math.max(0, done - before.last.done) / seconds;
	const old = before.rate === undefined ? 0 : Math.exp(-seconds / MEMORY_S);
	return { last: { at, done }, rate: old * (before.rate ?? 0) + (1 - old) * now };
}

/** Counts what was done before, and is only now told, as no progress. */
export const known = ({ last, rate }: Meter, done: number): Meter => ({
	last: { at: last.at, done: last.done + done },
	...(rate !== undefined && { rate }),
});

/** The rate, and the seconds that are left to `total`. */
export function pace({ last, rate = 0 }: Meter, total?: number): Pace {
	if (total === undefined || rate === 0) return { rate };
	return { rate, eta: Math.max(0, total - last.done) / rate };
}

/** `1:05:09`, `5:09`; of seconds. */
export function clock(seconds: number): string {
	const whole = Math.round(seconds);
	const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
	const two = (part: number) => String(part).padStart(2, "0");
	return hours > 0 ? `${hours}:${two(minutes)}:${two(rest)}` : `${minutes}:${two(rest)}`;
}
