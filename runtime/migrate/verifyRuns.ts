import type { Collection } from "mongodb";
import type { Ledger } from "./ledger.ts";
import type { SignedReport } from "./report.ts";
import type { Difference } from "./transfer.ts";
import type { Reporter } from "./verifyEnds.ts";
import type { Partition } from "./work.ts";

/** Differences that are kept of one run; the rest is counted. */
export const MOST_DIFFERENCES = 1000;

/** One verification of a migration, in the ledger's `reports`. */
export interface VerifyRun {
	_id: { migration: string; run: number };
	/** ISO 8601; null where the source was read as it was at the moment. */
	readTime: string | null;
	state: "comparing" | "complete";
	createdAt: Date;
	/** Partitions beyond the frozen ones of the load. */
	added: Partition[];
	/** Of the search for extras, once the comparison is through. */
	extras?: Partition[];
	report?: SignedReport;
}

/** One difference of a run; told twice, it is there once. */
interface FoundDifference {
	_id: { migration: string; run: number; kind: Difference["kind"]; target: string; source: string };
	paths?: string[];
}

const runs = (ledger: Ledger): Collection<VerifyRun> => ledger.collection<VerifyRun>("reports");
const found = (ledger: Ledger): Collection<FoundDifference> => ledger.collection<FoundDifference>("differences");
const isDuplicate = (error: unknown): boolean => (error as { code?: number }).code === 11_000;

/** Goes on with the unfinished run at that read time, or begins the next one. Of several processes, all get the same. */
export async function openRun(
	ledger: Ledger,
	migration: string,
	readTime: string | undefined,
	added: () => Promise<Partition[]>,
): Promise<VerifyRun> {
	const at = readTime ?? null;
	for (;;) {
		// Before the unfinished ones: what another process begins after this look is found by the next, or has this number.
		const last = await runs(ledger).findOne({ "_id.migration": migration }, { sort: { "_id.run": -1 } });
		const open = { "_id.migration": migration, state: "comparing", readTime: at } as const;
		const unfinished = await runs(ledger).findOne(open, { sort: { "_id.run": -1 } });
		if (unfinished) return unfinished;
		const run: VerifyRun = {
			_id: { migration, run: (last?._id.run ?? 0) + 1 },
			readTime: at,
			state: "comparing",
			createdAt: new Date(),
			added: await added(),
		};
		try {
			await runs(ledger).insertOne(run);
			return run;
		} catch (error) {
			if (!isDuplicate(error)) throw error;
		}
	}
}

/** Freezes the partitions of the search; those that another process froze first count. */
export async function freezeExtras(
	ledger: Ledger,
	{ _id }: VerifyRun,
	split: () => Promise<Partition[]>,
): Promise<Partition[]> {
	const known = async () => (await runs(ledger).findOne({ _id }))?.extras;
	const before = await known();
	if (before) return before;
	const extras = await split();
	await runs(ledger).updateOne({ _id, extras: { $exists: false } }, { $set: { extras } });
	return (await known())!;
}

/** Ends a run with its report; the report that is recorded then, which may be another process's. */
export async function completeRun(ledger: Ledger, { _id }: VerifyRun, report: SignedReport): Promise<SignedReport> {
	await runs(ledger).updateOne({ _id, state: "comparing" }, { $set: { state: "complete", report } });
	const recorded = await runs(ledger).findOne({ _id });
	await found(ledger).deleteMany({ "_id.migration": _id.migration, "_id.run": _id.run });
	return recorded!.report!;
}

/** The recorded report with this SHA-256. */
export async function recordedReport(ledger: Ledger, migration: string, sha256: string): Promise<boolean> {
	return (await runs(ledger).countDocuments({ "_id.migration": migration, "report.sha256": sha256 }, { limit: 1 })) > 0;
}

/** Characters of a name, and of a path, that are kept: a report fits into one record, whatever the names are. */
const [NAME, PATH] = [1000, 200];

/** Names of keys and properties have up to 1,500 bytes each, and a key or a path has many. */
export const shortened = ({ kind, target, source, paths }: Difference): Difference => ({
	...(source !== undefined && { source: source.slice(0, NAME) }),
	target: target.slice(0, NAME),
	kind,
	...(paths && { paths: paths.map((path) => path.slice(0, PATH)) }),
});

/** Records the first differences of this process; the others are in the counts of the checkpoints. */
export function differenceReporter(ledger: Ledger, { _id: { migration, run } }: VerifyRun): Reporter {
	let kept = 0;
	return async (differences) => {
		const some = differences.slice(0, Math.max(0, MOST_DIFFERENCES - kept));
		if (some.length === 0) return;
		kept += some.length;
		const records = some.map(shortened).map(({ kind, target, source = "", paths }) => ({
			_id: { migration, run, kind, target, source },
			...(paths && { paths }),
		}));
		await found(ledger)
			.insertMany(records, { ordered: false })
			.catch((error) => {
				if (!isDuplicate(error)) throw error;
			});
	};
}

/** What was recorded, the same order whoever found it. */
export async function differencesOf(ledger: Ledger, { _id: { migration, run } }: VerifyRun): Promise<Difference[]> {
	const records = found(ledger).find({ "_id.migration": migration, "_id.run": run });
	const sorted = await records.sort({ _id: 1 }).limit(MOST_DIFFERENCES).toArray();
	return sorted.map(({ _id: { kind, target, source }, paths }) => ({
		...(source !== "" && { source }),
		target,
		kind,
		...(paths && { paths }),
	}));
}
