import { z } from "zod";
import { nameSchema } from "../platform/model.ts";

/** Slots 0 to 8, so that no member's name (`redis0-1`) begins another one's (`redis0-10`). */
export const MAX_NODES = 9;
export const MAX_MANAGERS = 9;

/** A manager is called `<name>-manager-<slot>`, and a member's name has at most 63 characters. */
const clusterNameSchema = nameSchema.max(52, "a name has at most 52 characters: its managers' names are longer");

/** What stands in a header, and in a list whose items commas part. */
export const apiKeySchema = z
	.string()
	.regex(/^[\x21-\x2b\x2d-\x7e]{16,200}$/, "use 16 to 200 printable ASCII characters without spaces and commas");

/** Password of a user of the nodes. */
export const nodePasswordSchema = z
	.string()
	.regex(/^[\x21-\x7e]{16,200}$/, "use 16 to 200 printable ASCII characters without spaces");

export const appendfsyncSchema = z.enum(
	["always", "everysec", "no"],
	"appendfsync is always, everysec or no: how much a node may lose when its machine fails",
);
export type Appendfsync = z.infer<typeof appendfsyncSchema>;

const portsSchema = z.strictObject({
	/** Redis of slot 0; slot N listens on base + N, for ever. @default 6379 */
	node: z.number().int().min(1).max(65_000).default(6379),
	/** HTTP of the first manager, likewise. @default 3000 */
	manager: z.number().int().min(1).max(65_000).default(3000),
});

/** What a program says about a Redis manager, secrets and addresses apart. */
export const redisArgumentsSchema = z.strictObject({
	/** Stem of the members' names: nodes `<name>-<slot>`, managers `<name>-manager-<slot>`. @default "redis0" */
	name: clusterNameSchema.default("redis0"),
	/** How many Redis nodes, each with a copy of everything: 1 to 9. A write counts when a majority has it. @default 3 */
	nodes: z
		.number()
		.int()
		.min(1, "nodes is at least 1")
		.max(MAX_NODES, `nodes is at most ${MAX_NODES}: every node has a copy of everything`)
		.default(3),
	/** How many managers, each a process with the whole REST API: 1 to 9. @default 1 */
	managers: z
		.number()
		.int()
		.min(1, "managers is at least 1")
		.max(MAX_MANAGERS, `managers is at most ${MAX_MANAGERS}`)
		.default(1),
	/** Version of Redis that the tool cache knows ("7.0"), or the absolute path of a `redis-server`. @default the one `doctor` shows */
	build: z.string().min(1, "must not be empty").optional(),
	/**
	 * When a node's append-only file reaches the disk: before it answers (`always`), every second, or when the kernel likes.
	 * With `everysec` what a majority acknowledged can be lost only when all nodes that have it lose power within a second;
	 * a killed process alone loses nothing. A change restarts, one node at a time. @default "everysec"
	 */
	appendfsync: appendfsyncSchema.default("everysec"),
	/** MB of data for one node; beyond, it refuses writes and keeps what it has. A change restarts, one node at a time. @default 256 */
	memoryMB: z.number().int().min(16, "memoryMB is at least 16").max(4_194_304).default(256),
	/** Bytes of the largest value. @default 1048576 */
	valueBytes: z.number().int().min(1).max(67_108_864, "valueBytes is at most 67108864").default(1_048_576),
	/** Seconds for which a delete is remembered; a node that was away longer is held out until somebody decides. @default 864000, 10 days */
	tombstoneGraceSeconds: z
		.number()
		.int()
		.min(3600, "tombstoneGraceSeconds is at least 3600: a node that is away longer is held out")
		.max(31_536_000)
		.default(864_000),
	/** What happens to a node that was away longer: held out until the operator decides, or merged and filled anew. @default "hold" */
	onStale: z.enum(["hold", "merge"], "onStale is hold or merge").default("hold"),
	/** Milliseconds by which a stamp may lie ahead of the manager's clock. @default 60000 */
	maxSkewMs: z.number().int().min(100).max(3_600_000).default(60_000),
	/** Milliseconds until a node that has not answered counts as unknown. @default 1000 */
	timeoutMs: z.number().int().min(50, "timeoutMs is at least 50").max(10_000).default(1000),
	/** Seconds between two comparisons of all nodes, at most half of tombstoneGraceSeconds. @default 3600 */
	roundSeconds: z.number().int().min(10, "roundSeconds is at least 10").max(604_800).default(3600),
	/** Requests a second that one API key may make of one manager; 0 is no limit. @default 0 */
	rateLimit: z
		.number()
		.int()
		.max(1_000_000)
		.refine(
			(count) => count === 0 || count >= 20,
			"rateLimit is 0 or at least 20: Holdfast itself asks with the same key",
		)
		.default(0),
	/** First ports of nodes and managers. */
	ports: portsSchema.prefault({}),
});
export type RedisArguments = z.input<typeof redisArgumentsSchema>;
export type RedisDeclared = z.output<typeof redisArgumentsSchema>;
