import { addCounts } from "./checkpoint.ts";
import type { Ledger } from "./ledger.ts";
import { reachedOf } from "./runner.ts";
import type { Counts, LoadCount } from "./work.ts";

async function countsOf(ledger: Ledger, migration: string, job: string): Promise<Counts<LoadCount>> {
	const reached = await reachedOf(ledger, migration, job);
	return [...reached.values()].reduce((sum, { counts }) => addCounts(sum, counts as Counts<LoadCount>), {});
}

/** By how much trying dead letters and conflicts again has changed what the load came to: `{dead: -3, written: 3}`. */
export const retriedOf = (ledger: Ledger, migration: string) => countsOf(ledger, migration, "retry");

/** What a migration came to so far, over all partitions and everything that was tried again. HF_DAMAGED. */
export async function loadCounts(ledger: Ledger, migration: string): Promise<Counts<LoadCount>> {
	const [load, retried] = await Promise.all([countsOf(ledger, migration, "load"), retriedOf(ledger, migration)]);
	return addCounts(load, retried);
}
