import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type Document, MongoClient } from "mongodb";
import { toolPath } from "../../runtime/tools.ts";
import { freePort } from "./freePort.ts";
import { until } from "./until.ts";

interface Options {
	/** Megabytes of each member's oplog; 990 is the least. @default 990 */
	oplogMb?: number;
	/** Takes `configureFailPoint`, for what a server of production does not do on demand. @default false */
	testCommands?: boolean;
}

/** A replica set of bare mongods on loopback, without users: what migrations write to in tests. */
export class ReplicaSet {
	readonly name = "target";
	readonly hosts: string[];
	readonly #folder = mkdtempSync(join(tmpdir(), "holdfast-set-"));
	readonly #mongod: string;
	readonly #options: Options;
	readonly #processes: ChildProcess[] = [];

	constructor(ports: number[], mongod: string, options: Options) {
		this.hosts = ports.map((port) => `127.0.0.1:${port}`);
		this.#mongod = mongod;
		this.#options = options;
	}

	/** Of the whole set. */
	get uri(): string {
		return `mongodb://${this.hosts.join(",")}/?replicaSet=${this.name}`;
	}

	/** Starts a member's process; after `kill`, on the data that it left. */
	start(member: number): void {
		const folder = join(this.#folder, String(member));
		mkdirSync(folder, { recursive: true });
		const [, port] = this.hosts[member]!.split(":");
		const args = ["--dbpath", folder, "--port", port!, "--bind_ip", "127.0.0.1", "--replSet", this.name];
		const small = ["--wiredTigerCacheSizeGB", "0.25", "--oplogSize", String(this.#options.oplogMb ?? 990)];
		const parameters = [
			"diagnosticDataCollectionEnabled=0",
			...(this.#options.testCommands ? ["enableTestCommands=1"] : []),
		].flatMap((one) => ["--setParameter", one]);
		const quiet = ["--nounixsocket", "--logpath", `${folder}.log`, ...parameters];
		this.#processes[member] = spawn(this.#mongod, [...args, ...small, ...quiet], { stdio: "ignore" });
	}

	async initiate(): Promise<void> {
		const members = this.hosts.map((host, _id) => ({ _id, host, priority: 1 }));
		// Elections that are found necessary after 2 s keep fault tests short.
		const settings = { electionTimeoutMillis: 2000, heartbeatIntervalMillis: 500, catchUpTimeoutMillis: 2000 };
		const config = { _id: this.name, members, settings };
		for (const member of this.hosts.keys()) await this.command(member, { ping: 1 });
		await this.command(0, { replSetInitiate: config });
		await this.primary();
	}

	/** A command on the database `admin` of one member. */
	async command(member: number, command: Document): Promise<Document> {
		const options = { directConnection: true, serverSelectionTimeoutMS: 30_000 };
		const client = new MongoClient(`mongodb://${this.hosts[member]}/`, options);
		try {
			return await client.db("admin").command(command);
		} finally {
			await client.close();
		}
	}

	/** Makes every insert on a member take so many milliseconds longer; 0: no longer. Needs `testCommands`. */
	async slowInserts(member: number, ms: number): Promise<void> {
		const data = { failCommands: ["insert"], blockConnection: true, blockTimeMS: ms };
		await this.command(member, { configureFailPoint: "failCommand", mode: ms > 0 ? "alwaysOn" : "off", data });
	}

	/** The member that takes writes, once there is one. */
	async primary(): Promise<number> {
		const running = () => [...this.hosts.keys()].filter((member) => this.#runs(member));
		return until("a primary", 60_000, async () => {
			for (const member of running()) {
				const hello = await this.command(member, { hello: 1 }).catch(() => undefined);
				if (hello?.isWritablePrimary) return String(member);
			}
			return undefined;
		}).then(Number);
	}

	#runs(member: number): boolean {
		const child = this.#processes[member];
		return child !== undefined && child.exitCode === null && child.signalCode === null;
	}

	pid(member: number): number {
		return this.#processes[member]!.pid!;
	}

	/** By default as a power cut would end it. */
	async kill(member: number, signal: NodeJS.Signals = "SIGKILL"): Promise<void> {
		if (!this.#runs(member)) return;
		const child = this.#processes[member]!;
		const gone = new Promise((resolve) => child.once("exit", resolve));
		child.kill(signal);
		await gone;
	}

	/** Makes the primary give its role up; the connections to it break. */
	async stepDown(): Promise<number> {
		const member = await this.primary();
		await this.command(member, { replSetStepDown: 5, secondaryCatchUpPeriodSecs: 4 }).catch(() => {});
		return member;
	}

	/** How many files a member wrote aside of what it took back. */
	rollbacks(member: number): number {
		const folder = join(this.#folder, String(member), "rollback");
		return existsSync(folder) ? readdirSync(folder, { recursive: true }).length : 0;
	}

	async stop(): Promise<void> {
		await Promise.all([...this.hosts.keys()].map((member) => this.kill(member)));
		await sleep(10);
		rmSync(this.#folder, { recursive: true, force: true });
	}
}

/** Started and initiated; `stop` removes all of it. */
export async function startReplicaSet(members: 1 | 3 = 1, options: Options = {}): Promise<ReplicaSet> {
	const ports = await Promise.all(Array.from({ length: members }, freePort));
	const set = new ReplicaSet(ports, await toolPath("mongod"), options);
	for (const member of set.hosts.keys()) set.start(member);
	try {
		await set.initiate();
		return set;
	} catch (error) {
		await set.stop();
		throw error;
	}
}
