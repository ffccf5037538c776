import * as pulumi from "@pulumi/pulumi";
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

const mongoSettings = z.strictObject({
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

const localSettings = z.strictObject({
	program: z.literal("local"),
	/** Refuse to delete clusters and the secrets they were born with. @default true */
	protect: z.boolean().default(true),
	mongo: mongoSettings,
});
const settings = z.discriminatedUnion("program", [localSettings]);

export type LocalSettings = z.output<typeof localSettings> & {
	stack: string;
	/** Secrets that the operator gives, by name: `adopt`, `keyfile`, `admin`, or a user's name (not one of these three). */
	secrets: Record<string, pulumi.Output<string>>;
};

/** The stack's configuration, checked. The only reader of `pulumi.Config`; throws for anything it does not know. */
export function readSettings(): LocalSettings {
	const config = new pulumi.Config("holdfast");
	const read = {
		program: config.get("program") ?? "local",
		protect: config.getBoolean("protect"),
		mongo: config.getObject("mongo") ?? {},
	};
	const result = settings.safeParse(read);
	if (!result.success)
		throw refused(result.error.issues.map(({ path, message }) => `holdfast:${path.join(".")}: ${message}`));
	const { mongo } = result.data;
	refuseUnknownRoles(mongo);
	return { ...result.data, stack: pulumi.getStack(), secrets: givenSecrets(config, Object.keys(mongo.users)) };
}

const refused = (problems: string[]) =>
	new pulumi.RunError(
		`HF_SETTING: ${problems.join("; ")}. Next: correct stacks/config/Pulumi.${pulumi.getStack()}.yaml`,
	);

/** A role that exists nowhere would be refused by the server half-way: say so before anything starts. */
function refuseUnknownRoles({ users, roles }: MongoSettings): void {
	const declared = Object.entries(roles).map(([role, { database }]) => ({ role, db: database }));
	const problems = [...Object.entries(users), ...Object.entries(roles)].flatMap(([name, { roles: granted }]) =>
		unknownRoles(granted, declared).map(
			({ role, db }) => `holdfast:mongo: ${name} has the unknown role ${role} on ${db}`,
		),
	);
	if (problems.length > 0) throw refused(problems);
}

/** The messages name secrets, never their values. */
function givenSecrets(config: pulumi.Config, users: string[]): Record<string, pulumi.Output<string>> {
	const { keyfile, admin } = replicaSetSchema.shape;
	const { password } = admin.shape;
	const own = { adopt: password, admin: password, keyfile };
	const shape = { ...Object.fromEntries(users.map((user) => [user, password])), ...own };
	const result = z
		.strictObject(shape)
		.partial()
		.safeParse(config.getObject("secrets") ?? {});
	if (!result.success)
		throw refused(
			result.error.issues.map(({ path, message }) => `holdfast:${["secrets", ...path].join(".")}: ${message}`),
		);
	const values = result.data as Record<string, string>;
	return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, pulumi.secret(value)]));
}
