import { failpoint } from "../failpoint.ts";
import { addCounts, type Reached } from "./checkpoint.ts";
import { type Job, type Shift, stopped, tell } from "./job.ts";
import { claim, type Lease } from "./lease.ts";
import { retrying } from "./retry.ts";
import type { Counts, Partition, WorkPage } from "./work.ts";

/** Milliseconds between checkpoints: pages after the last one are done again after a crash. */
const CHECKPOINT_MS = 500;

/** Takes a partition; HF_LOCKED when another run holds it for `waitMs`. */
export function take<T, R, C extends string>(
	{ ledger, migration, job, takeOver }: Job<T, R, C>,
	{ me, stop }: Shift<C>,
	{ index }: Partition<R>,
	waitMs: number,
): Promise<Lease> {
	const id = { migration, job, partition: index };
	return retrying(() => claim(ledger, id, { me, takeOver, waitMs, signal: stop }), stop);
}

/** Works through the rest of a partition. Whatever it ends with, the pages that were done are kept. */
export async function workThrough<T, R, C extends string>(
	job: Job<T, R, C>,
	shift: Shift<C>,
	partition: Partition<R>,
	lease: Lease,
): Promise<void> {
	const run = new PartitionRun(job, shift, partition, lease);
	try {
		await failpoint("migrate/claimed");
		await run.toItsEnd();
	} finally {
		await run.leave();
	}
}

/** One partition under one claim. */
class PartitionRun<T, R, C extends string> {
	readonly #job: Job<T, R, C>;
	readonly #shift: Shift<C>;
	readonly #partition: Partition<R>;
	readonly #lease: Lease;
	/** What is durable; the checkpoint says no more than this. */
	#now: Reached;
	#savedAt = performance.now();

	constructor(job: Job<T, R, C>, shift: Shift<C>, partition: Partition<R>, lease: Lease) {
		this.#job = job;
		this.#shift = shift;
		this.#partition = partition;
		this.#lease = lease;
		this.#now = lease.reached;
	}

	async toItsEnd(): Promise<void> {
		this.#tell();
		let next = this.#now.done ? undefined : this.#read(this.#now.position);
		while (next) {
			const page = await next;
			await failpoint("migrate/read");
			// Read ahead while the page is applied.
			next = page.done ? undefined : this.#read(page.position);
			next?.catch(() => {});
			await this.#apply(page);
			if (this.#shift.stop.aborted && next) throw stopped(this.#job.migration);
		}
	}

	#read(position: string | undefined): Promise<WorkPage<T>> {
		const signal = AbortSignal.any([this.#shift.stop, this.#lease.lost]);
		return retrying(() => this.#job.work.page(this.#partition, position, signal), signal);
	}

	async #apply(page: WorkPage<T>): Promise<void> {
		const { work, gate } = this.#job;
		const { lost } = this.#lease;
		await gate?.(AbortSignal.any([this.#shift.stop, lost]));
		const { counts, carry } = await retrying(async () => {
			await this.#lease.stand();
			return work.apply(this.#partition, page.items, { carry: this.#now.carry, signal: lost });
		}, lost);
		await failpoint("migrate/written");
		this.#now = {
			position: page.position,
			...(carry !== undefined && { carry }),
			counts: addCounts(this.#now.counts, counts as Counts),
			done: page.done,
		};
		this.#shift.tally.set(this.#partition.index, this.#now.counts as Counts<C>);
		if (page.done || performance.now() - this.#savedAt >= CHECKPOINT_MS) await this.#save();
		this.#tell();
		this.#shift.tally.refuseTooMany();
	}

	async #save(): Promise<void> {
		await retrying(() => this.#lease.save(this.#now), this.#lease.lost);
		this.#savedAt = performance.now();
		await failpoint(this.#job.job === "load" ? "migrate/checkpointed" : "verify/checkpointed");
		if (this.#now.done) await failpoint("migrate/partition-done");
	}

	/** Writes down what was done and gives the partition back. That this fails must not hide why it ends. */
	async leave(): Promise<void> {
		this.#lease.end();
		if (this.#lease.lost.aborted) return;
		await this.#lease.giveBack(this.#now).catch(() => {});
	}

	#tell(): void {
		tell(this.#job, this.#partition, this.#now);
	}
}
