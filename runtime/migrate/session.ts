import type { MongoClient } from "mongodb";
import { lastWholeMinute } from "../datastore/readTime.ts";
import { frozenOf, refuseAnother } from "./frozen.ts";
import { contains, growthIsHarmless } from "./grownMap.ts";
import type { IdMap } from "./idmap/idMap.ts";
import { type OpenOptions, openIdMap } from "./idmap/open.ts";
import { type Ledger, type MigrationRecord, openLedger, readMigration } from "./ledger.ts";
import type { Migration } from "./model.ts";
import { openTransfer } from "./openTransfer.ts";
import { openTarget } from "./target.ts";
import type { Transfer } from "./transfer.ts";

export interface SessionOptions {
	/** Read the source at another time than the migration was begun with: ISO 8601. For verifications. */
	readTime?: string;
	/** Overwrite what differs in the target. @default false */
	overwrite?: boolean;
	/** How many processes share the migration. @default 1 */
	processes?: number;
	/** With the map as it has grown since the migration began, where that changes nothing that was written. @default false */
	grown?: boolean;
	/** Open it though the source does not serve the read time any more. @default false */
	evenExpired?: boolean;
}

/** How a session comes to its map and its transfer. */
export interface Parts {
	openIdMap(location: string, options: OpenOptions): Promise<IdMap>;
	openTransfer: typeof openTransfer;
}
const PARTS: Parts = { openIdMap, openTransfer };

/** Everything that a command on one migration needs, opened together. */
export interface Session {
	client: MongoClient;
	ledger: Ledger;
	map: IdMap;
	transfer: Transfer;
	/** Absent before it was begun. */
	record?: MigrationRecord;
	close(): Promise<void>;
}

/** Opens target, ledger, map and source; HF_FROZEN when the migration was begun with something else. */
export async function openSession(
	declaration: Migration,
	options: SessionOptions = {},
	parts: Parts = PARTS,
): Promise<Session> {
	const opened: { close(): Promise<void> }[] = [];
	const close = async () => {
		for (const one of opened.toReversed()) await one.close();
	};
	try {
		const client = await openTarget(declaration.mongo);
		opened.push(client);
		const ledger = openLedger(client, declaration.ledger);
		const record = await readMigration(ledger, declaration.name);
		const map = await openMap(declaration, record, options.grown === true && growthIsHarmless(declaration), parts);
		opened.push(map);
		const readTime = options.readTime ?? readTimeOf(declaration, record);
		const { overwrite = false, evenExpired = false, processes = 1 } = options;
		const ends = {
			client,
			ledger,
			map,
			...(readTime !== undefined && { readTime }),
			overwrite,
			evenExpired,
			processes,
		};
		const transfer = await parts.openTransfer(declaration, ends);
		opened.push(transfer);
		if (record) {
			const hash = contains(map, record.mapHash) ? record.mapHash : map.hash;
			refuseAnother(record, frozenOf(declaration, { hash }, transfer), options.readTime !== undefined);
		}
		return { client, ledger, map, transfer, ...(record && { record }), close };
	} catch (error) {
		await close();
		throw error;
	}
}

/** Opens, does, and closes, whatever came of it. */
export async function withSession<T>(
	declaration: Migration,
	options: SessionOptions,
	fn: (session: Session) => Promise<T>,
	parts: Parts = PARTS,
): Promise<T> {
	const session = await openSession(declaration, options, parts);
	try {
		return await fn(session);
	} finally {
		await session.close();
	}
}

/** As it was when the migration began, or as it has grown since; another one is opened to be refused. */
async function openMap(
	{ idMap }: Migration,
	record: MigrationRecord | undefined,
	grown: boolean,
	parts: Parts,
): Promise<IdMap> {
	const open = (hash: string | undefined) =>
		parts.openIdMap(idMap.location, {
			...(idMap.endpoint !== undefined && { endpoint: idMap.endpoint }),
			...(hash !== undefined && { hash }),
		});
	const declared = await open(idMap.hash);
	if (!record || grown || declared.hash === record.mapHash || !contains(declared, record.mapHash)) return declared;
	await declared.close();
	return open(record.mapHash);
}

/** What is declared is tried, also beside what was begun: another one must be refused. */
function readTimeOf(declaration: Migration, record: MigrationRecord | undefined): string | undefined {
	if (declaration.kind === "objects") return undefined;
	return declaration.readTime ?? (record ? record.readTime : lastWholeMinute());
}
