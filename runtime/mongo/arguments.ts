import { z } from "zod";
import { nameSchema } from "../platform/model.ts";
import { certificateArgumentsSchema } from "../tls/model.ts";

const NUL = "\u0000";

/** Text that MongoDB takes as a name: not empty, no NUL, no half of a surrogate pair. */
export const textSchema = z
	.string()
	.min(1, "must not be empty")
	.refine((text) => !text.includes(NUL), "must not contain a NUL character")
	.refine((text) => text.isWellFormed(), "must be well-formed Unicode");

/** A database name as every platform's MongoDB takes it. */
export const databaseSchema = textSchema
	.max(63, "a database name has at most 63 characters")
	.regex(/^[^/\\. "$*<>:|?]+$/, 'a database name has none of / \\ . " $ * < > : | ? and no space');

/** Major and minor version as featureCompatibilityVersion wants it. */
export const compatibilitySchema = z.string().regex(/^\d+\.\d+$/, 'use major and minor version, e.g. "7.0"');

export const writeConcernSchema = z.strictObject({
	/** How many members must have a write before it is acknowledged: a number, `majority`, or a custom concern. @default "majority" */
	w: z.union([z.number().int().min(1).max(50), textSchema]).default("majority"),
	/**
	 * Milliseconds after which a write that too few members have is reported as not acknowledged (it is not undone).
	 * 0 waits for ever. The default is below the connection strings' `socketTimeoutMS`, so that clients hear why. @default 20000
	 */
	wtimeout: z.number().int().min(0).max(2_147_483_647).default(20_000),
});
export type WriteConcern = z.output<typeof writeConcernSchema>;

export const slotSchema = z.strictObject({
	/** How willingly it becomes primary, 0 (never) to 1000. @default 1; 0 for hidden and non-voting members */
	priority: z.number().min(0).max(1000).optional(),
	/** Not shown to clients and never primary: for backups and reports. @default false */
	hidden: z.boolean().optional(),
	/** Whether it votes in elections and counts for majorities: 1 or 0. @default 1; 0 for the last of an even number */
	votes: z.union([z.literal(0), z.literal(1)]).optional(),
});
export type SlotOverride = z.output<typeof slotSchema>;

export const electionTimeoutSchema = z.number().int().min(500).max(600_000);

export const mongodSchema = z.strictObject({
	/** GB of memory for WiredTiger's cache of one member; the process needs some more. @default 0.25 */
	cacheSizeGB: z.number().min(0.25).max(10_000).default(0.25),
	/** MB of operations kept for members that were away; MongoDB has no smaller oplog than 990. Changed without a restart. @default 990 */
	oplogSizeMB: z.number().int().min(990).max(1_000_000_000).default(990),
	/** Milliseconds in which a stopping member lets its clients go before it closes. @default the server's own, 15000 */
	shutdownTimeoutMillis: z.number().int().min(0).max(110_000).optional(),
	/** Version of mongod that the tool cache knows, or the absolute path of a binary. @default the one `doctor` shows */
	build: textSchema.optional(),
});
export type MongodSettings = z.output<typeof mongodSchema>;

export const adminSchema = z.strictObject({
	/** Any name; created in `admin` with the role `root`. @default "admin" */
	user: textSchema.default("admin"),
	password: textSchema,
});

export const adoptSchema = z.strictObject({
	/** Id of exactly the set that may be taken over: `rs.conf().settings.replicaSetId`. */
	replicaSetId: z.string().regex(/^[0-9a-f]{24}$/, "use the 24 hexadecimal digits of rs.conf().settings.replicaSetId"),
	/** An administrator that the running set knows. */
	admin: z.strictObject({ user: textSchema, password: textSchema }),
	/** Key of the running members' key file, where it is not to be the new one from the start. */
	keyfile: z.string().optional(),
});

/**
 * How connections are made. `allow`: members accept TLS and call each other without. `prefer`: they accept both and call
 * each other with TLS. `require`: they accept nothing else. No TLS at all is said by leaving `tls` out.
 */
export const tlsModeSchema = z.enum(["allow", "prefer", "require"]);
export type TlsMode = z.output<typeof tlsModeSchema>;

/** What a program says about a replica set, secrets and addresses apart. */
export const replicaSetArgumentsSchema = z.strictObject({
	/** Name of the replica set, as clients write it in `replicaSet=`. @default "rs0" */
	name: nameSchema.default("rs0"),
	/** How many members, the arbiter included: 1 to 50. An even number of voters makes the last one non-voting. @default 3 */
	members: z.number().int().min(1, "a set has at least 1 member").max(50, "a set has at most 50 members").default(3),
	/**
	 * Milliseconds without a primary before the others elect a new one. 2000 notices a crash in about 3 s; on busy or
	 * distant machines it elects needlessly. @default 10000
	 */
	electionTimeoutMillis: electionTimeoutSchema.default(10_000),
	...mongodSchema.shape,
	/** What differs for single members, by slot (0 is the first). More than 7 members need `votes: 0` for the surplus. @default {} */
	overrides: z.record(z.string().regex(/^(0|[1-9]\d?)$/, "use slot numbers"), slotSchema).default({}),
	/** Slot of the one member that votes but holds no data, or `last`. It weakens `w: majority`: prefer a third data member. @default none */
	arbiter: z
		.union([z.literal("last"), z.number().int().min(0).max(49)], 'at most one arbiter: a slot number, or "last"')
		.optional(),
	/** Write concern of clients that ask for none. An adopted set keeps its own unless this is given. @default majority, 20000 ms */
	defaultWriteConcern: writeConcernSchema.optional(),
	/** Raised or lowered only when given here, one major version at a time, once every member runs it. @default unchanged */
	featureCompatibilityVersion: compatibilitySchema.optional(),
	/** Name of the administrator; any characters. @default "admin" */
	adminUser: textSchema.default("admin"),
	/** Certificates, and how they are used. A running set goes from none to `require`, and back, one mode at a time. @default none */
	tls: z.strictObject({ mode: tlsModeSchema, ...certificateArgumentsSchema.shape }).optional(),
});
export type ReplicaSetArguments = z.input<typeof replicaSetArgumentsSchema>;
export type ReplicaSetSettings = z.output<typeof replicaSetArgumentsSchema>;
