import { openSource } from "../datastore/open.ts";
import { describe } from "../errors.ts";
import { kindsOf } from "./entitySplit.ts";
import { type DatastoreMigration, type ManagedMigration, managedMigrationSchema } from "./model.ts";
import { isOutOfReach, type Standing, standing } from "./standing.ts";

/**
 * What `up` would do for a migration, in words. Only looks; what cannot be looked at is said, not thrown. Empty for one
 * that is complete.
 */
export async function migrationHints(inputs: unknown): Promise<string[]> {
	const read = managedMigrationSchema.safeParse(inputs);
	// Refused by the preview itself, in its own words.
	if (!read.success) return [];
	const { name } = read.data;
	try {
		return [`migration ${name}: ${await told(read.data)}`];
	} catch (error) {
		return [`migration ${name}: what it would do cannot be looked at now (${describe(error)})`];
	}
}

async function told(declaration: ManagedMigration): Promise<string> {
	// Before the first up there is no replica set that could know anything.
	const recorded = await standing(declaration).catch((error) => {
		if (isOutOfReach(error)) return undefined;
		throw error;
	});
	if (recorded?.outputs.state === "complete") return "nothing, it is complete";
	if (recorded) return goingOn(recorded);
	if (declaration.kind === "datastore") return loading(declaration);
	const { source, target } = declaration;
	return `would copy the objects of gs://${source.bucket}/${source.prefix} to gs://${target.bucket}/${target.prefix}`;
}

function goingOn({ outputs: { read }, total }: Standing): string {
	if (total === undefined || total === 0) return `would go on, ${count(read)} read so far`;
	return `would go on, ${Math.floor((read / total) * 100)}% done (${count(read)} of ${count(total)})`;
}

async function loading(declaration: DatastoreMigration): Promise<string> {
	const source = await openSource(declaration.source);
	try {
		const found = await kindsOf(declaration, source);
		const kinds = new Set(found.map(({ kind }) => kind)).size;
		const entities = found.reduce((sum, { items }) => sum + items, 0);
		return `would load ${kinds} kinds, about ${count(entities)} entities, into database ${declaration.database}`;
	} finally {
		await source.close();
	}
}

const count = (items: number): string => items.toLocaleString("en-US");
