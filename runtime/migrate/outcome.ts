import { declaredOf, refuseAnother, withoutAddress } from "./frozen.ts";
import { type Ledger, type MigrationRecord, openLedger, readMigration } from "./ledger.ts";
import { loadCounts } from "./loadCounts.ts";
import type { Migration } from "./model.ts";
import { openTarget } from "./target.ts";
import type { Counts, LoadCount } from "./work.ts";

/** What a run came to. */
export interface RunOutcome {
	state: "loading" | "complete";
	/** It was complete before this run, which did nothing. */
	already: boolean;
	mapHash: string;
	/** ISO 8601 */
	readTime?: string;
	/** Sums over all partitions. */
	counts: Counts<LoadCount>;
	partitions: number;
	/** Partitions that other processes have not finished. */
	open: number;
	/** ISO 8601 */
	completedAt?: string;
}

/** A migration that is complete needs neither its map nor its source any more: both may be gone. */
export async function completed(declaration: Migration): Promise<RunOutcome | undefined> {
	const client = await openTarget(declaration.mongo);
	try {
		const ledger = openLedger(client, declaration.ledger);
		const record = await readMigration(ledger, declaration.name);
		if (record?.state !== "complete") return undefined;
		const said = declaredOf(declaration);
		refuseAnother(
			{ ...record, ends: withoutAddress(record.ends) },
			said,
			said.readTime === undefined || record.readTime === undefined,
		);
		return await outcomeOf(ledger, record, { already: true, open: 0 });
	} finally {
		await client.close();
	}
}

export async function outcomeOf(
	ledger: Ledger,
	{ _id, state, mapHash, readTime, partitions, completedAt }: MigrationRecord,
	{ already, open }: { already: boolean; open: number },
): Promise<RunOutcome> {
	return {
		state,
		already,
		mapHash,
		...(readTime !== undefined && { readTime }),
		counts: await loadCounts(ledger, _id),
		partitions: partitions.length,
		open,
		...(completedAt && { completedAt: completedAt.toISOString() }),
	};
}
