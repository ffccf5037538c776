import type { ProgressEvent as Step } from "../progress.ts";
import { known, type Meter, measure, meter, pace } from "./eta.ts";
import type { Partition } from "./work.ts";

/** How far a job is; `rate` in items a second, `eta` in seconds. The one stream that bars, lines, JSON and metrics show. */
export interface ProgressEvent extends Step {
	done: number;
	rate: number;
	eta?: number;
}

/** How far one partition is. */
export interface PartitionDone {
	partition: number;
	done: number;
	/** Absent where the split pass did not count. */
	total?: number;
	/** Whether it is through. */
	finished: boolean;
}

interface Options {
	/** `load`, `verify`, `extras`. */
	phase: string;
	emit: (event: ProgressEvent) => void;
	/** Milliseconds of a monotonic clock. */
	now?: () => number;
}

/** Sums up the partitions of one job, as its runner goes through them. */
export class Progress {
	readonly #phase: string;
	readonly #emit: (event: ProgressEvent) => void;
	readonly #now: () => number;
	readonly #partitions: Map<number, PartitionDone>;
	readonly #told = new Set<number>();
	#meter: Meter;

	constructor(partitions: readonly Partition[], { phase, emit, now = () => performance.now() }: Options) {
		this.#phase = phase;
		this.#emit = emit;
		this.#now = now;
		this.#partitions = new Map(
			partitions.map(({ index, total }) => [
				index,
				{ partition: index, done: 0, ...(total !== undefined && { total }), finished: false },
			]),
		);
		this.#meter = meter(now());
	}

	/** Emits an event. The first word of a partition tells what earlier runs did: that is no work of this one. */
	update(one: PartitionDone): void {
		const before = this.#partitions.get(one.partition)?.done ?? 0;
		this.#partitions.set(one.partition, one);
		if (!this.#told.has(one.partition)) this.#meter = known(this.#meter, one.done - before);
		this.#told.add(one.partition);
		const all = [...this.#partitions.values()];
		const done = all.reduce((sum, partition) => sum + partition.done, 0);
		this.#meter = measure(this.#meter, this.#now(), done);
		const total = totalOf(all);
		const finished = all.filter((partition) => partition.finished).length;
		const step = `${finished} of ${all.length} partitions`;
		this.#emit({ phase: this.#phase, step, done, ...(total !== undefined && { total }), ...pace(this.#meter, total) });
	}
}

/**
 * Items in all, where each partition's are known: what a finished one had counts for its total, which was counted at
 * another time or not at all.
 */
export function totalOf(partitions: readonly PartitionDone[]): number | undefined {
	let sum = 0;
	for (const { done, total, finished } of partitions) {
		if (!finished && total === undefined) return undefined;
		sum += finished ? done : Math.max(total!, done);
	}
	return sum;
}
