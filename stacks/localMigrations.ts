import type * as pulumi from "@pulumi/pulumi";
import { IdMap } from "../components/migration/idMap.ts";
import { Migration } from "../components/migration/migration.ts";
import type { MongoReplicaSet } from "../components/mongo/replicaSet.ts";
import { givenOr, type LocalContext } from "./localMongo.ts";
import type { IdMapsSettings, MigrationsSettings } from "./migrationSettings.ts";

type Maps = Record<string, IdMap>;

/** The id maps of a stack. */
export function localIdMaps(idMaps: IdMapsSettings, { protect, secrets }: Omit<LocalContext, "stack">): Maps {
	return Object.fromEntries(
		Object.entries(idMaps).map(([name, args]) => [
			name,
			new IdMap(name, { ...args, secret: givenOr(secrets, name, 1), protect }),
		]),
	);
}

/** What the stack says of its maps. */
export const mapsOf = (maps: Maps): Record<string, { hash: pulumi.Output<string>; count: pulumi.Output<number> }> =>
	Object.fromEntries(Object.entries(maps).map(([name, { hash, count }]) => [name, { hash, count }]));

/** The migrations into a stack's replica set, and what the stack says of them. */
export function localMigrations(migrations: MigrationsSettings, maps: Maps, mongo: MongoReplicaSet) {
	const made = Object.entries(migrations).map(([name, settings]) => {
		const { idMap, ledger, maxErrors, concurrency, timeoutMinutes, ...move } = settings;
		const limits = { ledger, maxErrors, concurrency, timeoutMinutes };
		const { state, written } = new Migration(name, { idMap: maps[idMap]!, mongo, move, ...limits });
		return [name, { state, written }] as const;
	});
	return Object.fromEntries(made);
}
