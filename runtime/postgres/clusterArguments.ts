import { z } from "zod";
import { accessSchema, addressSchema, hostReferenceSchema, nameSchema } from "../platform/model.ts";
import { adoptSchema, restPasswordSchema, systemPasswordSchema, systemRoleSchema } from "./arguments.ts";
import { memberNameProblems } from "./topology.ts";

const roleLoginSchema = z.strictObject({ user: systemRoleSchema, password: systemPasswordSchema });

/** One member: where its servers answer, and whether it carries etcd's data. */
export const clusterMemberSchema = z.strictObject({
	/** Its name on the platform, in Patroni and in etcd. */
	name: nameSchema,
	postgres: addressSchema,
	/** Patroni's REST API. */
	patroni: addressSchema,
	/** Absent where it can never vote. */
	etcd: z.strictObject({ client: addressSchema, peer: addressSchema }).optional(),
	votes: z.boolean(),
});
export type DeclaredMember = z.output<typeof clusterMemberSchema>;

const membersSchema = z
	.array(clusterMemberSchema)
	.min(1)
	.superRefine((members, context) => {
		for (const message of memberNameProblems(members.map(({ name }) => name)))
			context.addIssue({ code: "custom", message });
		if (members.some(({ votes, etcd }) => votes && !etcd))
			context.addIssue({ code: "custom", message: "a member that votes needs etcd's addresses" });
		if (members.filter(({ votes }) => votes).length % 2 === 0)
			context.addIssue({ code: "custom", message: "the number of voters must be odd" });
	});

export const postgresRetireSchema = z.strictObject({
	access: accessSchema,
	host: hostReferenceSchema,
	/** Those that stay or will be added; all others hand over and leave etcd before their processes stop. */
	members: membersSchema,
	/** Major version of PostgreSQL, and the build of it where one is named. */
	version: z.number().int().min(15).max(18),
	build: z.string().min(1).optional(),
	/** Names of Patroni's own roles. */
	users: z.strictObject({ superuser: systemRoleSchema, replication: systemRoleSchema, rewind: systemRoleSchema }),
	/** Patroni's settings for durability: lowered before standbys go, so that no commit waits for one that left. */
	synchronous: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])),
	/** How many standbys must be synchronous among those that stay. */
	standbys: z.number().int().min(0),
	/** The running cluster that is to be taken over. */
	adopt: adoptSchema.optional(),
	/** Whether connections are encrypted. */
	tls: z.boolean(),
});
export type PostgresRetireInputs = z.output<typeof postgresRetireSchema>;
export interface PostgresRetireOutputs {
	/** Names of the members that this run took out of the cluster. */
	retired: string[];
}

export const postgresClusterSchema = z.strictObject({
	access: accessSchema,
	/** Who starts and stops the members. */
	host: hostReferenceSchema,
	/** Patroni's scope. */
	scope: nameSchema,
	/** In slot order; the first is where a new cluster begins. */
	members: membersSchema,
	/** Major version of PostgreSQL. */
	version: z.number().int().min(15).max(18),
	/** What Patroni's dynamic configuration (`/config`) shall say; what it does not mention is left alone. */
	dynamic: z.record(z.string(), z.json()),
	/** How many standbys must be synchronous before the cluster is as durable as declared. */
	standbys: z.number().int().min(0),
	/** Hash of what members are told, files and processes: a reload takes it up, or a restart. */
	configuration: z.string(),
	superuser: roleLoginSchema,
	replication: roleLoginSchema,
	rewind: roleLoginSchema,
	/** Of Patroni's REST API. */
	restapi: z.strictObject({ user: z.string(), password: restPasswordSchema }),
	/** Of etcd's users `root` and `patroni`. */
	etcd: z.strictObject({ root: z.string().min(1), patroni: z.string().min(1) }),
	/** CAs that all servers of the cluster are known by, as PEM; without it connections are not encrypted. */
	ca: z.string().optional(),
	adopt: adoptSchema.optional(),
});
export type PostgresClusterInputs = z.output<typeof postgresClusterSchema>;
export interface PostgresClusterOutputs {
	/** PostgreSQL's database system identifier: the proof that a running cluster is ours. */
	systemIdentifier: string;
	/** Server version of the leader, e.g. "18.4". */
	serverVersion: string;
}
