/** What a timed sample of a source showed, of one reader. */
export interface Sampled {
	entities: number;
	/** Waiting for pages: goes down with more partitions at once. */
	readSeconds: number;
	/** Turning entities into documents: one core's work, however many partitions. */
	transformSeconds: number;
}

export interface Estimate {
	/** Of the whole load, by so many processes of this kind. */
	seconds: number;
	/** Items a second. */
	rate: number;
	/** What it is bound by. */
	bound: "source" | "processor" | "target";
	/** In words: what it rests on. */
	assumption: string;
}

/** Documents a second that a replica set is taken to accept with w: majority; a plan writes nothing, so cannot measure it. */
export const ASSUMED_WRITES = 10_000;

interface Load {
	items: number;
	sampled: Sampled;
	/** Partitions at once in a process. */
	concurrency: number;
	/** @default 1 */
	processes?: number;
}

/** How long a load takes. `undefined` where nothing was sampled: there is nothing to load, or nothing to go by. */
export function estimate({ items, sampled, concurrency, processes = 1 }: Load): Estimate | undefined {
	const { entities, readSeconds, transformSeconds } = sampled;
	if (entities === 0) return undefined;
	const rates = {
		source: (entities / Math.max(readSeconds, 1e-6)) * concurrency * processes,
		processor: (entities / Math.max(transformSeconds, 1e-6)) * processes,
		target: ASSUMED_WRITES,
	};
	const [bound, rate] = (Object.entries(rates) as [Estimate["bound"], number][]).reduce((slowest, next) =>
		next[1] < slowest[1] ? next : slowest,
	);
	const assumption =
		`${entities} entities were read and transformed, ${processes} process${processes === 1 ? "" : "es"} with ` +
		`${concurrency} partitions at once, reads in parallel as fast as one alone, and a target that takes ` +
		`${ASSUMED_WRITES.toLocaleString("en-US")} documents a second (assumed: a plan writes nothing)`;
	return { seconds: items / rate, rate, bound, assumption };
}

/** Part of the time until the deadline that an estimate may take: it may be wrong by as much again. */
const SHARE = 0.5;

/** How an estimate goes with the time for which the source serves the read time. */
export type Fit = "fits" | "tight" | "exceeds" | "expired";

export function fitOf(seconds: number | undefined, expiresAt: string | undefined, now: number): Fit {
	if (expiresAt === undefined) return "fits";
	const left = (Date.parse(expiresAt) - now) / 1000;
	if (left <= 0) return "expired";
	if (seconds === undefined || seconds <= left * SHARE) return "fits";
	return seconds <= left ? "tight" : "exceeds";
}

/** Processes that would bring a load within the time; `undefined`: the target is the bound, more would not help. */
export function processesFor(load: Load, secondsLeft: number): number | undefined {
	for (let processes = 1; processes <= 1024; processes *= 2) {
		const found = estimate({ ...load, processes });
		if (found && found.seconds <= secondsLeft * SHARE) return processes;
	}
	return undefined;
}
