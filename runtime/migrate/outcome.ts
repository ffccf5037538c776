import { HoldfastError } from "../errors.ts";
import { declaredOf, refuseAnother, withoutAddress } from "./frozen.ts";
import { contains } from "./grownMap.ts";
import { openIdMap } from "./idmap/open.ts";
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
		if (await hasGrown(declaration, record.mapHash)) said.mapHash = record.mapHash;
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

/** Whether the declared map is another than the one of that hash, and provably grew out of it. */
async function hasGrown({ idMap: { location, hash, endpoint } }: Migration, begun: string): Promise<boolean> {
	if (hash === undefined || hash === begun) return false;
	try {
		const map = await openIdMap(location, { hash, ...(endpoint !== undefined && { endpoint }) });
		await map.close();
		return contains(map, begun);
	} catch (error) {
		if (error instanceof HoldfastError && (error.code === "HF_REJECTED" || error.code === "HF_FROZEN")) return false;
		throw error;
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
