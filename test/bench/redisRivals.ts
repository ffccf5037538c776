import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "../support/freePort.ts";
import { ManagerProcess } from "../support/managerProcess.ts";
import { root } from "../support/node.ts";
import { API_KEY } from "../support/redisClient.ts";
import type { RedisServer } from "../support/redisServers.ts";
import { until } from "../support/until.ts";
import type { Shot } from "./redisShot.ts";

/** What a manager does not do unless it is told to. The limit is never reached. */
const EVERYTHING_ON = { RATE_LIMIT_PER_SECOND: 1_000_000 };

export const KEYS = 10_000;
const VALUE = "v".repeat(100);
const JSON_TYPE = { "content-type": "application/json" };

/** Something that answers GET and takes writes over HTTP. */
export interface Rival {
	name: string;
	get: Shot;
	set: Shot;
	end(): Promise<void>;
}

const CONNECTIONS = 50;
const shot = (one: Pick<Shot, "url" | "method" | "path" | "headers" | "prefix" | "body">): Shot => ({
	...{ keys: KEYS, connections: CONNECTIONS, seconds: 8 },
	...one,
});

/** The API that the manager and the naive design share. */
function dataShots(url: string, prefix: string): Pick<Rival, "get" | "set"> {
	const headers = { "x-api-key": API_KEY };
	const body = JSON.stringify({ key: "{key}", value: VALUE });
	return {
		get: shot({ url, method: "GET", path: "/data/{key}", headers, prefix }),
		set: shot({ url, method: "POST", path: "/data", headers: { ...headers, ...JSON_TYPE }, prefix, body }),
	};
}

const addresses = (servers: readonly RedisServer[]): string[] => servers.map(({ name }) => name);

/** Our manager as it ships, all features on. `nodeWords`: options of Node, such as --cpu-prof. */
export async function managerRival(servers: readonly RedisServer[], nodeWords: readonly string[] = []): Promise<Rival> {
	const manager = await ManagerProcess.start(addresses(servers), EVERYTHING_ON, nodeWords);
	await manager.whole(servers.length);
	const end = async () => {
		await manager.end();
		await manager.remove();
	};
	return { name: "manager", ...dataShots(manager.client.url, "ours:"), end };
}

async function answering(url: string, child: ChildProcess): Promise<void> {
	await until(`an answer at ${url}`, 20_000, async () => {
		if (child.exitCode !== null) throw new Error(`${child.spawnfile} ended`);
		return (await fetch(url).catch(() => undefined)) !== undefined;
	});
}

const ending = (child: ChildProcess) => async (): Promise<void> => {
	const ended = new Promise((resolve) => child.once("exit", resolve));
	child.kill("SIGTERM");
	await ended;
};

export async function naiveRival(servers: readonly RedisServer[]): Promise<Rival> {
	const port = await freePort();
	const words = [join(root, "test/bench/redisNaive.ts"), String(port), API_KEY, addresses(servers).join(",")];
	const child = spawn(process.execPath, words, {
		stdio: ["ignore", "ignore", "inherit"],
		env: { ...process.env, NODE_ENV: "production" },
	});
	const url = `http://127.0.0.1:${port}`;
	await answering(`${url}/data/none`, child);
	return { name: "naive", ...dataShots(url, "naive:"), end: ending(child) };
}

/** Debian's webdis with its own defaults, in front of one node. */
export async function webdisRival(server: RedisServer): Promise<Rival> {
	const folder = mkdtempSync(join(tmpdir(), "holdfast-webdis-"));
	const port = await freePort();
	const file = join(folder, "webdis.json");
	const conf = {
		...{ redis_host: server.host, redis_port: server.port, http_host: "127.0.0.1", http_port: port },
		...{ threads: 2, pool_size: 20, daemonize: false, database: 0, verbosity: 0, logfile: join(folder, "log") },
		acl: [{ disabled: ["DEBUG"] }],
	};
	writeFileSync(file, JSON.stringify(conf));
	const child = spawn("webdis", [file], { stdio: "ignore", cwd: folder });
	const url = `http://127.0.0.1:${port}`;
	await answering(`${url}/PING`, child);
	const end = async () => {
		await ending(child)();
		rmSync(folder, { recursive: true });
	};
	return {
		name: "webdis",
		get: shot({ url, method: "GET", path: "/GET/{key}", headers: {}, prefix: "webdis:" }),
		set: shot({ url, method: "PUT", path: "/SET/{key}", headers: {}, prefix: "webdis:", body: VALUE }),
		end,
	};
}
