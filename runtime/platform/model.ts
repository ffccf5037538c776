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
	/** Unique within the member: `mongod`, `etcd`, `patroni`. Its own files lie in `conf/<name>/`; others below conf/ count for all. */
	name: nameSchema,
	/** A program of the process contract (runtime/platform/contract.ts): signal, waits and exit codes come from there. */
	program: z.enum(["mongod", "etcd", "guard", "patroni", "redis-server", "redis-manager"]),
	/** Which build: a version the tool cache knows, or the absolute path of a binary. @default the one `doctor` shows */
	build: z.string().optional(),
	args: z.array(z.string().regex(/^[^\n]*$/, "an argument is one line")),
	/** Programs that it looks for on its PATH, and which builds of them it finds there. */
	finds: z
		.strictObject({
			/** A version, e.g. "18", or the absolute path of a `postgres`; and whether it must be built with TLS. */
			postgres: z.strictObject({ build: z.string(), tls: z.boolean() }),
		})
		.optional(),
	/** The port that answers once the process is up; without one it is up when it runs. */
	port: z.number().int().min(1).max(65535).optional(),
	/** Further ports it listens on, on the member's address: free before it starts for the first time. */
	ports: z.array(z.number().int().min(1).max(65535)).optional(),
	/**
	 * It is not started with its member but by its cluster's membership (`Host.release`): once for good, or, where a path
	 * in the member's folder is named as `evidence`, anew whenever that is missing. A wiped etcd must not come back
	 * under its old id.
	 */
	held: z.strictObject({ evidence: z.string().optional() }).optional(),
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
	/**
	 * Configuration, path in the member's folder -> text (0600). Below `conf/` a change is staged: the rollout planner
	 * restarts. Below `live/` lies what a running process takes up when its domain asks it to reload.
	 */
	files: z.record(z.string(), z.string()),
	/** Secrets the member is born with, likewise, written only while absent; afterwards the rollout planner owns them. */
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
