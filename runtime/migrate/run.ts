import { HoldfastError } from "../errors.ts";
import { failpoint } from "../failpoint.ts";
import { Brake } from "./brake.ts";
import { frozenOf } from "./frozen.ts";
import { claim } from "./lease.ts";
import { begun, type MigrationRecord, readMigration, recordCompletion, recordMigration } from "./ledger.ts";
import { leftOf } from "./letters.ts";
import { retriedOf } from "./loadCounts.ts";
import type { Migration } from "./model.ts";
import { completed, outcomeOf, type RunOutcome } from "./outcome.ts";
import { thisProcess } from "./owner.ts";
import { finalError, retrying } from "./retry.ts";
import { type PartitionProgress, runPartitions } from "./runner.ts";
import { type Parts, type Session, withSession } from "./session.ts";
import type { LoadCount } from "./work.ts";

export type { RunOutcome } from "./outcome.ts";

export interface RunOptions {
	/** This process's place among `count` that share the partitions. @default 0 of 1 */
	index?: number;
	count?: number;
	/** @default the declaration's */
	concurrency?: number;
	/** Overwrite what stands in the target and differs, unless the migration is complete. @default false */
	overwrite?: boolean;
	/** Take partitions from a run that is still at work. @default false */
	takeOver?: boolean;
	/** @default the declaration's */
	maxErrors?: number | string;
	/** Complete it though items were put aside or conflicts are left. @default false */
	acceptDeadLetters?: boolean;
	/** Never begin a migration, only go on with one. @default false */
	resumeOnly?: boolean;
	/** Ends the run after the pages at hand. */
	signal?: AbortSignal;
	onProgress?: (progress: PartitionProgress<LoadCount>) => void;
	/** What people should know meanwhile: the brake, a source that cannot be pinned. */
	onNote?: (note: string) => void;
	/** Once, before the first page: the frozen partitions. */
	onBegin?: (begun: { record: MigrationRecord; expiresAt?: string }) => void;
}

/**
 * Begins a migration or goes on with it, until it is complete or this process's share is done. Safe to repeat, and
 * beside others. HF_FROZEN, HF_RETRY, HF_LOCKED, HF_INCOMPLETE, HF_EXPIRED.
 */
export async function runMigration(
	declaration: Migration,
	options: RunOptions = {},
	parts?: Parts,
): Promise<RunOutcome> {
	const { overwrite = false, signal = new AbortController().signal } = options;
	try {
		const before = await completed(declaration);
		if (before) return before;
		await withSession(
			declaration,
			{},
			async (session) => {
				if (!session.record) await begin(declaration, session, { ...options, signal });
			},
			parts,
		);
		// Opened anew: another run may have been first, with a read time of its own.
		return await withSession(
			declaration,
			{ overwrite, processes: options.count ?? 1 },
			(session) => goOn(declaration, session, { ...options, signal }),
			parts,
		);
	} catch (error) {
		throw finalError(error, `migration ${declaration.name}`);
	}
}

type Options = RunOptions & { signal: AbortSignal };

/** Splits and freezes, once: of several that begin, one splits and the others wait for it. */
async function begin(declaration: Migration, { ledger, map, transfer }: Session, options: Options): Promise<void> {
	const { name } = declaration;
	if (options.resumeOnly)
		throw new HoldfastError("HF_USAGE", `migration ${name} was never begun`, {
			next: "begin it: holdfast migrate run",
		});
	const id = { migration: name, job: "split", partition: 0 };
	const { signal, takeOver } = options;
	const lease = await claim(ledger, id, {
		me: await thisProcess(),
		takeOver,
		waitMs: Number.POSITIVE_INFINITY,
		signal,
	});
	try {
		if (await readMigration(ledger, name)) return;
		await failpoint("migrate/splitting");
		const partitions = await transfer.split();
		await lease.stand();
		await recordMigration(ledger, begun(name, frozenOf(declaration, map, transfer), partitions, new Date()));
		await failpoint("migrate/frozen");
	} finally {
		await lease.giveBack(lease.reached).catch(() => {});
	}
}

async function goOn(declaration: Migration, session: Session, options: Options): Promise<RunOutcome> {
	const { client, ledger, transfer } = session;
	const record = session.record!;
	if (record.state === "complete") return outcomeOf(ledger, record, { already: true, open: 0 });
	const { expiresAt } = transfer;
	options.onBegin?.({ record, ...(expiresAt !== undefined && { expiresAt }) });
	if (declaration.kind === "datastore" && record.readTime === undefined)
		options.onNote?.("the source is read as it is now: it must not change until the verification is through");
	const brake = new Brake(client, options.onNote ?? (() => {}));
	const { open } = await runPartitions({
		ledger,
		migration: record._id,
		job: "load",
		partitions: record.partitions,
		work: transfer.loading(),
		share: { index: options.index ?? 0, count: options.count ?? 1 },
		concurrency: options.concurrency ?? declaration.concurrency,
		...(options.takeOver && { takeOver: true }),
		signal: options.signal,
		...(options.onProgress && { onProgress: options.onProgress }),
		limit: {
			of: ["dead", "conflicts"],
			most: options.maxErrors ?? declaration.maxErrors,
			before: await retriedOf(ledger, record._id),
		},
		gate: (signal) => brake.clear(signal),
	});
	if (open > 0) return outcomeOf(ledger, record, { already: false, open });
	return complete(session, record, options);
}

/** After the last partition; again after a crash, and at once in several processes. */
async function complete(session: Session, record: MigrationRecord, options: Options): Promise<RunOutcome> {
	const { ledger, transfer } = session;
	await retrying(() => transfer.finish(), options.signal);
	await failpoint("migrate/indexed");
	const left = await leftOf(ledger, record._id);
	if (left.dead + left.conflicts > 0 && !options.acceptDeadLetters)
		throw new HoldfastError(
			"HF_INCOMPLETE",
			`migration ${record._id} went through, with ${left.dead} dead letters and ${left.conflicts} conflicts left`,
			{
				next: "see holdfast migrate status; correct their cause and run holdfast migrate retry-dead-letters, or complete it without them: holdfast migrate run --accept-dead-letters",
			},
		);
	await failpoint("migrate/completing");
	await retrying(() => recordCompletion(ledger, record._id), options.signal);
	const now = await readMigration(ledger, record._id);
	return outcomeOf(ledger, now!, { already: false, open: 0 });
}
