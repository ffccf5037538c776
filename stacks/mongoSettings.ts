import { z } from "zod";
import {
	replicaSetArgumentsSchema,
	replicaSetSchema,
	roleSchema,
	unknownRoles,
	uriOptionsSchema,
	userSchema,
} from "../runtime/mongo/model.ts";
import { addressSchema } from "../runtime/platform/model.ts";
import { identitySchema } from "../runtime/tls/model.ts";

const generation = z.number().int().min(1).default(1);
const grants = userSchema.shape.roles;

const mongoUserSettings = z.strictObject({
	/** Database that holds the user. @default "users" */
	database: userSchema.shape.database.default("users"),
	roles: grants,
	/** Raise by one to rotate the password. @default 1 */
	generation,
	/** @default false */
	adopt: z.boolean().default(false),
	connection: uriOptionsSchema.optional(),
});

const mongoRoleSettings = z.strictObject({
	/** Database that holds the role. @default "admin" */
	database: roleSchema.shape.database.default("admin"),
	privileges: roleSchema.shape.privileges.default([]),
	roles: grants.default([]),
	adopt: z.boolean().default(false),
});

export const mongoSettings = z.strictObject({
	...replicaSetArgumentsSchema.shape,
	// Without their defaults: an adopted set keeps its own unless they are given.
	electionTimeoutMillis: replicaSetArgumentsSchema.shape.electionTimeoutMillis.unwrap().optional(),
	oplogSizeMB: replicaSetArgumentsSchema.shape.oplogSizeMB.unwrap().optional(),
	/** Address the members bind to. @default "127.0.0.1" */
	address: addressSchema.shape.host.default("127.0.0.1"),
	/** Port of slot 0; slot N listens on base + N. @default 27017 */
	basePort: z.number().int().min(1).max(65_485).default(27_017),
	/** Folder that holds the members' folders. @default `.holdfast/<stack>/members` */
	dataRoot: z.string().startsWith("/", "use an absolute path").optional(),
	/** Members that somebody else runs: nothing is started here. */
	existing: z.array(addressSchema).min(1).optional(),
	/** Raise by one to rotate; rolls every member twice. @default 1 */
	keyfileGeneration: generation,
	/** Raise by one to rotate the administrator's password. @default 1 */
	adminGeneration: generation,
	/** The running set to take over; its password goes to `holdfast:secrets` as `adopt`, its key as `keyfile`. */
	adopt: z.strictObject({ replicaSetId: z.string(), adminUser: z.string().min(1) }).optional(),
	users: z.record(z.string().min(1), mongoUserSettings).default({}),
	roles: z.record(z.string().min(1), mongoRoleSettings).default({}),
});
export type MongoSettings = z.output<typeof mongoSettings>;

/** A role that exists nowhere would be refused by the server half-way: said before anything starts. */
export function unknownRoleProblems({ users, roles }: MongoSettings): string[] {
	const declared = Object.entries(roles).map(([role, { database }]) => ({ role, db: database }));
	return [...Object.entries(users), ...Object.entries(roles)].flatMap(([name, { roles: granted }]) =>
		unknownRoles(granted, declared).map(
			({ role, db }) => `holdfast:mongo: ${name} has the unknown role ${role} on ${db}`,
		),
	);
}

const { keyfile, admin } = replicaSetSchema.shape;
const { password } = admin.shape;

/** Secrets that the operator gives, by name: `adopt`, `keyfile`, `admin`, `tls`, or a user's name (none of these four). */
export const mongoSecretsShape = (users: readonly string[]): Record<string, z.ZodType<string>> => ({
	...Object.fromEntries(users.map((user) => [user, password])),
	adopt: password,
	admin: password,
	keyfile,
	tls: identitySchema.shape.passphrase,
});
