import { z } from "zod";

const hostportSchema = z.string().regex(/^[^\s/@]+:\d{1,5}$/, "use host:port");
export const wholeSecond = z.iso.datetime({ precision: 0, message: "use a whole second, as 2026-11-21T10:00:00Z" });
/** Of MongoDB. */
export const databaseName = z
	.string()
	.regex(/^[^/\\. "$*<>:|?\0]{1,63}$/, "use a database's name, at most 63 characters");
const bucketName = z.string().regex(/^[a-z0-9][a-z0-9._-]{1,220}[a-z0-9]$/, "use a bucket's name, without gs://");

/** A Datastore, or a Firestore in Datastore mode. */
export const datastoreSchema = z.strictObject({
	/** Google Cloud project that holds it. */
	project: z.string().min(1),
	/** Name of the database; "" is the default one. @default "" */
	database: z.string().default(""),
	/** `host:port` of an emulator, spoken to without credentials. @default the environment's DATASTORE_EMULATOR_HOST */
	emulator: hostportSchema.optional(),
	/** Namespaces to read; "" is the default one. @default "all" */
	namespaces: z.union([z.literal("all"), z.array(z.string()).min(1)]).default("all"),
	/** Kinds to read; "all" leaves out those that begin with two underscores. @default "all" */
	kinds: z.union([z.literal("all"), z.array(z.string().min(1)).min(1)]).default("all"),
	/** Hours for which the source serves old read times: 1, or up to 168 with point-in-time recovery. @default 1 */
	retentionHours: z.number().int().min(1).max(168).default(1),
});
export type DatastorePlace = z.output<typeof datastoreSchema>;

/** A bucket, or what lies below a prefix of it. */
export const bucketSchema = z.strictObject({
	/** Name of the bucket. */
	bucket: bucketName,
	/** What the names of its objects begin with; rules see what comes after it. @default "" */
	prefix: z.string().default(""),
	/** Base URL of an emulator, spoken to without credentials. @default the environment's STORAGE_EMULATOR_HOST */
	endpoint: z.url().optional(),
});
export type BucketPlace = z.output<typeof bucketSchema>;
