import { z } from "zod";
import { accessSchema, nameSchema } from "../platform/model.ts";
import { bucketSchema, databaseName, datastoreSchema, wholeSecond } from "./places.ts";
import { objectRulesSchema, rulesSchema } from "./rules.ts";

export { type BucketPlace, bucketSchema, type DatastorePlace, datastoreSchema } from "./places.ts";
export { type KindRule, type ObjectRule, type Rules, rulesSchema } from "./rules.ts";

/** Where a map lies: a folder, or `gs://bucket/prefix`. */
const mapLocation = z.string().min(1);

/** Where the old keys of a map come from. */
const idSourceSchema = z.discriminatedUnion("kind", [
	z.strictObject({
		kind: z.literal("datastore"),
		...datastoreSchema.shape,
		/** Whole second that keys are read at. @default the last whole minute before the map is built */
		readTime: wholeSecond.optional(),
	}),
	z.strictObject({
		kind: z.literal("objects"),
		...bucketSchema.shape,
		/** Shapes of names with the ids in them, such as `datasets/{Dataset}/**`. */
		match: z.array(z.string().min(1)).min(1),
	}),
	z.strictObject({
		kind: z.literal("file"),
		/** One old key a line, as JSON: `{"kind": "Dataset", "name": "a"}` or `{"namespace": "", "path": [...]}`. */
		path: z.string().min(1),
		/** The lines are bare names of this kind instead. */
		of: z.string().min(1).optional(),
	}),
]);
export type IdSource = z.output<typeof idSourceSchema>;

export const idMapSchema = z
	.strictObject({
		/** For people, and part of what deterministic ids are derived from. */
		name: nameSchema,
		/** Folder or `gs://bucket/prefix` that the map lies in, and nothing else. */
		location: mapLocation,
		/** Base URL of a storage emulator, for a location in a bucket. @default the environment's STORAGE_EMULATOR_HOST */
		endpoint: z.url().optional(),
		/** How new ids are made. */
		ids: z.discriminatedUnion("kind", [
			/** HMAC-SHA-256 of the old key under `secret`: whoever has the secret can build the same map again. */
			z.strictObject({ kind: z.literal("deterministic"), secret: z.string().min(16, "use at least 16 characters") }),
			/** From the system's random source: the map is the only copy. */
			z.strictObject({ kind: z.literal("random") }),
			/** 1, 2, 3 … in key order: the map is the only copy once it has grown. */
			z.strictObject({ kind: z.literal("sequential") }),
		]),
		/** How new ids are written: 32 hex digits, a UUID, an ObjectId, or a 64-bit integer. */
		format: z.enum(["hex", "uuid", "objectId", "integer"]),
		/** Where the old keys come from. */
		sources: z.array(idSourceSchema).min(1),
		/** Raise by one to add a segment with what the sources have beyond the map. @default 1 */
		generation: z.number().int().min(1).default(1),
	})
	.refine(({ ids, format }) => (ids.kind === "sequential") === (format === "integer"), {
		path: ["format"],
		error: "the format integer is for sequential ids, and they have no other",
	});
export type IdMapInputs = z.output<typeof idMapSchema>;
export type IdSourceArguments = z.input<typeof idSourceSchema>;
export interface IdMapOutputs {
	/** SHA-256 of the last segment's manifest, which names the one before: stands for the whole map. */
	hash: string;
	/** Pairs in all segments. */
	count: number;
	/** Segments, one a generation. */
	segments: number;
}

/** A replica set: one that Holdfast runs, or any other by the name of an environment variable that holds its URI. */
export const mongoTargetSchema = z.union(
	[z.strictObject({ access: accessSchema }), z.strictObject({ uriVariable: z.string().regex(/^[A-Z][A-Z0-9_]*$/) })],
	"name a replica set by access: { stack, cluster }, or by uriVariable",
);
export type MongoTarget = z.output<typeof mongoTargetSchema>;

const common = {
	/** Of the migration in the ledger. */
	name: nameSchema,
	idMap: z.strictObject({
		/** Folder or `gs://bucket/prefix` of the map. */
		location: mapLocation,
		/** Base URL of a storage emulator, for a location in a bucket. @default the environment's STORAGE_EMULATOR_HOST */
		endpoint: z.url().optional(),
		/** The map it is to be run with; another is refused. @default the one that is there when the migration begins */
		hash: z
			.string()
			.regex(/^[0-9a-f]{64}$/, "use the 64 hex digits that idmap show prints")
			.optional(),
	}),
	/** Replica set that holds the ledger, and, for entities, the data. */
	mongo: mongoTargetSchema,
	/** Database of the ledger. @default "holdfast_migrations" */
	ledger: databaseName.default("holdfast_migrations"),
	/** Dead letters and conflicts at which a run ends: a number, or a share of all as `"1%"`. @default 1000 */
	maxErrors: z.union([z.number().int().min(0), z.string().regex(/^\d+(\.\d+)?%$/)]).default(1000),
	/** Partitions at work at once in one process. @default 4 */
	concurrency: z.number().int().min(1).max(64).default(4),
};

/** Entities of a Datastore become documents of a replica set. */
export const datastoreMigrationSchema = z.strictObject({
	kind: z.literal("datastore"),
	...common,
	source: datastoreSchema,
	/** Whole second that everything is read at. @default the last whole minute before the migration begins */
	readTime: wholeSecond.optional(),
	/** Database that the entities go to. */
	database: databaseName,
	rules: rulesSchema.prefault({}),
	/** Entities a page. @default 500 */
	pageSize: z.number().int().min(1).max(1000).default(500),
});
/** Objects of a bucket become objects of another, or of another prefix, under new names. */
export const objectsMigrationSchema = z.strictObject({
	kind: z.literal("objects"),
	...common,
	source: bucketSchema,
	target: bucketSchema,
	rules: objectRulesSchema,
	/** Objects that no rule fits: put them aside, copy them under their own names, or leave them out. @default "deadLetter" */
	unmatched: z.enum(["deadLetter", "copy", "skip"]).default("deadLetter"),
});
type Common = keyof typeof common;
/** What moves, as a program or a stack declares it: all but the ends that it knows by itself. */
export type DatastoreMove = Omit<z.input<typeof datastoreMigrationSchema>, Common>;
export type ObjectsMove = Omit<z.input<typeof objectsMigrationSchema>, Common>;
export type DatastoreMigration = z.output<typeof datastoreMigrationSchema>;
export type ObjectsMigration = z.output<typeof objectsMigrationSchema>;
export type Migration = DatastoreMigration | ObjectsMigration;
type Declared =
	| Omit<DatastoreMigration, "name" | "idMap" | "mongo">
	| Omit<ObjectsMigration, "name" | "idMap" | "mongo">;

/** Refuses what one property alone does not tell. */
export function refuse(declared: Declared, { addIssue }: Pick<z.RefinementCtx, "addIssue">): void {
	const no = (path: string[], message: string) => addIssue({ code: "custom", path, message });
	if (declared.kind === "objects") {
		const { source, target } = declared;
		const overlap = source.prefix.startsWith(target.prefix) || target.prefix.startsWith(source.prefix);
		if (source.bucket === target.bucket && source.endpoint === target.endpoint && overlap)
			no(["target"], "source and target must not lie in one another: give each a prefix of its own, or another bucket");
		return;
	}
	const { source, database, ledger, rules } = declared;
	if (database === ledger) no(["database"], "the ledger is kept in a database of its own");
	const read = source.kinds;
	if (read === "all") return;
	for (const kind of Object.keys(rules.kinds).filter((one) => !read.includes(one)))
		no(["rules", "kinds", kind], "there is a rule for a kind that source.kinds does not name");
}

export const migrationSchema = z
	.discriminatedUnion("kind", [datastoreMigrationSchema, objectsMigrationSchema])
	.superRefine(refuse);

const managed = {
	/** Minutes after which `up` stops in order, with progress kept; the next one goes on. @default 60 */
	timeoutMinutes: z.number().int().min(1).max(10_080).default(60),
	/** Always "complete"; a refresh reports what the ledger says, so that an unfinished one shows as drift. */
	run: z.string(),
};
/** A migration as a managed resource. */
export const managedMigrationSchema = z
	.discriminatedUnion("kind", [datastoreMigrationSchema.extend(managed), objectsMigrationSchema.extend(managed)])
	.superRefine(refuse);
export type ManagedMigration = z.output<typeof managedMigrationSchema>;
export interface MigrationOutputs {
	/** `loading` or `complete`. */
	state: string;
	/** Of the map it was begun with. */
	mapHash: string;
	/** Moment that everything was read at; absent for objects, and where the source cannot be pinned. */
	readTime?: string;
	/** Items of the source that were looked at. */
	read: number;
	/** Items that this migration wrote. */
	written: number;
	/** ISO 8601; absent until it is complete. */
	completedAt?: string;
}
