import type { AnyBulkWriteOperation, Binary, Collection } from "mongodb";
import type { Ledger } from "./ledger.ts";

/** An item that was put aside. Never tells values: they are in `raw` only. */
export interface DeadLetter {
	/** `key`: the encoded old key as base64, or an object's old name. */
	_id: { migration: string; key: string };
	partition: number;
	/** The key for people. */
	text: string;
	stage: "transform" | "write";
	/** Short and stable: `UNMAPPED_KEY`, `NAME_CLASH`, `MONGO_121` … */
	code: string;
	/** One sentence for people, with the path of the property where there is one. */
	reason: string;
	/** The record as the source gave it: proto bytes, or JSON. */
	raw?: Binary;
	/** How often it was tried, resumed pages included. */
	attempts: number;
	at: Date;
}

/** Something else stands in the target where an item was to go; it was left alone. */
export interface Conflict {
	_id: { migration: string; key: string };
	partition: number;
	text: string;
	/** `collection/newId`, or the new name. */
	target: string;
	/** Where they differ, without values; at most 10. */
	paths: string[];
	attempts: number;
	at: Date;
}

type New<T> = Omit<T, "_id" | "attempts" | "at"> & { key: string };
export type NewDeadLetter = New<DeadLetter>;
export type NewConflict = New<Conflict>;

/** At most so many a command: with raw records of 1 MiB it stays below what a server takes. */
const BATCH = 32;

async function record<T extends DeadLetter | Conflict>(
	to: Collection<T>,
	migration: string,
	found: readonly New<T>[],
): Promise<void> {
	for (let at = 0; at < found.length; at += BATCH) {
		const operations = found.slice(at, at + BATCH).map(({ key, ...rest }) => ({
			updateOne: {
				filter: { _id: { migration, key } },
				update: { $set: rest, $inc: { attempts: 1 }, $currentDate: { at: true } },
				upsert: true,
			},
		}));
		await to.bulkWrite(operations as unknown as AnyBulkWriteOperation<T>[], { ordered: false });
	}
}

/** Durable when it returns; one that is there already counts one attempt more. */
export const recordLetters = ({ deadLetters }: Ledger, migration: string, found: readonly NewDeadLetter[]) =>
	record(deadLetters, migration, found);

/** As `recordLetters`. */
export const recordConflicts = ({ conflicts }: Ledger, migration: string, found: readonly NewConflict[]) =>
	record(conflicts, migration, found);

/** What a migration has put aside, and what it met in the target. */
export async function leftOf(ledger: Ledger, migration: string): Promise<{ dead: number; conflicts: number }> {
	const ours = { "_id.migration": migration };
	const [dead, conflicts] = await Promise.all([
		ledger.deadLetters.countDocuments(ours),
		ledger.conflicts.countDocuments(ours),
	]);
	return { dead, conflicts };
}
