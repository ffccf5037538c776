import { setImmediate, setTimeout as sleep } from "node:timers/promises";
import { ClientClosedError, ClientOfflineError, createClient, ErrorReply, RESP_TYPES } from "@redis/client";
import { NodeFailure, refusal } from "./failure.ts";
import type { Script } from "./script.ts";

export interface Credentials {
	/** @default "default" */
	username?: string;
	password?: string;
}

export interface ConnectionOptions {
	/** `ip:port`, for messages. */
	name: string;
	host: string;
	port: number;
	/** Asked at every connect, so that a rotated password is taken up. @default none */
	credentials?: () => Credentials | Promise<Credentials>;
	/** Milliseconds until a connect is given up. */
	connectTimeoutMs: number;
	/** Milliseconds of silence after which a connection is given up; an idle one is pinged, so it is never silent. */
	silenceMs: number;
}

export type Argument = string | Buffer;

/** Longest pause between two attempts to connect, in milliseconds. */
const longestPauseMs = 2000;

/** A connection to one node that comes back by itself. Commands are never kept for later and never sent twice. */
export class Connection {
	readonly #name: string;
	readonly #client: ReturnType<typeof clientOf>;
	/** Set while the node refuses our credentials: then it is not unreachable. */
	#refused: NodeFailure | undefined;
	readonly #offline: NodeFailure;
	readonly #lost: NodeFailure;
	#connections = 0;

	constructor(options: ConnectionOptions) {
		this.#name = options.name;
		this.#offline = new NodeFailure(options.name, "UNREACHABLE", "failed", "is not connected");
		this.#lost = new NodeFailure(options.name, "UNREACHABLE", "unknown", "lost the connection before it answered");
		this.#client = clientOf(options);
		this.#client.on("error", (error: Error) => {
			this.#refused = error instanceof ErrorReply ? refusal(this.#name, error.message) : undefined;
		});
		this.#client.on("ready", () => {
			this.#connections++;
			this.#refused = undefined;
		});
		// It never gives up, and ends only by close: what failed was said by the events above.
		this.#client.connect().catch(() => {});
	}

	/** How often it has connected. */
	get connections(): number {
		return this.#connections;
	}

	/** The reply, bulk strings as buffers; see RedisNode for what it rejects with. */
	send(args: readonly Argument[]): Promise<unknown> {
		return this.#client.sendCommand(args).catch((error) => {
			throw this.#failure(error);
		});
	}

	/** Runs a script; a node that has lost it (restart, SCRIPT FLUSH) is given it again. */
	run(script: Script, keys: readonly Argument[], args: readonly Argument[]): Promise<unknown> {
		const rest = [String(keys.length), ...keys, ...args];
		return this.#client.sendCommand(["EVALSHA", script.sha, ...rest]).catch((error) => {
			if (error instanceof ErrorReply && error.message.startsWith("NOSCRIPT"))
				return this.send(["EVAL", script.lua, ...rest]);
			throw this.#failure(error);
		});
	}

	/** Resolves when connected, or after `ms`. */
	ready(ms: number): Promise<void> {
		if (this.#client.isReady || !this.#client.isOpen) return Promise.resolve();
		return new Promise((resolve) => {
			const done = () => {
				clearTimeout(timer);
				this.#client.off("ready", done);
				resolve();
			};
			const timer = setTimeout(done, ms);
			this.#client.once("ready", done);
		});
	}

	/** Waits at most `ms` for what is under way. */
	async close(ms: number): Promise<void> {
		if (!this.#client.isOpen) return;
		// The client's own promise stays open for ever where the connection breaks meanwhile: it says so by an error only.
		const broken = new AbortController();
		this.#client.once("error", () => broken.abort());
		await Promise.race([this.#client.close(), sleep(ms, undefined, broken).catch(() => {})]);
		broken.abort();
		// A ping that was under way sets the timer of the next one when it settles, also after the close.
		await setImmediate();
		this.#client.destroy();
	}

	#failure(error: unknown): NodeFailure {
		if (error instanceof ErrorReply) return refusal(this.#name, error.message);
		// The only two that say for certain that nothing was sent.
		if (error instanceof ClientOfflineError || error instanceof ClientClosedError)
			return this.#refused ?? this.#offline;
		return this.#lost;
	}
}

function clientOf({ host, port, credentials, connectTimeoutMs, silenceMs }: ConnectionOptions) {
	return createClient({
		// RESP 2: the replies that are used here are the same, and shorter.
		...{ RESP: 2, disableOfflineQueue: true, disableClientInfo: true, maintNotifications: "disabled" },
		...(credentials && {
			credentialsProvider: {
				type: "async-credentials-provider",
				credentials: async () => credentials(),
			},
		}),
		socket: {
			...{ host, port, connectTimeout: connectTimeoutMs, socketTimeout: silenceMs },
			reconnectStrategy: (retries) => Math.min(longestPauseMs, 50 * 2 ** retries) * (0.5 + Math.random() / 2),
		},
		pingInterval: Math.ceil(silenceMs / 3),
		// The client's own time-out covers only what it has not sent: deadlines are kept by the batches.
		commandOptions: { timeout: 0, typeMapping: { [RESP_TYPES.BLOB_STRING]: Buffer } },
	});
}
