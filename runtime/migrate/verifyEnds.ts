import { type Collection, type MongoClient, ReadConcern } from "mongodb";
import type { DatastoreSource } from "../datastore/source.ts";
import type { IdMap } from "./idmap/idMap.ts";
import type { Ledger } from "./ledger.ts";
import type { DatastoreMigration } from "./model.ts";
import type { Difference } from "./transfer.ts";

/** What a verification of entities works with; whoever opened it closes it. */
export interface EntityEnds {
	declaration: DatastoreMigration;
	/** Pinned at the read time that is compared. */
	source: DatastoreSource;
	map: IdMap;
	client: MongoClient;
	ledger: Ledger;
}

/** Records what was found, durably; what is told again is recorded once. */
export type Reporter = (found: Difference[]) => Promise<void>;

/** A collection of the target, of which only what a majority has is seen: a failover may take the rest back. */
export const targetCollection = ({ client, declaration }: EntityEnds, name: string): Collection =>
	client
		.db(declaration.database, { readConcern: new ReadConcern("majority"), readPreference: "primary" })
		.collection(name);
