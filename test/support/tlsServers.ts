import { type ChildProcess, execFile, spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { stringify } from "yaml";
import { hasTls, toolPath } from "../../runtime/tools.ts";
import { freePort } from "./freePort.ts";

const run = promisify(execFile);

export interface Server {
	port: number;
	/** Files below the server's own folder, by their names. */
	path: (file: string) => string;
	stop(): Promise<void>;
}

function folderWith(label: string, files: Record<string, string>): (file: string) => string {
	const folder = mkdtempSync(join(tmpdir(), `holdfast-${label}-`));
	for (const [name, text] of Object.entries(files)) {
		mkdirSync(dirname(join(folder, name)), { recursive: true });
		writeFileSync(join(folder, name), text, { mode: 0o600 });
	}
	return (file) => join(folder, file);
}

function stopper(child: ChildProcess, signal: NodeJS.Signals, folder: string): () => Promise<void> {
	const ended = new Promise((resolve) => child.once("exit", resolve));
	return async () => {
		child.kill(signal);
		await ended;
		rmSync(folder, { recursive: true, force: true });
	};
}

/** Folder with the programs of a PostgreSQL that has TLS: the one in use, or the newest of Debian's. */
export async function postgresWithTls(): Promise<string> {
	const debian = "/usr/lib/postgresql";
	const versions = existsSync(debian) ? readdirSync(debian).sort((a, b) => Number(b) - Number(a)) : [];
	const chosen = await toolPath("postgres").catch(() => undefined);
	for (const path of [chosen, ...versions.map((version) => join(debian, version, "bin", "postgres"))])
		if (path !== undefined && (await hasTls(path))) return dirname(path);
	throw new Error("no PostgreSQL with TLS on this machine: apt-get install postgresql");
}

/** PostgreSQL refuses to be root; for root it is somebody else, in a user namespace of its own. */
function asNobody(program: string, args: string[]): [string, string[]] {
	if (process.getuid?.() !== 0) return [program, args];
	return ["unshare", ["--user", "--map-user=1", "--map-group=1", "--", program, ...args]];
}

/** A PostgreSQL on 127.0.0.1 with the files given, whose user `app` has the password `secret`. */
export async function startPostgres(files: Record<string, string>, hba: string[], settings: string[]): Promise<Server> {
	const bin = await postgresWithTls();
	const path = folderWith("postgres", { ...files, password: "secret\n" });
	const how = ["--username=app", `--pwfile=${path("password")}`, "--auth=scram-sha-256", "--no-sync", "--locale=C"];
	await run(...asNobody(join(bin, "initdb"), ["-D", path("data"), ...how]));
	writeFileSync(path("data/pg_hba.conf"), hba.map((line) => `${line}\n`).join(""));
	const port = await freePort();
	const own = ["listen_addresses=127.0.0.1", `port=${port}`, "unix_socket_directories=", "fsync=off"];
	const args = [...own, ...settings.map((setting) => setting.replaceAll("{{folder}}", path("")))];
	const flags = args.flatMap((setting) => ["-c", setting]);
	const child = spawn(...asNobody(join(bin, "postgres"), ["-D", path("data"), ...flags]), { stdio: "ignore" });
	// Immediately, but with its shared memory given back.
	const stop = stopper(child, "SIGQUIT", path(""));
	for (let tries = 0; ; tries++) {
		const code = await run(join(bin, "pg_isready"), ["-h", "127.0.0.1", "-p", String(port)]).then(
			() => 0,
			() => 1,
		);
		if (code === 0) return { port, path, stop };
		if (tries < 600 && child.exitCode === null) await sleep(100);
		else {
			await stop();
			throw new Error("PostgreSQL did not start");
		}
	}
}

/** What psql prints for `sql`; rejects, with its words, when it cannot. */
export async function psql(connection: Record<string, string | number>, sql: string): Promise<string> {
	const all = {
		host: "127.0.0.1",
		user: "app",
		password: "secret",
		dbname: "postgres",
		connect_timeout: 5,
		...connection,
	};
	const text = Object.entries(all).map(([key, value]) => `${key}='${value}'`);
	const args = ["--no-psqlrc", "-At", "-c", sql, text.join(" ")];
	return (await run(join(await postgresWithTls(), "psql"), args, { timeout: 20_000 })).stdout.trim();
}

/** A mongod of its own on 127.0.0.1, without replica set or users, with the `net.tls` of its configuration. */
export async function startMongod(files: Record<string, string>, tls: Record<string, unknown>): Promise<Server> {
	const path = folderWith("mongod", files);
	mkdirSync(path("data"));
	const port = await freePort();
	const filled = JSON.parse(JSON.stringify(tls).replaceAll("{{folder}}", path("")));
	const conf = {
		net: { bindIp: "127.0.0.1", port, unixDomainSocket: { enabled: false }, tls: filled },
		storage: { dbPath: path("data"), wiredTiger: { engineConfig: { cacheSizeGB: 0.25 } } },
		systemLog: { destination: "file", path: path("log") },
		setParameter: { shutdownTimeoutMillisForSignaledShutdown: 100 },
	};
	writeFileSync(path("mongod.conf"), stringify(conf));
	const child = spawn(await toolPath("mongod"), ["--config", path("mongod.conf")], { stdio: "ignore" });
	return { port, path, stop: stopper(child, "SIGKILL", path("")) };
}
