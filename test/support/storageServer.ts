import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { type Reply, StoredBuckets } from "./storedBuckets.ts";

/** A request as it came in. */
export interface Recorded {
	method: string;
	/** Decoded; of the upload paths too. */
	path: string;
	query: Record<string, string>;
	headers: IncomingMessage["headers"];
	/** Of JSON requests. */
	json?: Record<string, unknown>;
	/** Bytes of the body. */
	bytes: number;
}

/**
 * What goes wrong with a request: another status; the connection ends before it is carried out, or after; a download
 * ends after so many bytes; of an upload so many bytes are kept, and the connection ends.
 */
export type Fault =
	| { status: number; retryAfter?: string }
	| { drop: "before" | "after" }
	| { cut: number }
	| { keep: number };

/**
 * Cloud Storage's JSON API as Google documents it, in memory: generations, preconditions, rewrites in rounds, resumable
 * uploads, paged listings. Every request is recorded, and any can be made to fail.
 */
export class StorageServer {
	readonly buckets = new StoredBuckets();
	readonly requests: Recorded[] = [];
	/** Asked before each request. */
	fault: (request: Recorded) => Fault | undefined = () => undefined;
	readonly #server = createServer((request, response) => {
		this.#serve(request, response).catch((error) => response.destroy(error));
	});

	static async start(): Promise<StorageServer> {
		const server = new StorageServer();
		await new Promise<void>((resolve) => server.#server.listen(0, "127.0.0.1", resolve));
		return server;
	}

	get endpoint(): string {
		return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
	}

	/** Requests of one kind, in their order. */
	sent(kind: "rewrite" | "list" | "read" | "stat" | "begin" | "put"): Recorded[] {
		return this.requests.filter((request) => kindOf(request) === kind);
	}

	async stop(): Promise<void> {
		this.#server.closeAllConnections();
		await new Promise((resolve) => this.#server.close(resolve));
	}

	async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
		const url = new URL(request.url ?? "", this.endpoint);
		const recorded: Recorded = {
			method: request.method ?? "",
			path: decodeURIComponent(url.pathname),
			query: Object.fromEntries(url.searchParams),
			headers: request.headers,
			bytes: 0,
		};
		this.requests.push(recorded);
		const fault = this.fault(recorded);
		const body = await bodyOf(request);
		recorded.bytes = body.length;
		if (request.headers["content-type"]?.startsWith("application/json"))
			recorded.json = JSON.parse(String(body) || "{}");
		if (fault && "drop" in fault && fault.drop === "before") return void request.socket.destroy();
		if (fault && "status" in fault) return answer(response, refusal(fault));
		const kept = fault && "keep" in fault ? body.subarray(0, fault.keep) : body;
		const reply = this.buckets.handle(url, recorded, kept, this.endpoint);
		if (fault && "cut" in fault) return cut(response, reply, fault.cut);
		if (fault) return void request.socket.destroy();
		answer(response, reply);
	}
}

function kindOf({ method, path, query }: Recorded): string {
	if (path.startsWith("/session/")) return method.toLowerCase();
	if (path.includes("/rewriteTo/")) return "rewrite";
	if (path.startsWith("/upload/")) return "begin";
	if (path.endsWith("/o")) return "list";
	return query.alt === "media" ? "read" : method === "GET" ? "stat" : method.toLowerCase();
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
	const pieces: Buffer[] = [];
	for await (const piece of request) pieces.push(piece);
	return Buffer.concat(pieces);
}

const refusal = ({ status, retryAfter }: { status: number; retryAfter?: string }): Reply => ({
	status,
	headers: retryAfter === undefined ? {} : { "retry-after": retryAfter },
	json: { error: { code: status, message: "injected" } },
});

function answer(response: ServerResponse, { status, headers, json, bytes }: Reply): void {
	const body = bytes ?? (json === undefined ? Buffer.alloc(0) : Buffer.from(JSON.stringify(json)));
	const type = json === undefined ? {} : { "content-type": "application/json; charset=UTF-8" };
	response.writeHead(status, { ...type, "content-length": body.length, ...headers });
	response.end(body);
}

function cut(response: ServerResponse, { status, headers, bytes }: Reply, after: number): void {
	response.writeHead(status, { "content-length": bytes?.length ?? 0, ...headers });
	// The bytes are on their way before the connection ends.
	response.write(bytes?.subarray(0, after) ?? "", () => setTimeout(() => response.destroy(), 20));
}
