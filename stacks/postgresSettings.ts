import { z } from "zod";
import {
	adoptSchema,
	databaseSchema,
	patroniArgumentsSchema,
	roleSchema,
	systemPasswordSchema,
} from "../runtime/postgres/model.ts";
import { identitySchema } from "../runtime/tls/model.ts";

const generation = z.number().int().min(1).default(1);
const role = roleSchema.shape;
const database = databaseSchema.shape;

const postgresRoleSettings = z.strictObject({
	/** @default true */
	login: role.login.default(true),
	/** @default false */
	createdb: role.createdb.default(false),
	/** @default false */
	createrole: role.createrole.default(false),
	/** @default true */
	inherit: role.inherit.default(true),
	/** @default false */
	replication: role.replication.default(false),
	/** @default false */
	bypassrls: role.bypassrls.default(false),
	/** Connections at a time. @default -1, no limit */
	connectionLimit: role.connectionLimit.default(-1),
	/** @default never */
	validUntil: role.validUntil,
	memberOf: role.memberOf.default([]),
	settings: role.settings.default({}),
	/** Database that its connection strings open. @default the cluster's `database` */
	database: database.database.optional(),
	/** Raise by one to rotate the password. @default 1 */
	generation,
	/** @default false */
	adopt: z.boolean().default(false),
});

const postgresDatabaseSettings = z.strictObject({
	/** @default the superuser */
	owner: database.owner,
	/** @default -1, no limit */
	connectionLimit: database.connectionLimit.default(-1),
	/** @default true */
	allowConnections: database.allowConnections.default(true),
	settings: database.settings.default({}),
	extensions: database.extensions.default({}),
	schemas: database.schemas.default({}),
	grants: database.grants.default([]),
	/** @default false */
	adopt: z.boolean().default(false),
	/** Let the data go when the database is removed from here. @default false */
	dropOnDelete: z.boolean().default(false),
});

export const postgresSettings = z.strictObject({
	...patroniArgumentsSchema.shape,
	/** Loopback address of slot 0; each further slot has the next one. @default "127.0.1.1" */
	address: z.ipv4().startsWith("127.", "use a loopback address").default("127.0.1.1"),
	/** Folder that holds the members' folders. @default `.holdfast/<stack>/members` */
	dataRoot: z.string().startsWith("/", "use an absolute path").optional(),
	/** Raise by one to rotate the superuser's password. @default 1 */
	superuserGeneration: generation,
	/** Raise by one to rotate the password with which standbys replicate. @default 1 */
	replicationGeneration: generation,
	/** Raise by one to rotate the password with which a former leader is rewound. @default 1 */
	rewindGeneration: generation,
	/** The cluster to take over, whose members lie here. */
	adopt: adoptSchema.optional(),
	roles: z.record(z.string().min(1), postgresRoleSettings).default({}),
	databases: z.record(z.string().min(1), postgresDatabaseSettings).default({}),
});
export type PostgresSettings = z.output<typeof postgresSettings>;

/** Secrets that the operator gives: `superuser`, `replication`, `rewind`, `tls` (the certificates' passphrase), or a role's name. */
export const postgresSecretsShape = (roles: readonly string[]): Record<string, z.ZodType<string>> => ({
	...Object.fromEntries(roles.map((name) => [name, z.string().min(1, "must not be empty")])),
	superuser: systemPasswordSchema,
	replication: systemPasswordSchema,
	rewind: systemPasswordSchema,
	tls: identitySchema.shape.passphrase,
});
