import { z } from "zod";
import { portSchema } from "../discovery/source.ts";

/** One setting: an environment variable and a name in the file of `--config`. */
export interface Setting {
	/** Takes what the environment or the file holds. */
	schema: z.ZodType;
	/** What it means, its unit, and what follows from its extremes. */
	meaning: string;
	/** As an operator would write it. @default none: the setting may be absent */
	default?: string | number;
	/** Its default, where that follows from other settings. */
	otherwise?: (known: { MAX_VALUE_BYTES: number; MAX_BATCH_BYTES: number; WRITE_TIMEOUT_MS: number }) => number;
	/** Its text is read from a file again whenever that changes, and shown nowhere. */
	secret?: true;
}

const whole = (min: number, max: number) => z.coerce.number("must be a number").int().min(min).max(max);
const text = z.coerce.string().min(1);
/** Nodes and proxies come as a list in one text. */
const listed = (item: z.ZodType<string, string>) =>
	text
		.transform((list) =>
			list
				.split(",")
				.map((one) => one.trim())
				.filter((one) => one !== ""),
		)
		.pipe(z.array(item).min(1));

const MEBIBYTE = 1024 * 1024;
const DAY = 86_400;

const nodes = {
	APP_NAME: { schema: text, meaning: "Name of the application whose nodes are discovered; elsewhere a name for logs" },
	REDIS_NODES: { schema: listed(z.string()), meaning: "The nodes, as `ip:port,ip:port`: nothing is discovered" },
	REDIS_NODES_FILE: { schema: text, meaning: "A file with the nodes as a JSON list, read again when it changes" },
	DISCOVERY_URL: {
		schema: z.url({ protocol: /^https?$/ }),
		meaning: "Where `GET /apps/location/{APP_NAME}` says which nodes there are",
		default: "https://api.runonflux.io",
	},
	DISCOVERY_SECONDS: { schema: whole(1, 3600), meaning: "Seconds between two looks at discovery", default: 30 },
	REDIS_PORT: {
		schema: z.coerce.number().pipe(portSchema),
		meaning:
			"Port of every node, instead of those that discovery says; needed where it says the ports of another component",
	},
	REDIS_USERNAME: { schema: text, meaning: "Redis user; without it the user `default`" },
	REDIS_PASSWORD: { schema: text, meaning: "Password of that user", secret: true },
} as const satisfies Record<string, Setting>;

const correctness = {
	WRITE_TIMEOUT_MS: {
		schema: whole(10, 60_000),
		meaning: "Milliseconds until a node that has not answered a write counts as `unknown`",
		default: 1000,
	},
	READ_TIMEOUT_MS: {
		schema: whole(10, 60_000),
		meaning: "Milliseconds until a node that has not answered a read is left out",
		default: 1000,
	},
	TOMBSTONE_GRACE_SECONDS: {
		schema: whole(60, 3650 * DAY),
		meaning: "Seconds for which a deletion is remembered; a node that was away longer is held",
		default: 10 * DAY,
	},
	REMOVAL_GRACE_SECONDS: {
		schema: whole(0, 30 * DAY),
		meaning:
			"Seconds that a node which left discovery, and is not reached, still counts; 600 unless given, 0 with a declared list",
	},
	ROUND_SECONDS: {
		schema: whole(10, 30 * DAY),
		meaning: "Seconds between two comparisons of all nodes",
		default: 3600,
	},
	MAX_SKEW_MS: {
		schema: whole(100, 3_600_000),
		meaning: "Milliseconds by which a stamp may lie ahead of the clock",
		default: 60_000,
	},
	LOSS_WAIT_SECONDS: {
		schema: whole(0, 3600),
		meaning:
			"Seconds for which nodes that are away, and may know more, are waited for before a majority goes on without them",
		default: 10,
	},
	ON_STALE: {
		schema: z.enum(["hold", "merge"]),
		meaning:
			"What happens to a node that was away longer than tombstones live: `hold` it until the operator decides, or `merge`",
		default: "hold",
	},
	MAX_VALUE_BYTES: { schema: whole(1, 64 * MEBIBYTE), meaning: "Bytes of the largest value", default: MEBIBYTE },
} as const satisfies Record<string, Setting>;

const service = {
	API_KEY: {
		schema: text,
		meaning: "Keys that clients show, separated by commas: several while one replaces another",
		secret: true,
	},
	HOST: { schema: text, meaning: "Address to listen on; `0.0.0.0` or `::` for all", default: "127.0.0.1" },
	PORT: { schema: whole(0, 65_535), meaning: "Port to listen on; 0 lets the system choose", default: 3000 },
	RATE_LIMIT_PER_SECOND: {
		schema: whole(0, 10_000_000),
		meaning: "Requests of one API key in a second; 0 is any number",
		default: 0,
	},
	AUTH_FAILURES_PER_MINUTE: {
		schema: whole(0, 1_000_000),
		meaning: "Wrong keys that one address may show in a minute before it is refused unheard; 0 is any number",
		default: 60,
	},
	TRUSTED_PROXIES: {
		schema: listed(z.union([z.ipv4(), z.ipv6(), z.cidrv4(), z.cidrv6()])),
		meaning: "Addresses of proxies whose `X-Forwarded-For` says who asks",
	},
	MAX_BATCH_BYTES: {
		schema: whole(1024, 256 * MEBIBYTE),
		meaning:
			"Bytes of the body of a batch write, and of the values in the answer to a batch read; 16777216 unless given, or `MAX_VALUE_BYTES` if that is more",
		otherwise: ({ MAX_VALUE_BYTES }) => Math.max(16 * MEBIBYTE, MAX_VALUE_BYTES),
	},
	MAX_PENDING_BYTES: {
		schema: whole(MEBIBYTE, 1024 * 1024 * MEBIBYTE),
		meaning:
			"Bytes of all bodies above 16 KiB that arrive at once, more are told to come back; 268435456 unless given, or 4 times `MAX_BATCH_BYTES` if that is more",
		otherwise: ({ MAX_BATCH_BYTES }) => Math.max(256 * MEBIBYTE, 4 * MAX_BATCH_BYTES),
	},
	MAX_CONNECTIONS: { schema: whole(1, 1_000_000), meaning: "Connections at once; more are closed", default: 20_000 },
	HEADERS_TIMEOUT_MS: {
		schema: whole(100, 600_000),
		meaning: "Milliseconds for the headers of a request",
		default: 10_000,
	},
	REQUEST_TIMEOUT_MS: {
		schema: whole(100, 600_000),
		meaning: "Milliseconds for the whole of a request",
		default: 30_000,
	},
	KEEP_ALIVE_MS: {
		schema: whole(0, 3_600_000),
		meaning: "Milliseconds that a connection may rest between two requests",
		default: 72_000,
	},
	STOP_DELAY_MS: {
		schema: whole(0, 600_000),
		meaning: "Milliseconds between `/ready` saying 503 and the last accepted connection, for a balancer to notice",
		default: 0,
	},
	DRAIN_SECONDS: {
		schema: whole(1, 600),
		meaning:
			"Seconds that requests under way may take to end when the manager is stopped; 10 unless given, or what a write may take if that is more",
		otherwise: ({ WRITE_TIMEOUT_MS }) => Math.max(10, Math.ceil(WRITE_TIMEOUT_MS / 1000) + 1),
	},
	ACCESS_LOG: {
		schema: z.enum(["errors", "all", "none"]),
		meaning: "Which requests are logged: those answered with 500 and above, `all` or `none`; never keys or values",
		default: "errors",
	},
	LOG_LEVEL: { schema: z.enum(["debug", "info", "warn", "error"]), meaning: "What is logged", default: "info" },
	LOG_FILE: { schema: text, meaning: "File for the log, JSON lines; without it standard output" },
} as const satisfies Record<string, Setting>;

/** Every setting, by its name in the environment. */
export const settings = { ...nodes, ...correctness, ...service };

export type SettingName = keyof typeof settings;

/** Settings as they apply; what is absent has no default. Secrets are not among them. */
export type Values = {
	[Name in Exclude<SettingName, "API_KEY" | "REDIS_PASSWORD">]: (typeof settings)[Name] extends
		| { default: unknown }
		| { otherwise: unknown }
		? z.output<(typeof settings)[Name]["schema"]>
		: z.output<(typeof settings)[Name]["schema"]> | undefined;
};
