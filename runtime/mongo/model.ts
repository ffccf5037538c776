import { z } from "zod";
import { accessSchema, hostReferenceSchema, nameSchema } from "../platform/model.ts";
import {
	adminSchema,
	adoptSchema,
	compatibilitySchema,
	databaseSchema,
	electionTimeoutSchema,
	mongodSchema,
	textSchema,
	tlsModeSchema,
	writeConcernSchema,
} from "./arguments.ts";
import type { DesiredMember } from "./state.ts";
import { duplicates, membershipProblems } from "./topology.ts";

export {
	type ReplicaSetArguments,
	type ReplicaSetSettings,
	replicaSetArgumentsSchema,
	type SlotOverride,
	type TlsMode,
} from "./arguments.ts";
export { isBuiltin, type RoleGrant, unknownRoles } from "./builtinRoles.ts";
export { CONFIG_FILE, KEY_FILE, keyfileText, type MongodConf, mongodConf, TLS_FILES } from "./config.ts";
export { type Topology, type TopologySettings, topology } from "./topology.ts";
export { mongoUri, type UriOptions, type UriParts, uriOptionsSchema } from "./uri.ts";

/** `host:port` as the members know each other. */
const hostportSchema = z.string().regex(/^(\[[0-9A-Fa-f:.]+\]|[^\s:/@,[\]]+):\d{1,5}$/, "use host:port");

const tlsSchema = z.strictObject({
	mode: tlsModeSchema,
	/** The CA that signed the members' certificates. */
	generation: z.number().int().min(1),
	/** The CAs that members trust. */
	trusted: z.array(z.number().int().min(1)).min(1),
	/** All of them, PEM: what members are verified with. */
	ca: z.string().min(1),
});

export const retireSchema = z.strictObject({
	access: accessSchema,
	/** `host:port` of every member that stays or will be added; all others leave the set before their processes stop. */
	keep: z.array(hostportSchema).min(1),
	/** The build that members are going to run, checked against the data's compatibility version before it is staged. */
	build: textSchema.optional(),
	/** The running set that is to be taken over, looked at before anything starts. */
	adopt: adoptSchema.optional(),
	/** How the members are going to speak TLS: a mode that the running ones would not understand is refused before it is staged. */
	tls: tlsSchema.optional(),
});
export type RetireInputs = z.output<typeof retireSchema>;
export interface RetireOutputs {
	/** `host:port` of the members that this run took out of the set. */
	retired: string[];
}

const memberSchema = z.strictObject({
	host: hostportSchema,
	/** The member's name on the platform; empty where somebody else runs it. */
	member: z.union([nameSchema, z.literal("")]),
	/** These four are left alone when absent, as the slots of an adopted set are that the program says nothing of. */
	votes: z.union([z.literal(0), z.literal(1)]).optional(),
	priority: z.number().min(0).max(1000).optional(),
	hidden: z.boolean().optional(),
	arbiterOnly: z.boolean().optional(),
});

type MemberInputs = z.output<typeof memberSchema>;
const isComplete = (member: MemberInputs): member is MemberInputs & DesiredMember =>
	[member.votes, member.priority, member.hidden, member.arbiterOnly].every((value) => value !== undefined);

export const replicaSetSchema = z
	.strictObject({
		access: accessSchema,
		/** Who starts and stops the members. */
		host: hostReferenceSchema,
		/** Name of the replica set. */
		name: nameSchema,
		/** In slot order; the first is where a new set begins. */
		members: z
			.array(memberSchema)
			.min(1)
			.superRefine((members, context) => {
				const problems = members.every(isComplete) ? membershipProblems(members) : duplicates(members);
				for (const message of problems) context.addIssue({ code: "custom", message });
			}),
		/** Left alone when absent. */
		settings: z.strictObject({ electionTimeoutMillis: electionTimeoutSchema.optional() }),
		/** What the members run with; the runtime resizes oplogs by it, where it names a size, and reads nothing else from it. */
		mongod: mongodSchema.extend({ oplogSizeMB: mongodSchema.shape.oplogSizeMB.unwrap().optional() }),
		/** Left alone when absent. */
		defaultWriteConcern: writeConcernSchema.optional(),
		/** Left alone when absent. */
		featureCompatibilityVersion: compatibilitySchema.optional(),
		admin: adminSchema,
		/** Key that the members sign in to each other with. */
		keyfile: z.string().regex(/^[A-Za-z0-9+/=]{6,1024}$/, "use 6 to 1024 base64 characters"),
		adopt: adoptSchema.optional(),
		/** How members and clients speak TLS: not at all when absent. */
		tls: tlsSchema.optional(),
	})
	.refine(({ host, tls }) => host.kind !== "existing" || tls === undefined, {
		path: ["tls"],
		message: "members that somebody else runs keep their own certificates: leave tls out",
	});
export type ReplicaSetInputs = z.output<typeof replicaSetSchema>;
export interface ReplicaSetOutputs {
	/** The set's identity, given by the server when it was initiated: the proof that a running set is ours. */
	replicaSetId: string;
	/** Server version of the primary, e.g. "6.0.5". */
	version: string;
	/** Version whose data format is in force, e.g. "6.0". */
	compatibilityVersion: string;
}

const grantSchema = z.strictObject({ role: textSchema, db: databaseSchema });

const grantsSchema = z.array(grantSchema).superRefine((roles, context) => {
	const names = roles.map(({ role, db }) => `${role} on ${db}`);
	const twice = names.find((name, i) => names.indexOf(name) !== i);
	if (twice) context.addIssue({ code: "custom", message: `role ${twice} is listed twice` });
});

export const userSchema = z.strictObject({
	access: accessSchema,
	/** Database that holds the user: the connection string's `authSource`. */
	database: databaseSchema,
	user: textSchema,
	/** Any characters that SASLprep takes (RFC 4013): no control characters, none newer than Unicode 3.2. */
	password: textSchema,
	/** All roles of the user: others are revoked. */
	roles: grantsSchema,
	/** Shown in preview when the password rotates, unlike the password. */
	generation: z.number().int().min(1).optional(),
	/** Take over a user of this name that holdfast did not make. */
	adopt: z.boolean(),
});
export type UserInputs = z.output<typeof userSchema>;
export interface UserOutputs {
	/** What the ledger in the database says: `<stack>/<cluster>/<database>/<user>`. */
	owner: string;
}

const resourceSchema = z.union(
	[
		z.strictObject({ db: z.string(), collection: z.string() }),
		z.strictObject({ cluster: z.literal(true) }),
		z.strictObject({ anyResource: z.literal(true) }),
	],
	"a resource is { db, collection }, { cluster: true } or { anyResource: true }",
);

export const roleSchema = z.strictObject({
	access: accessSchema,
	/** Database that holds the role; outside `admin`, its privileges are for this database only. */
	database: databaseSchema,
	role: textSchema,
	/** All privileges of the role; `collection: ""` means every collection of `db`. */
	privileges: z.array(z.strictObject({ resource: resourceSchema, actions: z.array(textSchema).min(1) })),
	/** All roles that it inherits. */
	roles: grantsSchema,
	/** Take over a role of this name that holdfast did not make. */
	adopt: z.boolean(),
});
export type RoleInputs = z.output<typeof roleSchema>;
export interface RoleOutputs {
	/** `<stack>/<cluster>/<database>/<role>`. */
	owner: string;
}
