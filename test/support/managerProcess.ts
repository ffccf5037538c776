import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "./freePort.ts";
import { root } from "./node.ts";
import { API_KEY, RedisClient } from "./redisClient.ts";
import { until } from "./until.ts";

const standing = new Set<ManagerProcess>();

/** A manager as it ships: a process of its own, configured by a file, to be killed. */
export class ManagerProcess {
	readonly client: RedisClient;
	readonly port: number;
	readonly #folder = mkdtempSync(join(tmpdir(), "holdfast-manager-"));
	readonly #words: readonly string[];
	#process: ChildProcess | undefined;
	/** What it printed. */
	output = "";

	private constructor(port: number, nodes: readonly string[], settings: object, nodeWords: readonly string[]) {
		this.port = port;
		this.client = new RedisClient(`http://127.0.0.1:${port}`);
		const conf = {
			...{ HOST: "127.0.0.1", PORT: port, REDIS_NODES: nodes.join(","), API_KEY },
			...{ LOG_FILE: join(this.#folder, "manager.log"), ...settings },
		};
		const file = join(this.#folder, "manager.json");
		writeFileSync(file, JSON.stringify(conf), { mode: 0o600 });
		this.#words = [...nodeWords, join(root, "runtime/redis/main.ts"), "--config", file];
		standing.add(this);
	}

	/** Resolves when it answers. `nodeWords`: options of Node itself. */
	static async start(
		nodes: readonly string[],
		settings: object = {},
		nodeWords: readonly string[] = [],
	): Promise<ManagerProcess> {
		const manager = new ManagerProcess(await freePort(), nodes, settings, nodeWords);
		await manager.start();
		return manager;
	}

	async start(): Promise<void> {
		// Its settings are in the file alone.
		const env = { PATH: process.env.PATH };
		const child = spawn(process.execPath, this.#words, { cwd: root, env, stdio: ["ignore", "pipe", "pipe"] });
		this.#process = child;
		const hear = (text: Buffer) => {
			this.output = (this.output + text).slice(-20_000);
		};
		child.stdout.on("data", hear);
		child.stderr.on("data", hear);
		child.once("exit", () => {
			if (this.#process === child) this.#process = undefined;
		});
		await until(`the manager to answer: ${this.output}`, 20_000, async () => {
			if (!this.#process) throw new Error(`the manager ended: ${this.output}${this.log}`);
			return this.client.health().catch(() => undefined);
		});
	}

	get pid(): number {
		if (!this.#process?.pid) throw new Error("the manager does not run");
		return this.#process.pid;
	}

	get log(): string {
		return readFileSync(join(this.#folder, "manager.log"), { encoding: "utf8", flag: "a+" });
	}

	/** Resident bytes. */
	get memory(): number {
		const [, kibibytes] = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${this.pid}/status`, "utf8"))!;
		return Number(kibibytes) * 1024;
	}

	/** Waits until so many nodes are ready, read and written. */
	whole(nodes: number, ms = 60_000): Promise<unknown> {
		return until(`${nodes} nodes to be ready`, ms, async () => {
			const found = await this.client.nodes().catch(() => []);
			return found.filter(({ state, reads, writes }) => state === "ready" && reads && writes).length >= nodes;
		});
	}

	/** Starts it where it does not run. */
	async ensure(): Promise<void> {
		if (!this.#process) await this.start();
	}

	kill(): Promise<void> {
		return this.end("SIGKILL");
	}

	async end(signal: NodeJS.Signals = "SIGTERM"): Promise<void> {
		const child = this.#process;
		if (!child) return;
		const ended = new Promise((resolve) => child.once("exit", resolve));
		child.kill(signal);
		await ended;
		if (this.#process === child) this.#process = undefined;
	}

	async remove(): Promise<void> {
		standing.delete(this);
		await this.end("SIGKILL");
		await this.client.close();
		rmSync(this.#folder, { recursive: true, force: true });
	}

	/** For `afterAll`. */
	static async removeAll(): Promise<void> {
		for (const manager of [...standing]) await manager.remove();
	}
}
