import {
	BSON,
	type Collection,
	type Document,
	MongoBulkWriteError,
	type OneOrMore,
	type WriteConcernError,
	type WriteError,
} from "mongodb";
import { describe } from "../errors.ts";
import { NotAcknowledged } from "./retry.ts";
import type { TargetDocument } from "./transform.ts";

/** Bytes of one insert command: enough to be fast, and little enough for several partitions at once. */
const BATCH_BYTES = 8 * 2 ** 20;
const DUPLICATE_KEY = 11_000;

/** A document on its way, with what its page knows of it. */
export interface Outgoing<T> {
	document: TargetDocument;
	/** Upper bound of its size as BSON. */
	bytes: number;
	item: T;
}

/** What became of the documents of a page, by the server's word; everything not named here was inserted. */
export interface Written<T> {
	inserted: number;
	/** Their `_id` is there already. */
	present: { outgoing: Outgoing<T>; raw: Buffer }[];
	/** Refused for good; `code` is the server's. */
	refused: { outgoing: Outgoing<T>; code: number }[];
}

/** In their order, in batches of at most `most` bytes; a bigger one alone. */
export function batches<T extends { bytes: number }>(all: readonly T[], most = BATCH_BYTES): T[][] {
	const found: T[][] = [];
	let size = Number.POSITIVE_INFINITY;
	for (const one of all) {
		if (size + one.bytes > most) {
			found.push([]);
			size = 0;
		}
		found.at(-1)!.push(one);
		size += one.bytes;
	}
	return found;
}

/**
 * Inserts what is not there; never changes what is. Returns when a majority has everything that it does not name; throws
 * when that is not known, and the same again is harmless then.
 */
export async function insertAll<T>(collection: Collection, all: readonly Outgoing<T>[]): Promise<Written<T>> {
	const written: Written<T> = { inserted: 0, present: [], refused: [] };
	for (const batch of batches(all)) {
		const errors = await insert(collection, batch);
		written.inserted += batch.length - errors.length;
		const duplicates: Outgoing<T>[] = [];
		for (const { index, code } of errors) {
			const outgoing = batch[index]!;
			if (code === DUPLICATE_KEY) duplicates.push(outgoing);
			else written.refused.push({ outgoing, code });
		}
		await compareWithThere(collection, duplicates, written);
	}
	return written;
}

async function insert<T>(collection: Collection, batch: readonly Outgoing<T>[]): Promise<WriteError[]> {
	const documents = batch.map(({ document }) => document as Document);
	try {
		await collection.insertMany(documents as never[], { ordered: false });
		return [];
	} catch (error) {
		if (!(error instanceof MongoBulkWriteError)) throw error;
		refuseUnacknowledged(error);
		const errors = listOf(error.writeErrors);
		if (errors.length > 0) return errors;
		// A failure of the whole command comes as this error too; one that the server did not speak of, without a code.
		throw error.code === undefined ? new NotAcknowledged(describe(error)) : error;
	}
}

/** A write that a failover may take back must not be behind a checkpoint: the page is done again. */
function refuseUnacknowledged(error: MongoBulkWriteError): void {
	const concern: WriteConcernError | undefined = error.result.getWriteConcernError();
	if (concern) throw new NotAcknowledged(`a majority did not acknowledge a write (error ${concern.code})`);
}

const listOf = (errors: OneOrMore<WriteError>): WriteError[] =>
	Array.isArray(errors) ? errors : [errors as WriteError];

/** Looks at what a majority has under the ids of duplicates. Where nothing is, another unique index refused. */
async function compareWithThere<T>(
	collection: Collection,
	duplicates: readonly Outgoing<T>[],
	written: Written<T>,
): Promise<void> {
	if (duplicates.length === 0) return;
	const there = await rawById(collection, duplicates);
	for (const outgoing of duplicates) {
		const raw = there.get(String(outgoing.document._id));
		if (raw) written.present.push({ outgoing, raw });
		else written.refused.push({ outgoing, code: DUPLICATE_KEY });
	}
}

/** By their ids as text; what a majority has, as the server keeps it. */
async function rawById<T>(collection: Collection, outgoing: readonly Outgoing<T>[]): Promise<Map<string, Buffer>> {
	const _id = { $in: outgoing.map(({ document }) => document._id) };
	const options = { raw: true, readConcern: { level: "majority" }, readPreference: "primary" } as const;
	const found = (await collection.find({ _id } as Document, options).toArray()) as unknown as Buffer[];
	return new Map(found.map((raw) => [String(BSON.deserialize(raw, { promoteLongs: false })._id), raw]));
}

/** Replaces documents by their ids; returns when a majority has them. */
export async function replaceAll<T>(collection: Collection, all: readonly Outgoing<T>[]): Promise<void> {
	for (const batch of batches(all)) {
		const operations = batch.map(({ document }) => ({
			replaceOne: { filter: { _id: document._id }, replacement: document as Document, upsert: true },
		}));
		try {
			await collection.bulkWrite(operations as never[], { ordered: false });
		} catch (error) {
			if (!(error instanceof MongoBulkWriteError)) throw error;
			refuseUnacknowledged(error);
			throw error.code === undefined ? new NotAcknowledged(describe(error)) : error;
		}
	}
}
