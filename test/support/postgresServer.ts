import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { writeRecord } from "../../runtime/access.ts";
import { type Client, connectTo, endSession } from "../../runtime/postgres/connect.ts";
import type { PostgresRecord } from "../../runtime/postgres/record.ts";
import { type ToolRecord, toolPath } from "../../runtime/tools.ts";
import { freePort } from "./freePort.ts";
import { long } from "./long.ts";
import { root } from "./node.ts";

/** Versions to test with: the newest; in the long form all that set-up brings, and Debian's where it is installed. */
export function supportedVersions(): string[] {
	if (!long) return ["18"];
	const { tools } = JSON.parse(readFileSync(join(root, ".holdfast", "tools.json"), "utf8")) as ToolRecord;
	const { version, builds } = tools.postgres!;
	const found = [version, ...builds.map((build) => build.version)].map((text) => text.split(".")[0]!);
	return [...new Set(["18", "16", ...found])].filter((major) => ["15", "16", "18"].includes(major));
}

/** PostgreSQL refuses root: as root it runs in a user namespace in which it is somebody else. */
const AS_USER = process.getuid?.() === 0 ? ["unshare", "--user", "--map-user=1", "--map-group=1", "--"] : [];

function command(program: string, args: string[]): [string, string[]] {
	const [first, ...rest] = [...AS_USER, program, ...args];
	return [first!, rest];
}

/** One PostgreSQL server of a version, made by initdb, that admits passwords by scram-sha-256 only; everything is logged. */
export class PostgresServer {
	readonly access = { stack: "objects", cluster: "pg0" };
	readonly superuser = { user: "postgres", password: "s$u'p\"er\\`pw" };
	readonly address: { host: string; port: number };
	readonly folder = mkdtempSync(join(tmpdir(), "holdfast-postgres-"));
	readonly #process: ChildProcess;

	private constructor(port: number, bin: string) {
		this.address = { host: "127.0.0.1", port };
		const data = join(this.folder, "data");
		mkdirSync(data);
		writeFileSync(join(this.folder, "pw"), this.superuser.password);
		const born = ["-D", data, "-U", this.superuser.user, `--pwfile=${join(this.folder, "pw")}`, "--auth=scram-sha-256"];
		const initdb = command(join(bin, "initdb"), [...born, "--no-locale", "--encoding=UTF8", "--no-sync"]);
		execFileSync(...initdb, { stdio: ["ignore", "ignore", "pipe"] });
		const settings = {
			...{ port, listen_addresses: "127.0.0.1", unix_socket_directories: "", fsync: "off", shared_buffers: "32MB" },
			...{ log_statement: "all", log_min_duration_statement: 0, max_connections: 40 },
		};
		const options = Object.entries(settings).flatMap(([name, value]) => ["-c", `${name}=${value}`]);
		const postgres = command(join(bin, "postgres"), ["-D", data, ...options]);
		this.#process = spawn(...postgres, { stdio: ["ignore", "pipe", "pipe"] });
		this.#process.stderr?.on("data", (text) => {
			this.log += text;
		});
	}

	/** All that the server ever logged. */
	log = "";

	/** Starts a server of a version, and writes the record by which the runtime finds it (below HOLDFAST_HOME). */
	static async start(version: string, home: string): Promise<PostgresServer> {
		process.env.HOLDFAST_HOME = home;
		if (!existsSync(join(home, "tools.json")))
			symlinkSync(join(root, ".holdfast", "tools.json"), join(home, "tools.json"));
		const bin = dirname(await toolPath("postgres", version));
		const server = new PostgresServer(await freePort(), bin);
		await writeRecord(server.access, server.record);
		for (let left = 600; ; left--) {
			try {
				await server.as(server.superuser, "postgres", async () => {});
				return server;
			} catch (error) {
				if (left === 0) throw new Error(`the server does not start:\n${server.log}`, { cause: error });
				await sleep(100);
			}
		}
	}

	get record(): PostgresRecord {
		return {
			system: "postgres",
			scope: "pg0",
			// Nobody listens on port 1: there is no Patroni, so the server itself is asked whether it takes writes.
			hosts: [{ name: "pg0-0", ...this.address, patroni: { host: this.address.host, port: 1 } }],
			superuser: this.superuser,
			restapi: { user: "x", password: "x" },
		};
	}

	/** Runs `fn` in a session of anybody's. */
	async as<T>(
		login: { user: string; password: string },
		database: string,
		fn: (client: Client) => Promise<T>,
	): Promise<T> {
		const client = await connectTo(this.address, login, { database });
		try {
			return await fn(client);
		} finally {
			await endSession(client);
		}
	}

	/** One statement as superuser; its rows. */
	async sql<T extends object>(text: string, values: unknown[] = [], database = "postgres"): Promise<T[]> {
		return this.as(this.superuser, database, async (client) => (await client.query(text, values)).rows as T[]);
	}

	async stop(): Promise<void> {
		const ended = new Promise((resolve) => this.#process.once("exit", resolve));
		// unshare is the parent that we know; its child, the postmaster, is named in the data folder.
		process.kill(Number(readFileSync(join(this.folder, "data", "postmaster.pid"), "utf8").split("\n")[0]), "SIGINT");
		await ended;
		rmSync(this.folder, { recursive: true });
	}
}
