import { z } from "zod";
import { accessSchema } from "../platform/model.ts";
import { GRANT_KINDS, PRIVILEGES, privilegesOf } from "./grantsPrivileges.ts";
import { byteLength, MAX_NAME_BYTES } from "./identifiers.ts";

const NUL = "\u0000";

/** Text that PostgreSQL takes: no NUL, no half of a surrogate pair. */
const textSchema = z
	.string()
	.refine((text) => !text.includes(NUL), "must not contain a NUL character")
	.refine((text) => text.isWellFormed(), "must be well-formed Unicode");

/** Any name of 1 to 63 bytes: a longer one would be cut, and so be another. */
export const objectNameSchema = textSchema
	.min(1, "must not be empty")
	.refine((name) => byteLength(name) <= MAX_NAME_BYTES, `a name has at most ${MAX_NAME_BYTES} bytes in UTF-8`);

const roleNameSchema = objectNameSchema.refine(
	(name) => !name.startsWith("pg_") && name !== "public" && name !== "none",
	'"public", "none" and names that begin with "pg_" are PostgreSQL\'s own',
);

const connectionLimitSchema = z.number().int().min(-1).max(2_147_483_647);

/** Name to value, both as in postgresql.conf. */
const settingsSchema = z
	.record(
		z.string().regex(/^[A-Za-z_][\w$]*(\.[A-Za-z_][\w$]*)*$/, "use a setting's name, e.g. work_mem or app.tenant"),
		textSchema,
	)
	.superRefine((settings, context) => {
		const names = Object.keys(settings).map((name) => name.toLowerCase());
		const twice = names.find((name, i) => names.indexOf(name) !== i);
		if (twice) context.addIssue({ code: "custom", message: `the setting ${twice} is given twice` });
	});

const membershipSchema = z.strictObject({
	role: objectNameSchema,
	/** Whether the member may grant the role to others. @default false */
	admin: z.boolean().optional(),
	/** Whether the member has the role's privileges without SET ROLE; PostgreSQL 16 and later. @default the member's `inherit` */
	inherit: z.boolean().optional(),
	/** Whether the member may SET ROLE to it; PostgreSQL 16 and later. @default true */
	set: z.boolean().optional(),
});
export type Membership = z.output<typeof membershipSchema>;

export const roleSchema = z
	.strictObject({
		access: accessSchema,
		role: roleNameSchema,
		login: z.boolean(),
		superuser: z.boolean(),
		createdb: z.boolean(),
		createrole: z.boolean(),
		inherit: z.boolean(),
		replication: z.boolean(),
		bypassrls: z.boolean(),
		/** Connections at a time; -1 is no limit. */
		connectionLimit: connectionLimitSchema,
		/** The password is refused from then on; without it, never. */
		validUntil: z.iso.datetime({ offset: true, error: "use a time such as 2030-01-31T00:00:00Z" }).optional(),
		/** All roles that it is a member of: others are revoked. */
		memberOf: z.array(membershipSchema).superRefine((memberOf, context) => {
			const names = memberOf.map(({ role }) => role);
			const twice = names.find((name, i) => names.indexOf(name) !== i);
			if (twice !== undefined) context.addIssue({ code: "custom", message: `role ${twice} is listed twice` });
		}),
		/** All settings of the role's sessions: others are reset. */
		settings: settingsSchema,
		/** Of a role that logs in. Any characters but NUL. */
		password: textSchema.min(1, "must not be empty").optional(),
		/** Shown in preview when the password rotates, unlike the password. */
		generation: z.number().int().min(1).optional(),
		/** Take over a role of this name that holdfast did not make. */
		adopt: z.boolean(),
	})
	.refine(({ login, password }) => login === (password !== undefined), {
		path: ["password"],
		message: "a role has a password if, and only if, it logs in",
	});
export type RoleInputs = z.output<typeof roleSchema>;
export interface RoleOutputs {
	/** Who made it, as the ledger on the server says: `<stack>/<cluster>/role/<role>`. */
	ledger: string;
}

const grantSchema = z
	.strictObject({
		/** Who gets the privileges; `public` is everybody. */
		role: objectNameSchema,
		on: z.enum(GRANT_KINDS),
		/** The schema, or the one that holds the objects. */
		schema: objectNameSchema.optional(),
		/** Only these tables, sequences or types of the schema, instead of all that are there. */
		objects: z.array(objectNameSchema).min(1).optional(),
		/** For objects that this role makes in future, instead of those that are there. */
		forRole: objectNameSchema.optional(),
		/** All that the role has on the objects: others are revoked. `ALL` is every one of the kind, none revokes all. */
		privileges: z.array(z.enum(PRIVILEGES)),
		/** Whether the role may grant them to others. @default false */
		grantable: z.boolean().optional(),
	})
	.superRefine((grant, context) => {
		for (const message of grantProblems(grant)) context.addIssue({ code: "custom", message });
	});
export type Grant = z.infer<typeof grantSchema>;

type GrantShape = Pick<Grant, "role" | "on" | "schema" | "objects" | "forRole" | "privileges" | "grantable">;

/** What PostgreSQL has no such grant for; empty when it has. */
function grantProblems({ role, on, schema, objects, forRole, privileges, grantable }: GrantShape): string[] {
	const alien = privileges.find((privilege) => privilege !== "ALL" && !privilegesOf(on).includes(privilege));
	const future = forRole !== undefined;
	return [
		...(alien ? [`${alien} is no privilege on ${on}; those are ${privilegesOf(on).join(", ")}, or ALL`] : []),
		...(on === "database" && (future || schema !== undefined) ? ["on database takes neither schema nor forRole"] : []),
		...(on === "schema" && future && schema !== undefined ? ["on schema with forRole takes no schema"] : []),
		...(on !== "database" && !future && schema === undefined ? [`on ${on} needs schema, or forRole`] : []),
		...(objects && (future || !["tables", "sequences", "types"].includes(on))
			? ["objects goes with tables, sequences and types, and without forRole"]
			: []),
		...(role === "public" && grantable ? ["public cannot grant to others"] : []),
	];
}

export const databaseSchema = z.strictObject({
	access: accessSchema,
	database: objectNameSchema.refine(
		(name) => name !== "template0" && name !== "template1",
		"template0 and template1 are PostgreSQL's own",
	),
	/** Role that owns the database; left alone when absent. */
	owner: objectNameSchema.optional(),
	/** Connections at a time; -1 is no limit. */
	connectionLimit: connectionLimitSchema,
	/** While false nobody connects, and nothing inside is looked at or changed. */
	allowConnections: z.boolean(),
	/** All settings of the database's sessions: others are reset. */
	settings: settingsSchema,
	/** By name. One that holdfast made and that is no longer listed is dropped. */
	extensions: z.record(
		objectNameSchema,
		z.strictObject({
			/** Schema of its objects. @default the extension's own choice, else public */
			schema: objectNameSchema.optional(),
			/** Installed, or updated to. @default the server's choice when installed, then left alone */
			version: objectNameSchema.optional(),
		}),
	),
	/** By name. One that holdfast made and that is no longer listed is dropped if it is empty. */
	schemas: z.record(
		objectNameSchema,
		z.strictObject({
			/** @default the database's owner when made, then left alone */
			owner: objectNameSchema.optional(),
		}),
	),
	/** Exact for the roles and objects that they name; what others have is left alone. */
	grants: z.array(grantSchema),
	/** Take over a database of this name that holdfast did not make. */
	adopt: z.boolean(),
	/** Whether the data may go when the database is removed from the program. */
	dropOnDelete: z.boolean(),
});
export type DatabaseInputs = z.output<typeof databaseSchema>;
export interface DatabaseOutputs {
	/** Who made it, as the ledger on the server says: `<stack>/<cluster>/database/<database>`. */
	ledger: string;
}
