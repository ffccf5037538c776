import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type Document, MongoClient } from "mongodb";
import { stringify } from "yaml";
import { toolPath } from "../../runtime/tools.ts";
import { freePorts } from "./freePort.ts";

/**
 * A replica set that somebody else made: one or three mongods started by hand, with a key file and an administrator of their
 * own, and with a tag, a priority, settings, an oplog and a default write concern that no program of ours asks for.
 */
export class ForeignSet {
	readonly name = "prod";
	readonly key = randomBytes(48).toString("base64");
	readonly admin = { user: "bo@ss", password: "p@ss:/%\"' $ü" };
	readonly basePort: number;
	readonly #slots: number[];
	readonly #folder = mkdtempSync(join(tmpdir(), "holdfast-foreign-"));
	#members: ChildProcess[] = [];

	private constructor(basePort: number, members: 1 | 3) {
		this.basePort = basePort;
		this.#slots = [...Array(members).keys()];
	}

	static async start(members: 1 | 3 = 3): Promise<ForeignSet> {
		const set = new ForeignSet(await freePorts(members), members);
		const mongod = await toolPath("mongod");
		set.#members = set.#slots.map((slot) => spawn(mongod, ["--config", set.#configure(slot)], { stdio: "ignore" }));
		await set.#initiate();
		return set;
	}

	get addresses() {
		return this.#slots.map((slot) => ({ host: "127.0.0.1", port: this.basePort + slot }));
	}
	get hosts(): string[] {
		return this.addresses.map(({ host, port }) => `${host}:${port}`);
	}

	#configure(slot: number): string {
		const folder = join(this.#folder, String(slot));
		mkdirSync(join(folder, "data"), { recursive: true });
		writeFileSync(join(folder, "keyfile"), this.key, { mode: 0o600 });
		const conf = {
			net: { bindIp: "127.0.0.1", port: this.basePort + slot, unixDomainSocket: { enabled: false } },
			storage: { dbPath: join(folder, "data"), wiredTiger: { engineConfig: { cacheSizeGB: 0.25 } } },
			replication: { replSetName: this.name, oplogSizeMB: 1100 },
			security: { keyFile: join(folder, "keyfile"), authorization: "enabled" },
			systemLog: { destination: "file", path: join(folder, "log") },
			setParameter: { shutdownTimeoutMillisForSignaledShutdown: 100 },
		};
		writeFileSync(join(folder, "conf"), stringify(conf));
		return join(folder, "conf");
	}

	/** By the localhost exception, as the manual tells people to. */
	async #initiate(): Promise<void> {
		const options = { serverSelectionTimeoutMS: 30_000, directConnection: true };
		const client = new MongoClient(`mongodb://${this.hosts[0]}/`, options);
		const settings = { electionTimeoutMillis: 9000, catchUpTimeoutMillis: 12_345, heartbeatTimeoutSecs: 11 };
		const first = { _id: 7, host: this.hosts[0], priority: 3, tags: { rack: "one" } };
		await client.db("admin").command({ replSetInitiate: { _id: this.name, members: [first], settings } });
		while (!(await client.db("admin").command({ hello: 1 })).isWritablePrimary) await sleep(20);
		await client.db("admin").command({ createUser: this.admin.user, pwd: this.admin.password, roles: ["root"] });
		await client.close();
		await this.command(async (db) => {
			for (const slot of this.#slots.slice(1)) {
				const { config } = await db.command({ replSetGetConfig: 1 });
				config.version += 1;
				config.members.push({
					_id: 7 + slot,
					host: this.hosts[slot],
					priority: slot === 1 ? 2 : 0,
					hidden: slot === 2,
				});
				await db.command({ replSetReconfig: config });
			}
			while ((await db.command({ replSetGetStatus: 1 })).votingMembersCount !== this.#slots.length) await sleep(50);
			await db.command({ setDefaultRWConcern: 1, defaultWriteConcern: { w: 1, wtimeout: 1234 } });
		});
	}

	/** Runs `fn` on the `admin` database of the first member, which is primary, as administrator. */
	async command<T>(fn: (db: ReturnType<MongoClient["db"]>) => Promise<T>, slot = 0): Promise<T> {
		const { user: username, password } = this.admin;
		const client = new MongoClient(`mongodb://${this.hosts[slot]}/`, {
			auth: { username, password },
			directConnection: true,
		});
		try {
			return await fn(client.db("admin"));
		} finally {
			await client.close();
		}
	}

	/** All of the set that an adoption must not change: config, default concerns, oplogs, processes. */
	async facts(): Promise<Document> {
		const oplogs = this.#slots.map((slot) =>
			this.command(
				async (db) => Number((await db.client.db("local").command({ collStats: "oplog.rs" })).maxSize) / 2 ** 20,
				slot,
			),
		);
		const { config, concern } = await this.command(async (db) => ({
			config: (await db.command({ replSetGetConfig: 1 })).config,
			concern: (await db.command({ getDefaultRWConcern: 1 })).defaultWriteConcern,
		}));
		const running = this.#members.map(({ pid, exitCode, signalCode }) => [pid, exitCode, signalCode]);
		return JSON.parse(JSON.stringify({ config, concern, oplogs: await Promise.all(oplogs), running }));
	}

	async id(): Promise<string> {
		return (await this.facts()).config.settings.replicaSetId;
	}

	async stop(): Promise<void> {
		const ended = this.#members.map((member) => new Promise((resolve) => member.once("exit", resolve)));
		for (const member of this.#members) member.kill("SIGKILL");
		await Promise.all(ended);
		rmSync(this.#folder, { recursive: true });
	}
}
