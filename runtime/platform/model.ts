import { z } from "zod";

/** Written in file texts and process arguments for the member's own folder, so that state holds no machine paths. */
export const FOLDER = "{{folder}}";

/** Names end up in folder names, process names and logs: letters, digits, dot, dash, underscore; at most 63. */
export const nameSchema = z
	.string()
	.regex(
		/^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/,
		"use 1 to 63 letters, digits, dots, dashes or underscores, beginning with a letter or digit",
	);

export const addressSchema = z.strictObject({
	/** An IP address or host name that all members and clients of the set can reach. */
	host: z.string().min(1),
	port: z.number().int().min(1).max(65535),
});
export type Address = z.infer<typeof addressSchema>;

/** `host:port`, the form in which members are named everywhere. */
export const hostport = (address: Address): string =>
	address.host.includes(":") ? `[${address.host}]:${address.port}` : `${address.host}:${address.port}`;

export const processSchema = z.strictObject({
	/** Unique within the member: `mongod`, `etcd`, `patroni`. */
	name: nameSchema,
	/** A program of the process contract (runtime/platform/contract.ts): signal, waits and exit codes come from there. */
	program: z.enum(["mongod"]),
	/** Which build: a version the tool cache knows, or the absolute path of a binary. @default the one `doctor` shows */
	build: z.string().optional(),
	args: z.array(z.string().regex(/^[^\n]*$/, "an argument is one line")),
	/** The port that answers once the process is up. */
	port: z.number().int().min(1).max(65535),
});
export type ProcessSpec = z.infer<typeof processSchema>;

export const hostSchema = z.strictObject({
	stack: nameSchema,
	/** Always "running"; a refresh reports "stopped" when supervisord is gone. */
	run: z.string(),
	/** Go on with the members that a stack whose state was lost left here. */
	adopt: z.boolean(),
});
export type HostInputs = z.infer<typeof hostSchema>;
export interface HostOutputs {
	/** Id of the stack's host record: members name it in their owner records. */
	hostId: string;
}

export const memberSchema = z.strictObject({
	stack: nameSchema,
	/** Id of the stack's host record (output of `platform/Host`): the proof that a folder is ours. */
	hostId: z.string(),
	cluster: nameSchema,
	/** `<cluster>-<slot>`. */
	name: nameSchema,
	slot: z.number().int().min(0),
	address: addressSchema,
	/** Folder that holds the member's folder. @default `<home>/<stack>/members` */
	dataRoot: z.string().optional(),
	processes: z.array(processSchema).min(1),
	/** Configuration, path below `conf/` in the member's folder -> text (0600). A change is staged: the rollout planner restarts. */
	files: z.record(z.string(), z.string()),
	/** Secrets the member is born with, likewise below `conf/`, written only while absent; afterwards the rollout planner owns them. */
	birthFiles: z.record(z.string(), z.string()),
	/** Always "running"; a refresh reports what is there, so that a stopped member shows as drift. */
	run: z.string(),
	/** Take over a folder that another stack, or a stack whose state was lost, left here. */
	adopt: z.boolean(),
});
export type MemberInputs = z.infer<typeof memberSchema>;
export interface MemberOutputs {
	/** Hash of the staged configuration and process list. */
	staged: string;
}

/** Names the machinery that starts and stops the members of a stack; plain, stable, resolved when a verb runs. */
export const hostReferenceSchema = z.discriminatedUnion("kind", [
	z.strictObject({ kind: z.literal("local"), stack: nameSchema }),
	z.strictObject({ kind: z.literal("existing") }),
]);
export type HostReference = z.infer<typeof hostReferenceSchema>;

/**
 * Names a cluster; what is needed to reach it (hosts, admin credentials) is resolved when a verb runs. So scaling
 * or rotating does not show every user as changed, and a delete never uses a stale password.
 */
export const accessSchema = z.strictObject({ stack: nameSchema, cluster: nameSchema });
export type Access = z.infer<typeof accessSchema>;
