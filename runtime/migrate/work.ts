/** A part of a job that one runner works through from its beginning to its end. Frozen in the ledger. */
export interface Partition<R = unknown> {
	index: number;
	/** For people: `Dataset 3/8`. */
	label: string;
	/** Items, where the split pass counted them. */
	total?: number;
	/** What the work needs to find its items; plain JSON (bytes as base64). */
	range: R;
}

/** Items in the order of the partition. `position` is where the next page begins; plain text. */
export interface WorkPage<T> {
	items: T[];
	position: string;
	done: boolean;
}

/** What became of items, by name; a name that is absent counts 0. */
export type Counts<C extends string = string> = Partial<Record<C, number>>;

/**
 * Of a load: `read` from the source; of these `written` by this migration, `equal` already there, `conflicts` there and
 * different (reported, not overwritten), `overwritten`, `dead` put aside with a reason, `skipped` by a rule.
 */
export type LoadCount = "read" | "written" | "equal" | "conflicts" | "overwritten" | "dead" | "skipped";

/** Of a verification: `read`, of these `equal`, `missing` in the target, `different`, `excused` (dead letters); `extra` in the target. */
export type VerifyCount = "read" | "equal" | "missing" | "different" | "excused" | "extra";

export interface Applied<C extends string> {
	counts: Counts<C>;
	/** What the next page of the partition is given: a rolling digest, say. Plain text, kept in the checkpoint. */
	carry?: string;
}

/** What a runner does with the partitions of a job. */
export interface Work<T = unknown, R = unknown, C extends string = string> {
	page(partition: Partition<R>, position: string | undefined, signal: AbortSignal): Promise<WorkPage<T>>;
	/**
	 * Does a page; the same page again has the same result. What is wrong with a single item is recorded with it (dead
	 * letter, conflict, difference); a failure of the page is thrown. When it returns, what it counted is durable
	 * (w: majority).
	 */
	apply(
		partition: Partition<R>,
		items: T[],
		context: { carry: string | undefined; signal: AbortSignal },
	): Promise<Applied<C>>;
}
