import type { MongoClient } from "mongodb";
import type { DatastoreSource } from "../datastore/source.ts";
import { EntityLoad } from "./entityLoad.ts";
import { type EntityItem, type EntityRange, entitiesAgain, entityPages } from "./entityPages.ts";
import { kindsOf, splitKinds } from "./entitySplit.ts";
import type { IdMap } from "./idmap/idMap.ts";
import { buildIndexes } from "./indexes.ts";
import { collectionOf } from "./kindRule.ts";
import type { Ledger } from "./ledger.ts";
import type { DatastoreMigration } from "./model.ts";
import type { Survey, Transfer } from "./transfer.ts";
import { entityVerification } from "./verifyEntities.ts";
import type { LoadCount, Work } from "./work.ts";

export interface EntityTransferOptions {
	/** Closed with the transfer. */
	source: DatastoreSource;
	map: IdMap;
	client: MongoClient;
	ledger: Ledger;
	/** @default false */
	overwrite?: boolean;
}

/** Entities of a Datastore to collections. */
export function entityTransfer(declaration: DatastoreMigration, options: EntityTransferOptions): Transfer {
	const { source, map, client, ledger, overwrite = false } = options;
	const pages = entityPages(source, declaration.pageSize);
	const load = new EntityLoad({ declaration, map, client, ledger, overwrite });
	const loading: Work<EntityItem, EntityRange, LoadCount> = {
		page: pages,
		apply: (partition, items) => load.apply(partition, items),
	};
	return {
		ends: { source: placed(source), target: declaration.database },
		...(source.pinned && source.readTime !== undefined && { readTime: source.readTime }),
		...(source.expiresAt !== undefined && { expiresAt: source.expiresAt }),
		survey: () => survey(declaration, source),
		split: () => splitKinds(declaration, source),
		loading: () => loading as Work<unknown, unknown, LoadCount>,
		again: (letters) => entitiesAgain(source, letters),
		finish: () => buildIndexes(client.db(declaration.database), declaration.rules),
		...entityVerification({ declaration, source, map, client, ledger }),
		close: () => source.close(),
	};
}

/** What was begun on an emulator is not gone on with at the service. */
const placed = ({ name, emulator }: DatastoreSource) => (emulator === undefined ? name : `${emulator} ${name}`);

async function survey(declaration: DatastoreMigration, source: DatastoreSource): Promise<Survey> {
	const found = await kindsOf(declaration, source);
	return {
		groups: found.map(({ namespace, kind, items, partitions }) => ({
			name: namespace === "" ? kind : `${namespace}!${kind}`,
			target: collectionOf(declaration.rules, kind),
			items,
			partitions,
		})),
		notes: source.pinned ? [] : ["the source is read as it is now: reads cannot be pinned to one time"],
	};
}
