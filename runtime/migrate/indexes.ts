import { type Db, MongoServerError } from "mongodb";
import { HoldfastError } from "../errors.ts";
import { ruleOf } from "./kindRule.ts";
import { escapeName, RESERVED_AT_ROOT } from "./names.ts";
import type { Rules } from "./rules.ts";

const CONFLICTS = new Set([
	85, // IndexOptionsConflict
	86, // IndexKeySpecsConflict
]);

export interface DeclaredIndex {
	collection: string;
	name: string;
	key: Record<string, 1 | -1 | "2dsphere">;
	unique: boolean;
}

/** The indexes that rules declare, by the names that fields have in the target. */
export function declaredIndexes(rules: Rules): DeclaredIndex[] {
	return Object.keys(rules.kinds).flatMap((kind) => {
		const { collection, renames, indexes, skip } = ruleOf(rules, kind);
		const field = (property: string) => renames.get(property) ?? escapeName(property, RESERVED_AT_ROOT);
		return (skip ? [] : indexes).map(({ keys, unique }) => {
			const key = Object.fromEntries(Object.entries(keys).map(([name, way]) => [field(name), way]));
			const name = Object.entries(key).flat().join("_");
			return { collection, name, key, unique };
		});
	});
}

/** Builds what is missing of the declared indexes. HF_FOREIGN when another one has the name or the fields of one. */
export async function buildIndexes(db: Db, rules: Rules): Promise<void> {
	for (const { collection, name, key, unique } of declaredIndexes(rules)) {
		try {
			await db.createIndex(collection, key, { name, unique });
		} catch (error) {
			throw refusal(error, `index ${name} of ${collection}`);
		}
	}
}

function refusal(error: unknown, what: string): unknown {
	if (!(error instanceof MongoServerError)) return error;
	if (CONFLICTS.has(Number(error.code)))
		return new HoldfastError("HF_FOREIGN", `${what} is there already, and is another`, {
			next: "drop the one that is there, or declare it as it is",
		});
	// Without the server's words: they quote documents.
	if (error.code === 11_000)
		return new HoldfastError("HF_REJECTED", `${what} cannot be unique: several documents have the same values`, {
			next: "begin another migration without unique, or correct the documents and run it again",
		});
	return error;
}
