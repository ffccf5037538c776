import { HoldfastError } from "../errors.ts";
import type { Owner, Reached } from "./checkpoint.ts";
import type { Ledger } from "./ledger.ts";
import type { Limit, Tally } from "./tally.ts";
import type { Counts, Partition, Work } from "./work.ts";

/** How far a partition is, told after every page, and once for each that is taken or was done before. */
export interface PartitionProgress<C extends string = string> {
	partition: number;
	label: string;
	counts: Counts<C>;
	total?: number;
	done: boolean;
}

/** Which partitions are this process's: those whose index leaves `index` when divided by `count`. */
export interface Share {
	index: number;
	count: number;
}

export interface Job<T, R, C extends string> {
	ledger: Ledger;
	migration: string;
	/** `load`, `verify-<n>`, `extras-<n>`: names the checkpoints. */
	job: string;
	partitions: readonly Partition<R>[];
	work: Work<T, R, C>;
	share: Share;
	/** Partitions at work at once. */
	concurrency: number;
	/** Take partitions from whoever holds them, at once. @default false */
	takeOver?: boolean;
	signal: AbortSignal;
	onProgress?: (progress: PartitionProgress<C>) => void;
	limit?: Limit<C>;
	/** Waited for before every page is applied: a brake. */
	gate?: (signal: AbortSignal) => Promise<void>;
}

/** What the partitions of one call share. */
export interface Shift<C extends string> {
	me: Owner;
	tally: Tally<C>;
	/** Aborted by the caller, or when a partition failed for good: the page at hand is finished. */
	stop: AbortSignal;
}

/** Tells where a partition stands. */
export function tell<C extends string>(
	{ onProgress }: { onProgress?: (progress: PartitionProgress<C>) => void },
	{ index, label, total }: Partition,
	{ counts, done }: Reached,
): void {
	onProgress?.({ partition: index, label, counts: counts as Counts<C>, ...(total !== undefined && { total }), done });
}

export const stopped = (migration: string) =>
	new HoldfastError("HF_RETRY", `migration ${migration} was stopped before it was through`);
