import { z } from "zod";
import { nameSchema } from "../platform/model.ts";
import { certificateArgumentsSchema } from "../tls/model.ts";
import { parametersSchema } from "./parameters.ts";
import { smallest, type Timing } from "./profile.ts";

/** Slots 0 to 9, so that no member's name (`pg-1`) begins another one's (`pg-10`). */
export const MAX_MEMBERS = 10;

/** PostgreSQL cuts names beyond 63 bytes, and a member's name (`<name>-<slot>`) is how the leader knows its standbys. */
const scopeSchema = nameSchema.max(60, "a cluster's name has at most 60 characters: its members' names are longer");

const seconds = (name: keyof Timing, most: number) =>
	z.number().int().min(smallest[name], `${name} is at least ${smallest[name]} s`).max(most).optional();

/** One line of text, as configuration files need it. */
const lineSchema = z
	.string()
	.min(1, "must not be empty")
	.regex(/^[^\0\r\n]+$/, "must be one line")
	.refine((text) => text.isWellFormed(), "must be well-formed Unicode");

/** UTF-8 length; TextEncoder is in every runtime. */
const bytes = (text: string): number => new TextEncoder().encode(text).length;

/** Name of a role that Patroni itself uses: it stands in pg_hba.conf, where a leading slash begins a pattern. */
export const systemRoleSchema = lineSchema
	.refine((name) => bytes(name) <= 63, "a role's name has at most 63 bytes")
	.refine((name) => !name.startsWith("pg_"), "names that begin with pg_ are PostgreSQL's own")
	.refine((name) => !name.startsWith("/"), "must not begin with a slash");

/** The superuser owns the extensions that initdb makes, and PostgreSQL refuses an owner whose name has these characters. */
const superuserSchema = systemRoleSchema.refine(
	(name) => !/["'$\\]/.test(name),
	"must not contain quotes, dollar signs or backslashes",
);

/**
 * Password of a role that Patroni itself uses. Any characters but line breaks: standbys take it from a pgpass file and
 * initdb from a file's first line, and neither has a way to write one. Roles made by `PostgresRole` have no such limit.
 */
export const systemPasswordSchema = z
	.string()
	.min(1, "must not be empty")
	.max(1000, "has at most 1000 characters")
	.regex(/^[^\0\r\n]*$/, "must not contain line breaks: a pgpass file, which standbys need, cannot hold one")
	.refine((text) => text.isWellFormed(), "must be well-formed Unicode");

/** Password of the REST API. Patroni sends its own as Latin-1 and compares UTF-8, so only ASCII works. */
export const restPasswordSchema = z
	.string()
	.regex(/^[\x21-\x7e]{1,200}$/, "use 1 to 200 printable ASCII characters without spaces");

const portSchema = (base: number) => z.number().int().min(1).max(65_000).default(base);

const portsSchema = z.strictObject({
	/** PostgreSQL of slot 0; slot N listens on base + N, for ever. @default 5432 */
	postgres: portSchema(5432),
	/** Patroni's REST API, likewise. @default 8008 */
	patroni: portSchema(8008),
	/** etcd for clients; slot N listens on base + 2 N. @default 2379 */
	etcdClient: portSchema(2379),
	/** etcd among its members; slot N listens on base + 2 N. @default 2380 */
	etcdPeer: portSchema(2380),
});

/** Exactly which running cluster may be taken over. */
export const adoptSchema = z.strictObject({
	/** `pg_controldata`'s and Patroni's database system identifier. */
	systemIdentifier: z.string().regex(/^[1-9]\d{0,19}$/, "use the digits of the database system identifier"),
});

/** What a program says about a Patroni cluster, secrets and addresses apart. `patroniSettings` adds what follows from it. */
export const patroniArgumentsSchema = z.strictObject({
	/** Patroni's scope: the cluster's name in etcd and in PostgreSQL's `cluster_name`. @default "pg0" */
	name: scopeSchema.default("pg0"),
	/** How many members, each a PostgreSQL with its Patroni: 1 to 10. @default 3 */
	members: z
		.number()
		.int()
		.min(1, "members is at least 1")
		.max(MAX_MEMBERS, `members is at most ${MAX_MEMBERS}`)
		.default(3),
	/** Major version of PostgreSQL: 15 to 18. It never changes in place. @default 18 */
	version: z.union([z.literal(15), z.literal(16), z.literal(17), z.literal(18)], "version is 15 to 18").default(18),
	/** Version of PostgreSQL that the tool cache knows ("18.4"), or the absolute path of a `postgres`. @default the newest of `version` */
	build: lineSchema.optional(),
	/** How many of the first members carry etcd's data: 1, 3 or 5. @default the largest odd number not above min(members, 3) */
	voters: z
		.union(
			[z.literal(1), z.literal(3), z.literal(5)],
			"voters is 1, 3 or 5: an even number of etcd voters survives no more failures than one less",
		)
		.optional(),
	/** How patient the cluster is: lan (ttl 30, loopWait 10, retryTimeout 9), wan (45, 10, 15), fast (20, 5, 6). @default "lan" */
	profile: z.enum(["lan", "wan", "fast"], "profile is lan, wan or fast").default("lan"),
	/** Seconds without a sign of the leader until another takes over. @default the profile's */
	ttl: seconds("ttl", 3600),
	/** Seconds between two looks of Patroni. @default the profile's */
	loopWait: seconds("loopWait", 600),
	/** Seconds for which Patroni retries etcd and PostgreSQL. loopWait + 2 * retryTimeout + 2 must not exceed ttl. @default the profile's */
	retryTimeout: seconds("retryTimeout", 1800),
	/** What an acknowledged commit survives. @default quorum from 3 members on, sync with 2, async with 1 */
	durability: z.enum(["async", "sync", "quorum", "strict"], "durability is async, sync, quorum or strict").optional(),
	/** How many standbys must have a commit; no effect with `async`. @default 1 */
	synchronousNodeCount: z
		.number()
		.int()
		.min(1)
		.max(MAX_MEMBERS - 1)
		.default(1),
	/** MB of memory for one member; buffers and sort memory follow from it. A change restarts, one member at a time. @default 512 */
	memoryMB: z.number().int().min(128).max(4_194_304).default(512),
	/** Connections a member takes; Patroni refuses less than 25. A change restarts. @default 100 */
	maxConnections: z.number().int().min(25, "maxConnections is at least 25").max(10_000).default(100),
	/** Further parameters of PostgreSQL, by name, but those that Patroni owns. @default {} */
	parameters: parametersSchema.default({}),
	/** MB of WAL kept for a member that is away; beyond, it has to be cloned anew. Keep it under 30 % of the volume. @default 1024 */
	maxSlotWalKeepSizeMB: z.number().int().min(64).max(100_000_000).default(1024),
	/** Shell command that stores a finished WAL segment (`%p` its path, `%f` its name). Changed without a restart. @default "true", which keeps none */
	archiveCommand: lineSchema.default("true"),
	/** Seconds a crashed leader may take to start before another member takes over. @default 60 */
	primaryStartTimeout: z.number().int().min(0).max(86_400).default(60),
	/** Seconds a demoted leader may take to stop before it is killed; only with synchronous durability. @default 30 */
	primaryStopTimeout: z.number().int().min(0).max(86_400).default(30),
	/** Bytes that a member may lag and still take over. Plus what was written in the last `ttl`, this is what async can lose. @default 1048576 */
	maximumLagOnFailover: z.number().int().min(0).max(Number.MAX_SAFE_INTEGER).default(1_048_576),
	/** Go on writing when etcd has no quorum, as long as every member answers the leader. @default true */
	failsafe: z.boolean().default(true),
	/** Members on an older timeline may not take over. @default true */
	checkTimeline: z.boolean().default(true),
	/** Hardware or software watchdog: it reboots the whole machine when a leader's Patroni hangs. @default "off" */
	watchdog: z.enum(["off", "automatic", "required"]).default("off"),
	/** Let Patroni delete a member's data folder that cannot be rewound: commits that only it has are gone then. @default false */
	removeDataDirectoryOnRewindFailure: z.boolean().default(false),
	/** Likewise where timelines diverged and rewinding is not possible. @default false */
	removeDataDirectoryOnDivergedTimelines: z.boolean().default(false),
	/** First ports of the members. */
	ports: portsSchema.prefault({}),
	/** Name of the superuser (POSTGRES_USER). It cannot change later. @default "postgres" */
	superuser: superuserSchema.default("postgres"),
	/** Database that connection strings name (POSTGRES_DB). @default "postgres" */
	database: lineSchema
		.refine((name) => bytes(name) <= 63, "a database's name has at most 63 bytes")
		.default("postgres"),
	/** Role with which standbys replicate. It cannot change later. @default "replicator" */
	replicationUser: systemRoleSchema.default("replicator"),
	/** Role with which a former leader is rewound. It cannot change later. @default "rewind_user" */
	rewindUser: systemRoleSchema.default("rewind_user"),
	/** Encrypt and authenticate every connection with certificates derived from a passphrase. @default none */
	tls: certificateArgumentsSchema.optional(),
});
export type PatroniArguments = z.input<typeof patroniArgumentsSchema>;
