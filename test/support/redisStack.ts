import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { request } from "undici";
import type { RedisRecord } from "../../runtime/redis/clusterRecord.ts";
import type { RedisStatus } from "../../runtime/redis/status.ts";
import type { TestStack } from "./stack.ts";

type Body = Record<string, unknown>;

/** A client that shows a stack's key to one of its managers. */
export class KeyedClient {
	readonly #url: string;
	readonly #key: string;

	constructor(url: string, key: string) {
		this.#url = url;
		this.#key = key;
	}

	post(key: string, value: string): Promise<{ status: number; body: Body }> {
		return this.#ask("POST", "/data", JSON.stringify({ key, value }));
	}

	get(key: string): Promise<{ status: number; body: Body }> {
		return this.#ask("GET", `/data/${encodeURIComponent(key)}`);
	}

	divergence(): Promise<{ status: number; body: Body }> {
		return this.#ask("GET", "/admin/divergence");
	}

	async #ask(method: "GET" | "POST", path: string, body?: string): Promise<{ status: number; body: Body }> {
		const headers = { "x-api-key": this.#key, ...(body === undefined ? {} : { "content-type": "application/json" }) };
		const answer = await request(`${this.#url}${path}`, { method, headers, body, headersTimeout: 30_000 });
		return { status: answer.statusCode, body: (await answer.body.json()) as Body };
	}
}

/** The Redis manager of a test stack, as an operator and as a client see it. */
export class RedisUnderTest {
	readonly stack: TestStack;

	constructor(stack: TestStack) {
		this.stack = stack;
	}

	get record(): RedisRecord {
		return this.stack.clusterRecord("redis0");
	}

	folder(member: string): string {
		return join(this.stack.home, this.stack.name, "members", member);
	}

	file(member: string, path: string): string {
		return readFileSync(join(this.folder(member), path), "utf8");
	}

	/** Pid of a member's process. */
	pid(member: string): number {
		const process = member.includes("manager") ? "manager" : "redis";
		return Number(this.file(member, `run/${process}.started`).split("\n")[0]);
	}

	port(slot: number): number {
		return this.stack.basePort + slot;
	}

	url(slot = 0): string {
		return `http://127.0.0.1:${this.stack.basePort + 10 + slot}`;
	}

	client(slot = 0, key = this.record.apiKey): KeyedClient {
		return new KeyedClient(this.url(slot), key);
	}

	async status(): Promise<RedisStatus> {
		const { stdout } = await this.stack.holdfast("status", "--json");
		return JSON.parse(stdout).clusters[0];
	}

	/** A command sent to one node as one of its users; passwords by the environment. */
	cli(slot: number, user: "holdfast" | "holdfast-admin", ...command: string[]): string {
		const password =
			user === "holdfast" ? this.file("redis0-manager-0", "live/redis-password").trim() : this.record.adminPassword;
		const args = ["-p", String(this.port(slot)), "--user", user, "--no-auth-warning", ...command];
		return execFileSync("redis-cli", args, {
			encoding: "utf8",
			env: { ...process.env, REDISCLI_AUTH: password },
		}).trim();
	}
}

/** What writers did until they were stopped. */
export interface Written {
	/** Key -> the last value that a majority had. */
	acknowledged: ReadonlyMap<string, string>;
	failed: number;
}

/** Writes without a pause, each writer keys of its own, over whichever manager answers; the last value of a key counts. */
export class RedisWriters {
	readonly #clients: KeyedClient[];
	readonly #acknowledged = new Map<string, string>();
	/** Keys whose last write has no known end: they may hold either value. */
	readonly #open = new Set<string>();
	#failed = 0;
	#count = 0;
	#stopping = false;
	readonly #running: Promise<void>[];

	constructor(clients: KeyedClient[], writers = 3) {
		this.#clients = clients;
		this.#running = [...Array(writers).keys()].map((writer) => this.#write(writer));
	}

	async #write(writer: number): Promise<void> {
		for (let count = 0; !this.#stopping; count++) {
			const key = `w${writer}-${count % 200}`;
			const value = `${writer}-${count}`;
			this.#open.add(key);
			const answer = await this.#clients[count % this.#clients.length]!.post(key, value).catch(() => undefined);
			if (answer?.body.success) {
				this.#count++;
				this.#acknowledged.set(key, value);
				this.#open.delete(key);
			} else {
				this.#failed++;
				await sleep(50);
			}
		}
	}

	/** Waits until `count` more writes were acknowledged. */
	async progress(count: number, ms = 60_000): Promise<void> {
		const goal = this.#count + count;
		for (const end = Date.now() + ms; this.#count < goal; await sleep(20))
			if (Date.now() > end) throw new Error(`no ${count} writes within ${ms} ms`);
	}

	async stop(): Promise<Written> {
		this.#stopping = true;
		await Promise.all(this.#running);
		const sure = [...this.#acknowledged].filter(([key]) => !this.#open.has(key));
		return { acknowledged: new Map(sure), failed: this.#failed };
	}
}

/** Acknowledged writes that cannot be read any more as they were: key -> what is there. */
export async function lost(client: KeyedClient, { acknowledged }: Written): Promise<Record<string, unknown>> {
	const found: Record<string, unknown> = {};
	for (const [key, value] of acknowledged) {
		const { status, body } = await client.get(key);
		if (body.value !== value) found[key] = { status, ...body };
	}
	return found;
}
