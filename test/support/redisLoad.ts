import { spawn } from "node:child_process";
import { once } from "node:events";
import { encodeRecord } from "../../runtime/redis/record.ts";
import type { RedisServer } from "./redisServers.ts";

/** Node id of the stamps that are made here. */
const LOADER = "00000000000000ee";

export interface Load {
	/** Records in all. */
	count: number;
	/** Number of the first one. @default 0 */
	from?: number;
	/** Bytes of each value. @default 100 */
	bytes?: number;
	/** Name of a record's key. @default "key:" and its number */
	key?: (i: number) => string;
	/** Milliseconds since 1970 of the stamps. @default now */
	at?: number;
}

/** One SET of a record as a manager would have written it, in Redis's protocol. */
function command(i: number, { bytes = 100, key = (n) => `key:${n}`, at = Date.now() }: Load): Buffer {
	const stamp = `${at.toString(16).padStart(12, "0")}0000${LOADER}`;
	const record = encodeRecord(stamp, { kind: "text", payload: Buffer.from(String(i).padEnd(bytes, "v")) });
	const name = Buffer.from(`d:${key(i)}`);
	const head = `*3\r\n$3\r\nSET\r\n$${name.length}\r\n${name}\r\n$${record.length}\r\n`;
	return Buffer.concat([Buffer.from(head), record, Buffer.from("\r\n")]);
}

/** Commands in parts of about a mebibyte. */
function* parts(load: Load): Generator<Buffer> {
	const { count, from = 0, at = Date.now() } = load;
	let [part, size]: [Buffer[], number] = [[], 0];
	for (let i = from; i < from + count; i++) {
		const bytes = command(i, { ...load, at });
		part.push(bytes);
		size += bytes.length;
		if (size < 1_048_576) continue;
		yield Buffer.concat(part);
		[part, size] = [[], 0];
	}
	if (part.length > 0) yield Buffer.concat(part);
}

/** The commands that load records, as one buffer, so that making them is not part of what is timed. */
export const prepared = (load: Load): Buffer[] => [...parts(load)];

/** Pipes commands into a server with `redis-cli --pipe`. */
export async function pipe(server: RedisServer, commands: Iterable<Buffer>): Promise<void> {
	const cli = spawn("redis-cli", ["-h", server.host, "-p", String(server.port), "--pipe"], {
		stdio: ["pipe", "pipe", "inherit"],
	});
	const ended = once(cli, "exit");
	let out = "";
	cli.stdout.on("data", (text) => {
		out += text;
	});
	for (const part of commands) if (!cli.stdin.write(part)) await once(cli.stdin, "drain");
	cli.stdin.end();
	const [code] = await ended;
	if (code !== 0 || !/errors: 0,/.test(out)) throw new Error(`redis-cli --pipe failed: ${out}`);
}

/** Writes records past every manager. */
export const loadRecords = (server: RedisServer, load: Load): Promise<void> => pipe(server, parts(load));
