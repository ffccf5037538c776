import { BSON, type Collection, type Db, type DbOptions, type MongoClient, ReadConcern } from "mongodb";
import { HoldfastError } from "../errors.ts";
import { VERSION } from "../version.ts";
import type { Checkpoint } from "./checkpoint.ts";
import { jsonDigest } from "./digest.ts";
import type { Conflict, DeadLetter } from "./letters.ts";
import type { Partition } from "./work.ts";

/** What a migration was begun with, and must be gone on with. */
export interface Frozen {
	kind: "datastore" | "objects";
	ends: { source: string; target: string };
	mapHash: string;
	/** SHA-256 over the rules and the selection of the source. */
	rulesHash: string;
	/** ISO 8601; absent where the source cannot be read as it was. */
	readTime?: string;
}

/** One migration; inserted once, with everything that is frozen. */
export interface MigrationRecord extends Frozen {
	/** The migration's name. */
	_id: string;
	partitions: Partition[];
	partitionsHash: string;
	/** Version of this program that began it. */
	tool: string;
	createdAt: Date;
	/** SHA-256 over all but the state. */
	check: string;
	state: "loading" | "complete";
	completedAt?: Date;
}

/** The ledger's collections; every write to them waits for a majority, every read shows what a majority has. */
export interface Ledger {
	readonly db: Db;
	readonly migrations: Collection<MigrationRecord>;
	readonly checkpoints: Collection<Checkpoint>;
	readonly deadLetters: Collection<DeadLetter>;
	readonly conflicts: Collection<Conflict>;
	/** Another collection under the same concerns: `objects`, `reports`. */
	collection<T extends object>(name: string): Collection<T>;
}

const MAJORITY: DbOptions = {
	writeConcern: { w: "majority", wtimeoutMS: 30_000, journal: true },
	readConcern: new ReadConcern("majority"),
	readPreference: "primary",
};

/** The ledger in a database of the target's replica set; the client stays the caller's. */
export function openLedger(client: MongoClient, database: string): Ledger {
	const db = client.db(database, MAJORITY);
	return {
		db,
		migrations: db.collection("migrations"),
		checkpoints: db.collection("checkpoints"),
		deadLetters: db.collection("deadLetters"),
		conflicts: db.collection("conflicts"),
		collection: <T extends object>(name: string) => db.collection<T>(name),
	};
}

const checked = ({ check: _, state: _s, completedAt: _c, createdAt, ...frozen }: MigrationRecord): string =>
	jsonDigest({ ...frozen, createdAt: createdAt?.toISOString() });

/** A new migration as it is to be recorded. */
export function begun(name: string, frozen: Frozen, partitions: Partition[], now: Date): MigrationRecord {
	const record: MigrationRecord = {
		_id: name,
		...frozen,
		partitions,
		partitionsHash: jsonDigest(partitions),
		tool: VERSION,
		createdAt: now,
		check: "",
		state: "loading",
	};
	return { ...record, check: checked(record) };
}

/** What is recorded of a migration; `undefined` before it was begun. HF_DAMAGED when it was altered since. */
export async function readMigration(ledger: Ledger, name: string): Promise<MigrationRecord | undefined> {
	const found = await ledger.migrations.findOne({ _id: name });
	if (!found) return undefined;
	const whole = found.partitionsHash === jsonDigest(found.partitions ?? []) && found.check === checked(found);
	if (!whole)
		throw new HoldfastError("HF_DAMAGED", `the record of migration ${name} in ${ledger.db.databaseName} was altered`, {
			next: "restore the ledger's database from a backup, or begin another migration under another name",
		});
	return found;
}

/** Bytes of a record as BSON; the server takes 16 MiB. */
const MOST_BYTES = 15 * 2 ** 20;

/** Records a migration unless another run was first; what is recorded then. */
export async function recordMigration(ledger: Ledger, record: MigrationRecord): Promise<MigrationRecord> {
	if (BSON.calculateObjectSize(record) > MOST_BYTES)
		throw new HoldfastError(
			"HF_REJECTED",
			`migration ${record._id} has ${record.partitions.length} partitions, more than a record of the ledger holds`,
			{ next: "divide it: name some of the kinds or namespaces in each of several migrations" },
		);
	try {
		await ledger.migrations.insertOne(record);
	} catch (error) {
		if ((error as { code?: number }).code !== 11_000) throw error;
	}
	return (await readMigration(ledger, record._id))!;
}

/** Whether this call, and no other, turned it from loading to complete. */
export async function recordCompletion(ledger: Ledger, name: string): Promise<boolean> {
	const { modifiedCount } = await ledger.migrations.updateOne(
		{ _id: name, state: "loading" },
		{ $set: { state: "complete" }, $currentDate: { completedAt: true } },
	);
	return modifiedCount === 1;
}
