import type { Sampled } from "./estimate.ts";
import type { PlannedIndex } from "./statistics.ts";
import type { Counts, LoadCount, Partition, VerifyCount, Work } from "./work.ts";

/** What a run would do, found by looking only. */
export interface Survey {
	/** Items by group: kind and namespace, or a bucket's prefix. */
	groups: { name: string; target: string; items: number; partitions: number }[];
	/** Bytes, where they are known. */
	bytes?: number;
	/** Warnings for people: no brake without a privilege, an emulator that ignores read times … */
	notes: string[];
}

/** Something in the target that a verification found wrong. Values are never told: they may be anybody's data. */
export interface Difference {
	/** `keyText` of the old key, or the object's old name. Absent for `extra`. */
	source?: string;
	/** `collection/newId`, or the object's new name. */
	target: string;
	kind: "missing" | "extra" | "different";
	/** Where they differ: `tags[3].at: timestamp, 456 us lost`. At most 10. */
	paths?: string[];
}

/** What a look at some items showed. */
export interface Trial {
	/** How long it took one reader. */
	sampled: Sampled;
	/** Items that a load would put aside, by group and code; `example` is the key of one. */
	problems: { group: string; code: string; items: number; example: string }[];
	/** Indexes worth declaring, by what the source indexes. */
	indexes: PlannedIndex[];
	/** Documents that the targets hold already. */
	present: Record<string, number>;
	notes: string[];
}

/** How many items of a partition a comparison found in the target. */
export interface Compared {
	partition: Partition;
	found: number;
}

/**
 * What differs between migrations of entities and of objects. Opened for one declaration and one map; closes what it
 * opened. All its parts are idempotent and take no lock: the runner fences them.
 */
export interface Transfer {
	/** Recorded in the ledger: going on between other ends is refused. */
	readonly ends: { source: string; target: string };
	/** ISO 8601; absent for objects, and where the source cannot be pinned. */
	readonly readTime?: string;
	/** Until when the source serves the read time. */
	readonly expiresAt?: string;
	survey(): Promise<Survey>;
	/** The partitions to freeze. May leave notes in the ledger (a manifest), which a later call makes again from nothing. */
	split(): Promise<Partition[]>;
	loading(): Work<unknown, unknown, LoadCount>;
	/**
	 * Items that were put aside or met a conflict, as the load's `apply` takes them, at the same places; `undefined` for
	 * one that the source does not have any more. `raw` as it stands in a dead letter. Absent: such items come to the same
	 * whenever they are tried.
	 */
	again?(letters: readonly { key: string; raw?: Uint8Array }[]): Promise<unknown[]>;
	/** After the last partition, and again after a crash: indexes. */
	finish(): Promise<void>;
	/** Compares each item of the source with the target. Its partitions are the frozen ones. */
	verifying(report: (found: Difference[]) => Promise<void>): Work<unknown, unknown, VerifyCount>;
	/**
	 * What the target has beyond the source, looked for after the comparison, in partitions of its own. `compared`: how many
	 * items of each partition the comparison found in the target, equal or not; by it most targets are known to have no
	 * extras without a second look.
	 */
	searching(
		report: (found: Difference[]) => Promise<void>,
		compared: readonly Compared[],
	): {
		split(): Promise<Partition[]>;
		work: Work<unknown, unknown, VerifyCount>;
	};
	/**
	 * Partitions beyond the frozen ones, numbered on from them, for what the source has at another read time: a kind that
	 * came since. Absent where the frozen partitions cover whatever comes.
	 */
	added?(frozen: readonly Partition[]): Promise<Partition[]>;
	/** A quick look at about `size` random items of each group. */
	sampling(
		report: (found: Difference[]) => Promise<void>,
		frozen: readonly Partition[],
		size: number,
	): Promise<{ partition: Partition; counts: Counts<VerifyCount> }[]>;
	/** A timed look at some items as a load would see them; writes nothing. Absent where there is none. */
	trying?(budgetMs: number): Promise<Trial>;
	/** What a partition's items belong to, for reports: a kind and its collection. @default the two ends */
	groupOf?(partition: Partition): { source: string; target: string };
	close(): Promise<void>;
}
