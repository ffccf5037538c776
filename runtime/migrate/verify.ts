import { HoldfastError } from "../errors.ts";
import type { Migration } from "./model.ts";
import { settledReadTime } from "./readTime.ts";
import type { SignedReport } from "./report.ts";
import { finalError } from "./retry.ts";
import { type PartitionProgress, reachedOf, runPartitions } from "./runner.ts";
import { type Parts, type Session, withSession } from "./session.ts";
import type { Compared } from "./transfer.ts";
import { fullReport, sampleReport } from "./verifyReport.ts";
import { completeRun, differenceReporter, differencesOf, freezeExtras, openRun, type VerifyRun } from "./verifyRuns.ts";
import type { Counts, Partition, VerifyCount, Work } from "./work.ts";

/** What is compared, and what is then looked for. */
export type VerifyPhase = "verify" | "extras";

export interface VerifyOptions {
	/** Compare with the source at another time than the load's: `now`, or ISO 8601 with whole seconds. @default the load's */
	readTime?: string;
	/** Only look at so many random items of each group. */
	sample?: number;
	/** This process's place among `count` that share the partitions. @default 0 of 1 */
	index?: number;
	count?: number;
	/** @default the declaration's */
	concurrency?: number;
	takeOver?: boolean;
	signal?: AbortSignal;
	onBegin?: (begun: { phase: VerifyPhase; partitions: readonly Partition[]; expiresAt?: string }) => void;
	onProgress?: (phase: VerifyPhase, progress: PartitionProgress<VerifyCount>) => void;
	onNote?: (note: string) => void;
}

/** `report` is absent while other processes have partitions to do: `open` of them. */
export interface VerifyOutcome {
	report?: SignedReport;
	open: number;
}

/**
 * Compares source and target both ways, or goes on with a comparison at the same read time that was not finished. Safe to
 * repeat, and beside others. Differences are no error here: they stand in the report. HF_NOT_READY before the load is
 * through; HF_EXPIRED, HF_FROZEN, HF_RETRY, HF_LOCKED.
 */
export async function verifyMigration(
	declaration: Migration,
	options: VerifyOptions = {},
	parts?: Parts,
): Promise<VerifyOutcome> {
	let readTime: string | undefined;
	try {
		readTime = await askedTime(declaration, options);
		const at = { grown: true, ...(readTime !== undefined && { readTime }) };
		return await withSession(declaration, at, (session) => verifyIn(session, declaration, options), parts);
	} catch (error) {
		const final = finalError(error, `the verification of migration ${declaration.name}`);
		throw options.readTime === "now" && readTime !== undefined ? sameTime(final, readTime) : final;
	}
}

/** The same command again would compare at another time, from the beginning. */
function sameTime(error: unknown, readTime: string): unknown {
	if (!(error instanceof HoldfastError) || error.code !== "HF_RETRY") return error;
	return new HoldfastError("HF_RETRY", `the verification at ${readTime} ended before it was through`, {
		next: `go on with it: the same command with --read-time ${readTime}`,
		cause: error,
	});
}

async function askedTime(declaration: Migration, { readTime, count = 1, signal }: VerifyOptions) {
	if (readTime === undefined) return undefined;
	if (declaration.kind !== "datastore")
		throw new HoldfastError("HF_USAGE", "objects have no read times: verify compares them as they are now");
	if (readTime === "now" && count > 1)
		throw new HoldfastError("HF_USAGE", "`--read-time now` would be another time in each process", {
			next: "give all of them the same time, e.g. --read-time 2026-11-21T10:00:00Z",
		});
	return settledReadTime(readTime, declaration.source.retentionHours, signal);
}

async function verifyIn(session: Session, declaration: Migration, options: VerifyOptions) {
	const record = await loaded(session, declaration.name);
	const { transfer, ledger, map } = session;
	const facts = {
		record,
		mapHash: map.hash,
		began: new Date(),
		...(transfer.readTime && { readTime: transfer.readTime }),
	};
	if (options.sample !== undefined) return { open: 0, report: await sampled(session, facts, options.sample) };
	const later = transfer.readTime !== record.readTime;
	const added = async () => (later ? ((await transfer.added?.(record.partitions)) ?? []) : []);
	const run = await openRun(ledger, declaration.name, transfer.readTime, added);
	if (options.readTime === "now" && transfer.readTime)
		options.onNote?.(
			`compares at ${transfer.readTime}; if it is interrupted, go on with --read-time ${transfer.readTime}`,
		);
	const check = new Verification(session, declaration, run, [...record.partitions, ...run.added], options);
	const open = await check.compare();
	if (open > 0) return { open };
	const extras = await check.search();
	const compared = await reachedOf(ledger, declaration.name, `verify-${run._id.run}`);
	const report = fullReport(transfer, {
		...{ ...facts, began: run.createdAt, run: run._id.run },
		parts: check.partitions.map((partition) => ({ partition, reached: compared.get(partition.index)! })),
		extras,
		differences: await differencesOf(ledger, run),
	});
	return { open: 0, report: await completeRun(ledger, run, report) };
}

/** The record of a migration of which every partition was loaded. */
async function loaded({ record, ledger }: Session, name: string) {
	if (!record)
		throw new HoldfastError("HF_NOT_READY", `migration ${name} was not begun yet`, { next: "holdfast migrate run" });
	if (record.state === "complete") return record;
	const reached = await reachedOf(ledger, name, "load");
	const open = record.partitions.filter(({ index }) => !reached.get(index)?.done).length;
	if (open === 0) return record;
	throw new HoldfastError("HF_NOT_READY", `migration ${name} still loads: ${open} partitions are not through`, {
		next: "holdfast migrate resume, then verify",
	});
}

async function sampled({ transfer }: Session, facts: Parameters<typeof sampleReport>[1], size: number) {
	const differences: Parameters<typeof sampleReport>[3] = [];
	const report = async (found: typeof differences) => {
		differences.push(...found);
	};
	const looked = await transfer.sampling(report, facts.record.partitions, size);
	return sampleReport(transfer, facts, { size, looked }, differences);
}

/** One process's part in one verification. */
class Verification {
	readonly partitions: Partition[];
	readonly #session: Session;
	readonly #declaration: Migration;
	readonly #run: VerifyRun;
	readonly #options: VerifyOptions;

	constructor(
		session: Session,
		declaration: Migration,
		run: VerifyRun,
		partitions: Partition[],
		options: VerifyOptions,
	) {
		this.#session = session;
		this.#declaration = declaration;
		this.#run = run;
		this.partitions = partitions;
		this.#options = options;
	}

	get #report() {
		return differenceReporter(this.#session.ledger, this.#run);
	}

	/** How many partitions others have not compared yet. */
	async compare(): Promise<number> {
		const { index = 0, count = 1 } = this.#options;
		const work = this.#session.transfer.verifying(this.#report);
		const { open } = await this.#work("verify", this.partitions, work, { index, count });
		return open;
	}

	/** Whoever compared the last partition looks for the extras: mostly there is nothing to look through. */
	async search(): Promise<{ partition: Partition; counts: Counts<VerifyCount> }[]> {
		const { ledger, transfer } = this.#session;
		const reached = await reachedOf(ledger, this.#declaration.name, `verify-${this.#run._id.run}`);
		const compared: Compared[] = this.partitions.map((partition) => {
			const { equal = 0, different = 0 } = (reached.get(partition.index)?.counts ?? {}) as Counts<VerifyCount>;
			return { partition, found: equal + different };
		});
		const { split, work } = transfer.searching(this.#report, compared);
		const extras = await freezeExtras(ledger, this.#run, split);
		await this.#work("extras", extras, work, { index: 0, count: 1 });
		const found = await reachedOf(ledger, this.#declaration.name, `extras-${this.#run._id.run}`);
		return extras.map((partition) => ({ partition, counts: found.get(partition.index)?.counts ?? {} }));
	}

	#work(
		phase: VerifyPhase,
		partitions: Partition[],
		work: Work<unknown, unknown, VerifyCount>,
		share: { index: number; count: number },
	) {
		const { concurrency, takeOver, signal, onProgress, onBegin } = this.#options;
		const { ledger, transfer } = this.#session;
		const mine = partitions.filter(({ index }) => index % share.count === share.index);
		onBegin?.({ phase, partitions: mine, ...(transfer.expiresAt && { expiresAt: transfer.expiresAt }) });
		return runPartitions({
			...{ ledger, migration: this.#declaration.name, job: `${phase}-${this.#run._id.run}` },
			...{ partitions, work, share, signal: signal ?? new AbortController().signal },
			concurrency: concurrency ?? this.#declaration.concurrency,
			...(takeOver && { takeOver }),
			...(onProgress && { onProgress: (progress) => onProgress(phase, progress) }),
		});
	}
}
