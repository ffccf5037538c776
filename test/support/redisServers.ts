import { type ChildProcess, execFile, spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { freePort } from "./freePort.ts";

export interface RedisOptions {
	/** Further words of redis-server's command line, such as "--appendfsync", "always". */
	args?: readonly string[];
	/** Users, as lines of an ACL file. @default the user "default" without a password */
	acl?: readonly string[];
}

/** A record as redis-cli finds it: key and value as hex, and the instant of its physical expiry (-1: never). */
export interface Found {
	key: string;
	value: string;
	expiry: number;
}

/** Key of a record as a test knows it. */
export const keyOf = ({ key }: Found): string => Buffer.from(key, "hex").toString().slice("d:".length);
/** Stamp and kind of a record (`d`: deleted), by the letters of its header. */
export function headOf({ value }: Found): { stamp: string; kind: string; payload: Buffer } {
	const record = Buffer.from(value, "hex");
	const header = record.toString("latin1", 0, 53);
	return { stamp: header.slice(0, 32), kind: header[32]!, payload: record.subarray(53) };
}

const run = promisify(execFile);
const HOST = "127.0.0.1";
const CONF = "redis.conf";
const standing = new Set<RedisServer>();

/**
 * All records in one atomic look, by Redis itself and not by what is tested. Redis 6 does not tell the instant of an
 * expiry: there it is left out.
 */
const SNAPSHOT = `
local function hex(text) return (text:gsub('.', function(c) return string.format('%02x', c:byte()) end)) end
local found, cursor = {}, '0'
repeat
	local page = redis.call('SCAN', cursor, 'MATCH', ARGV[1], 'COUNT', 1000)
	cursor = page[1]
	for _, key in ipairs(page[2]) do
		local value = redis.call('GET', key)
		if value then
			local expiry = redis.pcall('PEXPIRETIME', key)
			found[#found + 1] = hex(key) .. ' ' .. hex(value) .. ' ' .. (type(expiry) == 'number' and expiry or -1)
		end
	end
until cursor == '0'
table.sort(found)
return table.concat(found, '\\n')`;

/** A redis-server of the machine, on loopback, with an append-only file in a folder of its own. */
export class RedisServer {
	readonly host = HOST;
	readonly port: number;
	readonly folder = mkdtempSync(join(tmpdir(), "holdfast-redis-"));
	readonly #args: readonly string[];
	#process: ChildProcess | undefined;

	constructor(port: number, { args = [], acl }: RedisOptions = {}) {
		this.port = port;
		this.#args = args;
		const aclFile = join(this.folder, "users.acl");
		if (acl) writeFileSync(aclFile, `${acl.join("\n")}\n`, { mode: 0o600 });
		const conf = {
			...{ port, bind: HOST, dir: this.folder, save: '""', appendonly: "yes", appendfsync: "everysec" },
			...{ "tcp-backlog": 511, loglevel: "notice" },
			...(acl ? { aclfile: aclFile } : {}),
		};
		const lines = Object.entries(conf).map(([name, value]) => `${name} ${value}`);
		writeFileSync(join(this.folder, CONF), `${lines.join("\n")}\n`, { mode: 0o600 });
		standing.add(this);
	}

	/** `ip:port`, as the managers call it. */
	get name(): string {
		return `${this.host}:${this.port}`;
	}

	get pid(): number {
		if (!this.#process?.pid) throw new Error(`the Redis at ${this.name} does not run`);
		return this.#process.pid;
	}

	get isRunning(): boolean {
		return this.#process !== undefined;
	}

	/** Resolves when the append-only file is loaded. */
	async start(): Promise<void> {
		const words = [join(this.folder, CONF), ...this.#args];
		const child = spawn("redis-server", words, { stdio: ["ignore", "pipe", "pipe"] });
		this.#process = child;
		let log = "";
		await new Promise<void>((resolve, reject) => {
			child.once("error", reject);
			child.once("exit", () => {
				if (this.#process === child) this.#process = undefined;
				reject(new Error(`redis-server ended:\n${log}`));
			});
			const hear = (text: Buffer) => {
				log = (log + text).slice(-10_000);
				if (log.includes("Ready to accept connections")) resolve();
			};
			child.stdout.on("data", hear);
			child.stderr.on("data", hear);
		});
	}

	/** SIGTERM: a clean end. */
	stop(): Promise<void> {
		return this.#end("SIGTERM");
	}

	/** SIGKILL. What was written is with the kernel, so only what Redis had not written yet is lost. */
	kill(): Promise<void> {
		return this.#end("SIGKILL");
	}

	/** SIGSTOP: it hangs instead of failing; the kernel goes on accepting connections for it. */
	pause(): void {
		process.kill(this.pid, "SIGSTOP");
	}

	resume(): void {
		process.kill(this.pid, "SIGCONT");
	}

	/** Starts it again at the same port, on the same data; kills it first where it runs. */
	async restart(): Promise<void> {
		await this.kill();
		await this.start();
	}

	/** A node that lost its disk: killed, its data removed. Does not start it. */
	async wipe(): Promise<void> {
		await this.kill();
		rmSync(join(this.folder, "appendonlydir"), { recursive: true, force: true });
		rmSync(join(this.folder, "appendonly.aof"), { force: true });
	}

	/** What redis-cli prints for a command, without the last line break. */
	async cli(...args: string[]): Promise<string> {
		const { stdout } = await run("redis-cli", ["-e", "-h", this.host, "-p", String(this.port), ...args], {
			maxBuffer: 2 ** 30,
		});
		return stdout.replace(/\n$/, "");
	}

	/** All records, in the order of their keys. */
	async records(pattern = "d:*"): Promise<Found[]> {
		const lines = (await this.cli("EVAL", SNAPSHOT, "0", pattern)).split("\n").filter((line) => line !== "");
		return lines.map((line) => {
			const [key, value, expiry] = line.split(" ");
			return { key: key!, value: value!, expiry: Number(expiry) };
		});
	}

	/** Ends it whatever its state, and removes its folder. */
	async remove(): Promise<void> {
		standing.delete(this);
		await this.kill();
		rmSync(this.folder, { recursive: true, force: true });
	}

	async #end(signal: NodeJS.Signals): Promise<void> {
		const child = this.#process;
		if (!child) return;
		const ended = new Promise((resolve) => child.once("exit", resolve));
		if (signal !== "SIGKILL") child.kill("SIGCONT");
		child.kill(signal);
		await ended;
		this.#process = undefined;
	}
}

/** Starts one server at a free port. */
export async function startRedis(options: RedisOptions = {}): Promise<RedisServer> {
	for (let tries = 0; ; tries++) {
		const server = new RedisServer(await freePort(), options);
		try {
			await server.start();
			return server;
		} catch (error) {
			await server.remove();
			// Somebody else may have taken the port meanwhile.
			if (tries === 3) throw error;
		}
	}
}

/** Starts several at once. */
export const startRedises = (count: number, options: RedisOptions = {}): Promise<RedisServer[]> =>
	Promise.all(Array.from({ length: count }, () => startRedis(options)));

/** For `afterAll`: ends every server that this process started and removes its data. */
export async function removeRedises(): Promise<void> {
	await Promise.all([...standing].map((server) => server.remove()));
}
