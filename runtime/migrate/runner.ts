import pLimit from "p-limit";
import { HoldfastError } from "../errors.ts";
import { addCounts, type Reached, reachedBy } from "./checkpoint.ts";
import { type Job, type Shift, stopped, tell } from "./job.ts";
import type { Lease } from "./lease.ts";
import type { Ledger } from "./ledger.ts";
import { thisProcess } from "./owner.ts";
import { take, workThrough } from "./partitionRun.ts";
import { finalError } from "./retry.ts";
import { Tally } from "./tally.ts";
import type { Counts, Partition } from "./work.ts";

export type { Job, PartitionProgress, Share } from "./job.ts";
export type { Limit } from "./tally.ts";

/** What a job came to. */
export interface JobResult<C extends string> {
	/** Sums over all partitions, those of other runners included, as far as they have written them down. */
	counts: Counts<C>;
	/** `carry` of every partition, in their order. */
	carries: (string | undefined)[];
	/** Partitions that others have not finished yet. */
	open: number;
}

/**
 * Works through this process's share of a job. Returns when all of the share is done; HF_RETRY after a stop or a
 * failure that may pass, HF_LOCKED when others hold partitions of the share, HF_INCOMPLETE beyond the limit. What was
 * done before is kept, whatever it ends with.
 */
export async function runPartitions<T, R, C extends string>(job: Job<T, R, C>): Promise<JobResult<C>> {
	const { ledger, migration, partitions, share, signal } = job;
	const known = await reachedOf(ledger, migration, job.job);
	const own = partitions.filter(({ index }) => index % share.count === share.index);
	const todo = own.filter((partition) => {
		const reached = known.get(partition.index);
		if (reached?.done) tell(job, partition, reached);
		return !reached?.done;
	});
	const failed = new AbortController();
	const stop = AbortSignal.any([signal, failed.signal]);
	const shift: Shift<C> = { me: await thisProcess(), tally: new Tally(partitions, known, job.limit), stop };
	const all = new Errands(job, shift, failed);
	// What others hold comes last: they may have done it by then.
	await all.run(await all.run(todo, 0), WAIT_MS);
	throwWorst(all.errors);
	if (signal.aborted) throw stopped(migration);
	return result(await reachedOf(ledger, migration, job.job), partitions);
}

/** Milliseconds to wait for a partition that another run holds: twice a lease. */
const WAIT_MS = 60_000;

/** Partitions on their way, some at once. */
class Errands<T, R, C extends string> {
	readonly errors: unknown[] = [];
	readonly #job: Job<T, R, C>;
	readonly #shift: Shift<C>;
	readonly #failed: AbortController;

	constructor(job: Job<T, R, C>, shift: Shift<C>, failed: AbortController) {
		this.#job = job;
		this.#shift = shift;
		this.#failed = failed;
	}

	/** Returns those that are held by others, unless they were waited for. */
	async run(partitions: readonly Partition<R>[], waitMs: number): Promise<Partition<R>[]> {
		const held: Partition<R>[] = [];
		await pLimit(this.#job.concurrency).map(partitions, async (partition) => {
			if (this.#shift.stop.aborted) return;
			try {
				const lease = await this.#take(partition, waitMs);
				if (lease) await workThrough(this.#job, this.#shift, partition, lease);
				else held.push(partition);
			} catch (error) {
				this.#note(finalError(error, `${partition.label} of migration ${this.#job.migration}`));
			}
		});
		return held;
	}

	async #take(partition: Partition<R>, waitMs: number): Promise<Lease | undefined> {
		try {
			return await take(this.#job, this.#shift, partition, waitMs);
		} catch (error) {
			if (isLocked(error) && waitMs === 0) return undefined;
			throw error;
		}
	}

	#note(error: unknown): void {
		this.errors.push(error);
		// Another run goes on with that partition; the rest of the share is still ours.
		if (!isLocked(error)) this.#failed.abort();
	}
}

/** Where each partition of a job stands that was ever begun. HF_DAMAGED. */
export async function reachedOf(ledger: Ledger, migration: string, job: string): Promise<Map<number, Reached>> {
	const found = await ledger.checkpoints.find({ "_id.migration": migration, "_id.job": job }).toArray();
	return new Map(found.map((checkpoint) => [checkpoint._id.partition, reachedBy(checkpoint)]));
}

const isLocked = (error: unknown): boolean => error instanceof HoldfastError && error.code === "HF_LOCKED";
const isRetry = (error: unknown): boolean => error instanceof HoldfastError && error.code === "HF_RETRY";

/** What is final before what may pass, and that before what another run takes care of. */
function throwWorst(errors: readonly unknown[]): void {
	const worst =
		errors.find((error) => !isLocked(error) && !isRetry(error)) ?? errors.find(isRetry) ?? errors.find(isLocked);
	if (worst !== undefined) throw worst;
}

function result<C extends string>(reached: Map<number, Reached>, partitions: readonly Partition[]): JobResult<C> {
	const all = partitions.map(({ index }) => reached.get(index));
	return {
		counts: all.reduce((sum, one) => addCounts(sum, (one?.counts ?? {}) as Counts<C>), {} as Counts<C>),
		carries: all.map((one) => one?.carry),
		open: all.filter((one) => !one?.done).length,
	};
}
