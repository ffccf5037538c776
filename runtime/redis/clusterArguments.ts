import { z } from "zod";
import { accessSchema, addressSchema, hostReferenceSchema, nameSchema } from "../platform/model.ts";
import { apiKeySchema, appendfsyncSchema, nodePasswordSchema } from "./arguments.ts";

const memberSchema = z.strictObject({
	/** Its name on the platform. */
	name: nameSchema,
	address: addressSchema,
});
export type RedisMemberInputs = z.output<typeof memberSchema>;

const membersSchema = z
	.array(memberSchema)
	.min(1)
	.refine((members) => new Set(members.map(({ name }) => name)).size === members.length, "two members have one name");

export const redisRetireSchema = z.strictObject({
	access: accessSchema,
	host: hostReferenceSchema,
	/** Those that stay or will be added; all others hand their records over before their processes stop. */
	nodes: membersSchema,
	/** Those that stay or will be added. */
	managers: membersSchema,
});
export type RedisRetireInputs = z.output<typeof redisRetireSchema>;
export interface RedisRetireOutputs {
	/** Names of the nodes that this run took out. */
	retired: string[];
}

export const redisClusterSchema = z.strictObject({
	access: accessSchema,
	/** Who starts and stops the members. */
	host: hostReferenceSchema,
	/** In slot order. */
	nodes: membersSchema,
	/** In slot order. */
	managers: membersSchema,
	/** When a node's append-only file reaches the disk. */
	appendfsync: appendfsyncSchema,
	/** Hash of what members are told, files and processes: a restart takes it up. */
	configuration: z.string(),
	/** Password of the managers' user on the nodes. */
	nodePassword: nodePasswordSchema,
	/** Password of the user on the nodes that makes them read their users. */
	adminPassword: nodePasswordSchema,
	/** What clients show to a manager; the former one is accepted as well. */
	apiKey: apiKeySchema,
});
export type RedisClusterInputs = z.output<typeof redisClusterSchema>;
export interface RedisClusterOutputs {
	/** Redis version of the nodes, e.g. "7.0.15"; the oldest where they differ. */
	serverVersion: string;
}
