import { HoldfastError } from "../errors.ts";
import { type Ledger, type MigrationRecord, openLedger, readMigration } from "./ledger.ts";
import { loadCounts } from "./loadCounts.ts";
import type { Migration, MigrationOutputs } from "./model.ts";
import { openTarget } from "./target.ts";

/** How a migration stands in its ledger. */
export interface Standing {
	outputs: MigrationOutputs;
	/** Items of all partitions, where the split pass counted them. */
	total?: number;
}

/** Looks only. `undefined` before it was begun. */
export async function standing({ name, mongo, ledger }: Pick<Migration, "name" | "mongo" | "ledger">) {
	const client = await openTarget(mongo);
	try {
		return await standingIn(openLedger(client, ledger), name);
	} finally {
		await client.close();
	}
}

async function standingIn(ledger: Ledger, name: string): Promise<Standing | undefined> {
	const record = await readMigration(ledger, name);
	if (!record) return undefined;
	const { read = 0, written = 0 } = await loadCounts(ledger, name);
	const { state, mapHash, readTime, completedAt } = record;
	const total = totalOf(record);
	return {
		outputs: {
			...{ state, mapHash, read, written },
			...(readTime === undefined ? {} : { readTime }),
			...(completedAt === undefined ? {} : { completedAt: completedAt.toISOString() }),
		},
		...(total === undefined ? {} : { total }),
	};
}

/** Items of all partitions; `undefined` where the split pass did not count them. */
export function totalOf({ partitions }: Pick<MigrationRecord, "partitions">): number | undefined {
	if (partitions.some(({ total }) => total === undefined)) return undefined;
	return partitions.reduce((sum, { total = 0 }) => sum + total, 0);
}

/** A replica set that is down, or refuses its administrator. */
export const isOutOfReach = (error: unknown): boolean =>
	error instanceof HoldfastError && ["HF_UNREACHABLE", "HF_CREDENTIALS", "HF_RETRY"].includes(error.code);
