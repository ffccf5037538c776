import { pino } from "pino";
import { nameOf } from "../../runtime/discovery/source.ts";
import { watch } from "../../runtime/discovery/watch.ts";
import { Manager } from "../../runtime/redis/manager.ts";
import { type ManagerSettings, type Settled, settle } from "../../runtime/redis/managerSettings.ts";
import { openNode } from "../../runtime/redis/node.ts";
import type { RedisNode } from "../../runtime/redis/port.ts";
import { type ServeOptions, serve } from "../../runtime/redis/serve.ts";
import type { Store } from "../../runtime/redis/store.ts";
import { API_KEY, RedisClient } from "./redisClient.ts";
import { until } from "./until.ts";

export type Links = ReadonlyMap<string, { host: string; port: number }>;
export type ManagerOptions = Partial<Omit<ManagerSettings, "discovery" | "now">>;

/** A manager inside this process, with a wall clock that a test can set wrong. */
export class RedisManager {
	readonly client: RedisClient;
	readonly store: Store;
	/** What it logged, as JSON lines. */
	readonly lines: string[];
	readonly #clock: { skewMs: number };
	readonly #stop: () => Promise<void>;

	private constructor(
		client: RedisClient,
		store: Store,
		lines: string[],
		clock: { skewMs: number },
		stop: () => Promise<void>,
	) {
		this.client = client;
		this.store = store;
		this.lines = lines;
		this.#clock = clock;
		this.#stop = stop;
	}

	/** `links`: the nodes by their names, `ip:port`, and the way that this manager has to each. */
	static async open(
		links: Links,
		{ skewMs = 0, http = {}, ...given }: ManagerOptions & { skewMs?: number; http?: Partial<ServeOptions> } = {},
	): Promise<RedisManager> {
		const clock = { skewMs };
		const now = () => Date.now() + clock.skewMs;
		const lines: string[] = [];
		const log = pino({ level: "debug" }, { write: (line: string) => void lines.push(line) });
		const settings = settle({ discovery: { kind: "static", nodes: [...links.keys()] }, log, now, ...given });
		const store = new Manager(settings, {
			connect: (address) => linked(nameOf(address), links, settings),
			discover: (options) => watch(settings.discovery, options),
			steady: () => performance.now(),
		});
		await store.opened(3000);
		const served = await serve({ store, log, apiKeys: () => keys, now, host: "127.0.0.1", port: 0, ...http });
		const client = new RedisClient(served.url);
		return new RedisManager(client, store, lines, clock, async () => {
			await client.close();
			await served.stop();
			await store.close();
		});
	}

	/** Milliseconds by which its wall clock is ahead. */
	set skewMs(ms: number) {
		this.#clock.skewMs = ms;
	}
	get skewMs(): number {
		return this.#clock.skewMs;
	}

	/** Whether all nodes are ready, read and written, as far as it knows. */
	get isWhole(): boolean {
		return this.store.nodes().every(({ state, reads, writes }) => state === "ready" && reads && writes);
	}

	/** Waits until all nodes are ready, read and written. */
	async whole(ms = 30_000): Promise<void> {
		await until("all nodes to be ready", ms, () => this.isWhole).catch((error) => {
			throw new Error(`${error.message}: ${JSON.stringify(this.store.nodes(), null, 1)}`);
		});
	}

	stop(): Promise<void> {
		return this.#stop();
	}
}

const keys = [API_KEY];

/** A node over its link: it keeps its own name, which all managers have to know it by. */
function linked(name: string, links: Links, settings: Settled): RedisNode {
	const { writeTimeoutMs, readTimeoutMs, graceSeconds, credentials } = settings;
	const { host, port } = links.get(name)!;
	const node = openNode({ host, port, credentials, writeTimeoutMs, readTimeoutMs, graceMs: graceSeconds * 1000 });
	return Object.defineProperty(node, "name", { value: name });
}
