import { Pool } from "undici";
import type {
	Consistency,
	Divergence,
	Health,
	NodeReport,
	NodeResult,
	RoundReport,
} from "../../runtime/redis/store.ts";

export const API_KEY = "test-key";

export interface Answer<T = Record<string, unknown>> {
	status: number;
	body: T;
	headers: Readonly<Record<string, string | string[] | undefined>>;
	/** Milliseconds from the request to the end of its answer. */
	ms: number;
}

export interface Written {
	success: boolean;
	writtenTo: number;
	totalNodes: number;
	results: NodeResult[];
	stamp: string;
	timestamp: number;
	superseded?: boolean;
	error?: string;
	code?: string;
}

export interface Gotten {
	value?: unknown;
	valueBase64?: string;
	timestamp?: number;
	stamp?: string;
	expiresAt?: number;
	error?: string;
	code?: string;
}

export interface WriteMore {
	ttlSeconds?: number;
	expiresAt?: number;
	stamp?: string;
}

export type BatchItem = WriteMore & { key: string } & ({ value: unknown } | { delete: true });
type Sent = { headers?: Record<string, string>; body?: string | Buffer };

/** Bytes of a key as a path segment. */
const pathOf = (key: string | Buffer): string =>
	`/data/${[...Buffer.from(key)].map((byte) => `%${byte.toString(16).padStart(2, "0")}`).join("")}`;

/** Speaks to a manager as its users do, over HTTP. */
export class RedisClient {
	readonly url: string;
	readonly #apiKey: string;
	readonly #pool: Pool;

	constructor(url: string, apiKey = API_KEY) {
		this.url = url;
		this.#apiKey = apiKey;
		this.#pool = new Pool(url, { connections: 32, headersTimeout: 120_000, bodyTimeout: 120_000 });
	}

	async request<T = Record<string, unknown>>(method: string, path: string, sent: Sent = {}): Promise<Answer<T>> {
		const raw = await this.raw(method, path, sent);
		const text = String(raw.body);
		return { ...raw, body: (text === "" ? {} : JSON.parse(text)) as T };
	}

	async raw(method: string, path: string, { headers = {}, body }: Sent = {}): Promise<Answer<Buffer>> {
		const begin = performance.now();
		const answer = await this.#pool.request({
			method: method as "GET",
			path,
			headers: { "x-api-key": this.#apiKey, ...headers },
			body,
		});
		const bytes = Buffer.from(await answer.body.arrayBuffer());
		return { status: answer.statusCode, body: bytes, headers: answer.headers, ms: performance.now() - begin };
	}

	write(key: string, value: unknown, more: WriteMore = {}): Promise<Answer<Written>> {
		return this.#json("POST", "/data", { key, value, ...more });
	}

	put(key: string | Buffer, bytes: Buffer, type = "application/octet-stream"): Promise<Answer<Written>> {
		return this.request("PUT", pathOf(key), { headers: { "content-type": type }, body: bytes });
	}

	remove(key: string | Buffer, { stamp }: { stamp?: string } = {}): Promise<Answer<Written>> {
		return this.request("DELETE", pathOf(key), { headers: stamp === undefined ? {} : { "x-stamp": stamp } });
	}

	get(key: string | Buffer, consistency?: Consistency): Promise<Answer<Gotten>> {
		return this.request("GET", pathOf(key) + (consistency ? `?consistency=${consistency}` : ""));
	}

	bytes(key: string | Buffer): Promise<Answer<Buffer>> {
		return this.raw("GET", pathOf(key), { headers: { accept: "application/octet-stream" } });
	}

	batch(writes: readonly BatchItem[]): Promise<Answer<{ success: boolean; results: (Written & { key: string })[] }>> {
		return this.#json("POST", "/data/batch", { writes });
	}

	many(keys: readonly string[], consistency?: Consistency): Promise<Answer<{ results: (Gotten & { key: string })[] }>> {
		return this.#json("POST", "/data/read", { keys, consistency });
	}

	async nodes(): Promise<NodeReport[]> {
		return (await this.request<{ nodes: NodeReport[] }>("GET", "/nodes")).body.nodes;
	}

	health(): Promise<Answer<Health>> {
		return this.request("GET", "/health");
	}

	divergence(): Promise<Answer<Divergence>> {
		return this.request("GET", "/admin/divergence");
	}

	sync(): Promise<Answer<RoundReport>> {
		return this.#json("POST", "/admin/sync", {});
	}

	admit(node: string, action: "merge" | "wipe"): Promise<Answer> {
		return this.#json("POST", `/admin/nodes/${encodeURIComponent(node)}`, { action });
	}

	async close(): Promise<void> {
		await this.#pool.destroy();
	}

	#json<T>(method: string, path: string, body: object): Promise<Answer<T>> {
		return this.request(method, path, { headers: { "content-type": "application/json" }, body: JSON.stringify(body) });
	}
}
