import { z } from "zod";

const CENTURY = 3_155_760_000;
const YEAR_9999 = 253_402_300_799_999;

export const stampSchema = z
	.string()
	.regex(/^[0-9a-f]{32}$/, "must be 32 lower-case hexadecimal characters, as an earlier answer gave it")
	.describe("Of the write that this one repeats: milliseconds since 1970 (12), counter (4), node id (16)");
export const consistencySchema = z
	.enum(["one", "quorum", "all"])
	.describe("How many nodes must answer: one, a majority of the registered, or all of them");

const ttlSeconds = z.number().positive().max(CENTURY).describe("Seconds until it reads as deleted");
const expiresAt = z.int().min(1).max(YEAR_9999).describe("Milliseconds since 1970 from which it reads as deleted");
const timestamp = z.number().describe("Milliseconds since 1970, from the stamp");

/** In a query everything is text; an empty one reads as 0, which neither takes. */
export const putQuery = z.strictObject({
	ttlSeconds: z.coerce.number().positive().max(CENTURY).optional().describe("Seconds until it reads as deleted"),
	expiresAt: z.coerce.number().int().min(1).max(YEAR_9999).optional().describe("Milliseconds since 1970, instead"),
});
export const getQuery = z.strictObject({ consistency: consistencySchema.default("quorum") });
export const noQuery = z.strictObject({});

const written = {
	key: z.string().describe("1 to 512 bytes of UTF-8"),
	value: z.unknown().optional().describe("Any JSON value; a string is stored as text"),
	valueBase64: z.base64().optional().describe("Bytes, instead of value"),
	ttlSeconds: ttlSeconds.optional(),
	expiresAt: expiresAt.optional(),
	stamp: stampSchema.optional(),
};

export const writeBody = z.strictObject(written);
export const batchBody = z.strictObject({
	writes: z
		.array(z.strictObject({ ...written, delete: z.literal(true).optional().describe("Delete it, instead of a value") }))
		.min(1)
		.max(1000),
});
export const readBody = z.strictObject({
	keys: z.array(z.string()).min(1).max(1000),
	consistency: consistencySchema.default("quorum"),
});
export const admitBody = z.strictObject({
	action: z
		.enum(["merge", "wipe"])
		.describe("merge: what only it holds goes to the others first; wipe: what only it holds is dropped"),
});

const nodeResult = z.object({
	nodeIp: z.string(),
	node: z.string().describe("ip:port"),
	success: z.boolean(),
	outcome: z.enum(["ok", "failed", "unknown"]).describe("unknown: sent and not answered in time; it may have landed"),
	code: z.string().optional().describe("Why not ok"),
});
const refused = {
	error: z.string().describe("What failed and what to do next"),
	code: z.string().describe("Never changes its meaning"),
};

export const errorAnswer = z.object({
	...refused,
	requestId: z.string().optional().describe("To be found in the manager's log"),
	stamp: stampSchema.optional().describe("Of the deletion or expiry"),
	timestamp: timestamp.optional(),
});
export const writeAnswer = z.object({
	success: z.boolean().describe("Whether a majority of the registered nodes has it, or something newer"),
	writtenTo: z.int(),
	totalNodes: z.int(),
	results: z.array(nodeResult),
	stamp: stampSchema,
	timestamp,
	expiresAt: expiresAt.optional(),
	superseded: z.boolean().optional().describe("A newer record stands there"),
});
export const unwrittenAnswer = writeAnswer.extend(refused);
const value = {
	value: z.unknown().optional().describe("Text or JSON as it was written"),
	valueBase64: z.base64().optional().describe("Bytes, instead of value"),
	timestamp,
	stamp: stampSchema,
	expiresAt: expiresAt.optional(),
};
export const valueAnswer = z.object(value);
export const batchAnswer = z.object({
	success: z.boolean().describe("Whether every write has its majority"),
	results: z.array(
		writeAnswer.extend({ key: z.string(), error: refused.error.optional(), code: refused.code.optional() }),
	),
});
export const readAnswer = z.object({
	results: z.array(
		z
			.object({ ...value, key: z.string(), error: refused.error, code: refused.code })
			.partial()
			.required({ key: true }),
	),
});

export const nodesAnswer = z.object({
	nodes: z.array(
		z.object({
			node: z.string(),
			nodeIp: z.string(),
			state: z.enum(["joining", "ready", "healing", "restarted", "held", "leaving", "unreachable"]),
			reads: z.boolean().describe("Its answers count"),
			writes: z.boolean().describe("It takes writes"),
			reason: z.string().optional(),
			version: z.string().optional(),
			durability: z.string().optional().describe("appendfsync of its append-only file, or off"),
			memory: z.object({ used: z.number(), limit: z.number() }).optional().describe("Bytes; limit 0: none"),
			equalAt: z.number().optional().describe("Milliseconds since 1970 when it was last equal to the others"),
			skewMs: z.number().optional().describe("Milliseconds by which its clock is ahead of the manager's"),
		}),
	),
});
export const healthAnswer = z.object({
	status: z.enum(["ok", "degraded", "down"]),
	registered: z.int().optional(),
	readable: z.int().optional(),
	writable: z.int().optional(),
	needed: z.int().optional().describe("Majority of the registered"),
	reasons: z.array(z.string()).optional(),
	discovery: z.object({ answer: z.string(), believedAt: z.number().optional() }).optional(),
	durability: z.string().optional().describe("What an acknowledged write survives"),
});
export const readyAnswer = z.object({ ready: z.literal(true) });
export const divergenceAnswer = z.object({
	at: z.number().describe("Milliseconds since 1970 when the comparison began"),
	buckets: z.int(),
	nodes: z.array(
		z.object({
			node: z.string(),
			digest: z.string(),
			records: z.int(),
			differing: z.int().describe("Buckets that differ from the first node's"),
		}),
	),
	equal: z.boolean(),
});
export const syncAnswer = z.object({
	at: z.number(),
	seconds: z.number(),
	nodes: z.array(z.string()),
	equal: z.array(z.string()),
	carried: z.int().describe("Records carried to nodes that lacked them"),
});
export const admitAnswer = z.object({ node: z.string(), action: z.enum(["merge", "wipe"]), accepted: z.literal(true) });
export const textAnswer = z.string();
export const anyAnswer = z.looseObject({});
