import type { MongoClient } from "mongodb";
import { identityOf } from "../datastore/identity.ts";
import { openSource } from "../datastore/open.ts";
import { entityTransfer } from "./entityTransfer.ts";
import { expiredSource, isExpired } from "./expiredSource.ts";
import type { IdMap } from "./idmap/idMap.ts";
import type { Ledger } from "./ledger.ts";
import type { Migration } from "./model.ts";
import { objectTransfer } from "./objects/objectTransfer.ts";
import type { Transfer } from "./transfer.ts";

export interface TransferOptions {
	client: MongoClient;
	ledger: Ledger;
	map: IdMap;
	/** ISO 8601; for entities. */
	readTime?: string;
	overwrite?: boolean;
	/** How many processes share the migration. @default 1 */
	processes?: number;
	/** Go on where the source does not serve the read time any more: dead letters bring their records. @default false */
	evenExpired?: boolean;
}

/** The transfer of a declaration: of entities, or of objects. */
export async function openTransfer(declaration: Migration, options: TransferOptions): Promise<Transfer> {
	const { readTime, evenExpired, ...ends } = options;
	if (declaration.kind === "objects") return objectTransfer(declaration, ends);
	const { project, database, emulator, retentionHours } = declaration.source;
	const place = { project, database, retentionHours, ...(emulator !== undefined && { emulator }) };
	const opening = openSource({ ...place, ...(readTime !== undefined && { readTime }) });
	const source = await opening.catch((error: unknown) => {
		if (!evenExpired || readTime === undefined || !isExpired(error)) throw error;
		return expiredSource({ ...identityOf(place), readTime }, error);
	});
	return entityTransfer(declaration, { ...ends, source });
}
