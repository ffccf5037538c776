import { z } from "zod";
import {
	datastoreMigrationSchema,
	idMapSchema,
	managedMigrationSchema,
	objectsMigrationSchema,
	refuse,
} from "../runtime/migrate/model.ts";
import { nameSchema } from "../runtime/platform/model.ts";

const { location, endpoint, format, sources, generation } = idMapSchema.shape;

const idMapSettings = z
	.strictObject({
		location,
		endpoint,
		/** @default "deterministic" */
		strategy: z.enum(["deterministic", "random", "sequential"]).default("deterministic"),
		/** @default "integer" for sequential ids, otherwise "uuid" */
		format: format.optional(),
		sources,
		generation,
	})
	.refine(({ strategy, format }) => format === undefined || (strategy === "sequential") === (format === "integer"), {
		path: ["format"],
		error: "the format integer is for sequential ids, and they have no other",
	});
export const idMapsSettings = z.record(nameSchema, idMapSettings);
export type IdMapsSettings = z.output<typeof idMapsSettings>;

const known = { name: true, idMap: true, mongo: true } as const;
const own = {
	/** Name of a map below `holdfast:idMaps`. */
	idMap: nameSchema,
	timeoutMinutes: managedMigrationSchema.def.options[0].shape.timeoutMinutes,
};
export const migrationsSettings = z.record(
	nameSchema,
	z
		.discriminatedUnion("kind", [
			datastoreMigrationSchema.omit(known).extend(own),
			objectsMigrationSchema.omit(known).extend(own),
		])
		.superRefine(refuse),
);
export type MigrationsSettings = z.output<typeof migrationsSettings>;

interface Declared {
	mongo?: object;
	idMaps: IdMapsSettings;
	migrations: MigrationsSettings;
}

/** A migration needs a map, and the stack's replica set. */
export function migrationProblems({ mongo, idMaps, migrations }: Declared): string[] {
	return Object.entries(migrations).flatMap(([name, { idMap }]) => [
		...(idMap in idMaps ? [] : [`holdfast:migrations.${name}.idMap: there is no ${idMap} below holdfast:idMaps`]),
		...(mongo ? [] : [`holdfast:migrations.${name}: its ledger needs a replica set: holdfast:mongo`]),
	]);
}

/** Secrets that the operator gives: keys of deterministic maps, by the map's name. */
export const idMapSecretsShape = (maps: readonly string[]): Record<string, z.ZodType<string>> =>
	Object.fromEntries(maps.map((map) => [map, z.string().min(16, "use at least 16 characters")]));
