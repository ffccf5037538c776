import { HoldfastError } from "../errors.ts";
import { addCounts } from "./checkpoint.ts";
import { stopped } from "./job.ts";
import { claim, type Lease } from "./lease.ts";
import { type Conflict, type DeadLetter, leftOf } from "./letters.ts";
import type { Migration } from "./model.ts";
import { thisProcess } from "./owner.ts";
import { finalError, retrying } from "./retry.ts";
import { type Parts, type Session, withSession } from "./session.ts";
import type { Counts, LoadCount } from "./work.ts";

export interface RetryOptions {
	/** Overwrite what conflicts met in the target. Refused once the migration is complete. @default false */
	overwrite?: boolean;
	takeOver?: boolean;
	signal?: AbortSignal;
	/** After every batch. */
	onProgress?: (progress: { tried: number; passed: number }) => void;
}

export interface RetryOutcome {
	tried: number;
	/** In the target now, and off the lists. */
	passed: number;
	/** Still put aside, and still in conflict. */
	left: { dead: number; conflicts: number };
}

type Kind = "deadLetters" | "conflicts";
const BATCH = 100;

/**
 * Tries again what a migration put aside, and what met a conflict, under the rules that it was begun with and the
 * map as it has grown since.
 * What passes leaves its list together with the counts of the ledger; the rest counts one attempt more.
 */
export async function retryDeadLetters(
	declaration: Migration,
	options: RetryOptions = {},
	parts?: Parts,
): Promise<RetryOutcome> {
	const { overwrite = false } = options;
	try {
		return await withSession(
			declaration,
			{ overwrite, evenExpired: true, grown: true },
			(session) => retryAll(session, options),
			parts,
		);
	} catch (error) {
		throw finalError(error, `dead letters of migration ${declaration.name}`);
	}
}

async function retryAll(session: Session, options: RetryOptions): Promise<RetryOutcome> {
	const { ledger, record, transfer } = session;
	if (!record) throw new HoldfastError("HF_USAGE", "the migration was never begun", { next: "holdfast migrate run" });
	if (options.overwrite && record.state === "complete")
		throw new HoldfastError("HF_FROZEN", `migration ${record._id} is complete: nothing in its target is overwritten`);
	if (!transfer.again)
		throw new HoldfastError("HF_USAGE", "what such a migration puts aside comes to the same whenever it is tried");
	const { signal = new AbortController().signal, takeOver } = options;
	const id = { migration: record._id, job: "retry", partition: 0 };
	const lease = await claim(ledger, id, { me: await thisProcess(), takeOver, signal });
	const retry = new Retry(session, lease, signal, options.onProgress);
	try {
		for (const kind of ["deadLetters", "conflicts"] as const) await retry.all(kind);
		return { tried: retry.tried, passed: retry.passed, left: await leftOf(ledger, record._id) };
	} finally {
		await lease.giveBack(lease.reached).catch(() => {});
	}
}

class Retry {
	readonly #session: Session;
	readonly #lease: Lease;
	readonly #signal: AbortSignal;
	readonly #onProgress: RetryOptions["onProgress"];
	readonly #work: ReturnType<Session["transfer"]["loading"]>;
	tried = 0;
	passed = 0;

	constructor(session: Session, lease: Lease, signal: AbortSignal, onProgress: RetryOptions["onProgress"]) {
		this.#session = session;
		this.#lease = lease;
		this.#signal = signal;
		this.#onProgress = onProgress;
		this.#work = session.transfer.loading();
	}

	async all(kind: Kind): Promise<void> {
		const { ledger, record } = this.#session;
		const list = ledger.collection<DeadLetter | Conflict>(kind);
		for (let after: DeadLetter["_id"] | undefined; ; ) {
			if (this.#signal.aborted) throw stopped(record!._id);
			const rest = after === undefined ? {} : { _id: { $gt: after } };
			const filter = { "_id.migration": record!._id, ...rest };
			const batch = await list.find(filter).sort({ _id: 1 }).limit(BATCH).toArray();
			if (batch.length === 0) return;
			await this.#lease.stand();
			await this.#again(kind, batch);
			this.#onProgress?.({ tried: this.tried, passed: this.passed });
			after = batch.at(-1)!._id;
		}
	}

	async #again(kind: Kind, batch: readonly (DeadLetter | Conflict)[]): Promise<void> {
		const keyed = batch.map((one) => ({
			key: one._id.key,
			...("raw" in one && one.raw && { raw: one.raw.buffer }),
		}));
		const items = await this.#session.transfer.again!(keyed);
		let counts: Counts<LoadCount> = {};
		for (const partition of this.#session.record!.partitions) {
			const ours = items.filter((item, at) => item !== undefined && batch[at]!.partition === partition.index);
			if (ours.length === 0) continue;
			const context = { carry: undefined, signal: this.#lease.lost };
			const applied = await retrying(() => this.#work.apply(partition, ours, context), this.#lease.lost);
			counts = addCounts(counts, applied.counts);
		}
		this.tried += batch.length;
		await this.#settle(kind, batch, counts);
	}

	/** Whatever failed again has one attempt more; the others leave the list, in one step with what that does to the counts. */
	async #settle(kind: Kind, batch: readonly (DeadLetter | Conflict)[], counts: Counts<LoadCount>): Promise<void> {
		const { client, ledger } = this.#session;
		const list = ledger.collection<DeadLetter | Conflict>(kind);
		const same = batch.map(({ _id, attempts }) => ({ _id, attempts }));
		const passed = await list.countDocuments({ $or: same });
		const name = kind === "deadLetters" ? "dead" : "conflicts";
		const { read: _, ...changes } = addCounts<LoadCount>(counts, { [name]: -batch.length });
		const reached = { counts: addCounts(this.#lease.reached.counts, changes), done: false };
		await client.withSession((session) =>
			session.withTransaction(async () => {
				await list.deleteMany({ $or: same }, { session });
				await this.#lease.save(reached, session);
			}),
		);
		this.passed += passed;
	}
}
