import { readFileSync } from "node:fs";
import { Command } from "commander";
import type { Logger } from "pino";
import { type DiscoverySource, discoverySourceSchema } from "../discovery/source.ts";
import { describe, HoldfastError } from "../errors.ts";
import { openManager } from "./manager.ts";
import type { ManagerSettings } from "./managerSettings.ts";
import { keysOf, readSettings, type Settings } from "./readSettings.ts";
import { type Watched, watchSecret } from "./secretFile.ts";
import { type Served, serve } from "./serve.ts";
import { defect, serviceLog } from "./serviceLog.ts";
import type { Values } from "./settings.ts";
import type { Store } from "./store.ts";

/** Of a start that fails: 2 is final, the same again after a restart; 1 may pass. */
const EXIT = { configuration: 2, world: 1, defect: 255 } as const;

const read = (path: string): string => readFileSync(path, "utf8");

function configOf(path: string | undefined): Record<string, unknown> {
	if (path === undefined) return {};
	try {
		const config: unknown = JSON.parse(read(path));
		if (typeof config === "object" && config !== null && !Array.isArray(config))
			return config as Record<string, unknown>;
	} catch (error) {
		const { code } = error as NodeJS.ErrnoException;
		// What the parser says holds parts of the file.
		throw new HoldfastError("HF_SETTING", `--config: ${path} ${code ? `cannot be read (${code})` : "is not JSON"}`);
	}
	throw new HoldfastError("HF_SETTING", `--config: ${path} must hold an object of settings`);
}

function discoveryOf({ REDIS_NODES, REDIS_NODES_FILE, DISCOVERY_URL, APP_NAME }: Values): DiscoverySource {
	if (REDIS_NODES !== undefined) return { kind: "static", nodes: REDIS_NODES };
	if (REDIS_NODES_FILE !== undefined) return { kind: "file", path: REDIS_NODES_FILE };
	return discoverySourceSchema.parse({ kind: "flux", url: DISCOVERY_URL, app: APP_NAME });
}

function managerSettings(values: Values, log: Logger, password: Watched<string> | undefined): ManagerSettings {
	const discovery = discoveryOf(values);
	return {
		discovery,
		port: values.REDIS_PORT,
		credentials: () => ({ username: values.REDIS_USERNAME, password: password?.current() }),
		log,
		writeTimeoutMs: values.WRITE_TIMEOUT_MS,
		readTimeoutMs: values.READ_TIMEOUT_MS,
		graceSeconds: values.TOMBSTONE_GRACE_SECONDS,
		removalGraceSeconds: values.REMOVAL_GRACE_SECONDS,
		maxSkewMs: values.MAX_SKEW_MS,
		roundSeconds: values.ROUND_SECONDS,
		lossWaitSeconds: values.LOSS_WAIT_SECONDS,
		onStale: values.ON_STALE,
		valueBytes: values.MAX_VALUE_BYTES,
		...(discovery.kind === "flux" && { discoveryMs: values.DISCOVERY_SECONDS * 1000 }),
	};
}

function listen(store: Store, values: Values, log: Logger, keys: Watched<string[]>): Promise<Served> {
	return serve({
		store,
		log,
		apiKeys: keys.current,
		host: values.HOST,
		port: values.PORT,
		maxValueBytes: values.MAX_VALUE_BYTES,
		maxBatchBytes: values.MAX_BATCH_BYTES,
		maxPendingBytes: values.MAX_PENDING_BYTES,
		maxSkewMs: values.MAX_SKEW_MS,
		maxStampAgeMs: values.TOMBSTONE_GRACE_SECONDS * 100,
		requestsPerSecond: values.RATE_LIMIT_PER_SECOND,
		failuresPerMinute: values.AUTH_FAILURES_PER_MINUTE,
		accessLog: values.ACCESS_LOG,
		trustedProxies: values.TRUSTED_PROXIES,
		headersTimeoutMs: values.HEADERS_TIMEOUT_MS,
		requestTimeoutMs: values.REQUEST_TIMEOUT_MS,
		keepAliveMs: values.KEEP_ALIVE_MS,
		maxConnections: values.MAX_CONNECTIONS,
		stopDelayMs: values.STOP_DELAY_MS,
		drainMs: values.DRAIN_SECONDS * 1000,
	});
}

/** Opens the manager and serves it until a signal comes. */
async function run({ values, apiKey, redisPassword }: Settings): Promise<void> {
	const { log, reopen } = serviceLog({ level: values.LOG_LEVEL, file: values.LOG_FILE, app: values.APP_NAME });
	process.on("SIGHUP", reopen);
	const keys = watchSecret({ name: "API_KEY", secret: apiKey, parse: keysOf, read, log });
	const password =
		redisPassword && watchSecret({ name: "REDIS_PASSWORD", secret: redisPassword, parse: String, read, log });
	// From here on a defect is logged: what is served may be half done, and a supervisor starts it anew.
	const die = (error: unknown): never => {
		log.fatal(defect(error), "defect");
		process.exit(EXIT.defect);
	};
	process.on("uncaughtException", die).on("unhandledRejection", die);
	const parts: Parts = {};
	stopOnSignals(parts, log);
	parts.store = await openManager(managerSettings(values, log, password));
	try {
		parts.served = await listen(parts.store, values, log, keys);
	} catch (error) {
		await parts.store.close();
		throw error;
	}
	log.info({ url: parts.served.url }, "listening");
}

/** What has been begun, and must be ended. */
interface Parts {
	store?: Store;
	served?: Served;
}

/** The first signal ends it in order, at whatever point it is; the second at once. */
function stopOnSignals(parts: Parts, log: Logger): void {
	let stopping = false;
	const stop = async (signal: NodeJS.Signals): Promise<void> => {
		if (stopping) process.exit(EXIT.world);
		stopping = true;
		log.info({ signal }, "stopping");
		const drained = await parts.served?.stop();
		await parts.store?.close();
		log.info({ drained }, "stopped");
		process.exit(0);
	};
	process.on("SIGTERM", stop).on("SIGINT", stop);
}

async function main(): Promise<void> {
	const options = new Command("holdfast-redis-manager")
		.description("One REST API over independent Redis nodes, that converges.")
		.option("--config <file>", "settings as JSON, by the names of the environment variables, which win")
		.exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : EXIT.configuration))
		.parse()
		.opts<{ config?: string }>();
	await run(readSettings(process.env, configOf(options.config), read));
}

main().catch((error: unknown) => {
	const known = error instanceof HoldfastError;
	process.stderr.write(`${known ? describe(error) : `a defect of this program: ${JSON.stringify(defect(error))}`}\n`);
	process.exit(!known ? EXIT.defect : error.code === "HF_SETTING" ? EXIT.configuration : EXIT.world);
});
