import { Checksum } from "../../runtime/gcs/checksum.ts";
import type { Recorded } from "./storageServer.ts";

export interface Reply {
	status: number;
	headers?: Record<string, string>;
	json?: unknown;
	bytes?: Buffer;
}
/** An object resource, with its bytes. */
export interface Stored {
	resource: Record<string, unknown> & { name: string; generation: string; size: string; crc32c: string };
	bytes: Buffer;
}
interface Session {
	bucket: string;
	name: string;
	metadata: Record<string, unknown>;
	query: Record<string, string>;
	bytes: Buffer;
	done?: Reply;
}

const refusal = (status: number, message: string): Reply => ({ status, json: { error: { code: status, message } } });
const utf8 = (a: string, b: string) => Buffer.compare(Buffer.from(a), Buffer.from(b));

/** Buckets, and what requests do with them. */
export class StoredBuckets {
	/** Bytes that one call of a rewrite copies. */
	rewriteBytes = Number.POSITIVE_INFINITY;
	/** Objects a page, at most. */
	pageSize = 1000;
	readonly #buckets = new Map<string, Map<string, Stored>>();
	readonly #sessions = new Map<string, Session>();
	readonly #rewrites = new Map<string, { same: string; written: number }>();
	#generation = 1_700_000_000_000_000n;
	#ids = 0;

	create(...names: string[]): void {
		for (const name of names) this.#buckets.set(name, new Map());
	}

	put(bucket: string, name: string, contents: Buffer | string, metadata: Record<string, unknown> = {}): Stored {
		const bytes = Buffer.from(contents);
		const { crc32c } = new Checksum().update(bytes);
		const generation = String(++this.#generation);
		const own = { kind: "storage#object", name, bucket, generation, metageneration: "1" };
		const stored = {
			resource: { storageClass: "STANDARD", ...metadata, ...own, size: String(bytes.length), crc32c },
			bytes,
		};
		this.#bucket(bucket)?.set(name, stored);
		return stored;
	}

	get(bucket: string, name: string): Stored | undefined {
		return this.#bucket(bucket)?.get(name);
	}

	delete(bucket: string, name: string): void {
		this.#bucket(bucket)?.delete(name);
	}

	names(bucket: string): string[] {
		return [...(this.#bucket(bucket)?.keys() ?? [])].sort(utf8);
	}

	#bucket(name: string) {
		return this.#buckets.get(name);
	}

	handle(url: URL, request: Recorded, body: Buffer, endpoint: string): Reply {
		const steps = url.pathname.split("/").map(decodeURIComponent);
		if (steps[1] === "session") return this.#session(steps[2] ?? "", request, body);
		const upload = steps[1] === "upload";
		const [bucket = "", , object, verb, , to = "", , target = ""] = steps.slice(upload ? 5 : 4);
		if (!this.#buckets.has(bucket)) return refusal(404, "The specified bucket does not exist.");
		if (upload) return this.#begin(bucket, request, endpoint);
		if (object === undefined) return this.#list(bucket, request.query);
		const stored = this.get(bucket, object);
		if (!stored) return refusal(404, `No such object: ${bucket}/${object}`);
		if (verb === "rewriteTo") return this.#rewrite(stored, to, target, request);
		if (request.query.generation !== undefined && request.query.generation !== stored.resource.generation)
			return refusal(404, `No such object: ${bucket}/${object}#${request.query.generation}`);
		if (request.method === "DELETE") return this.#delete(bucket, object, request.query);
		return request.query.alt === "media" ? media(stored, request) : { status: 200, json: stored.resource };
	}

	#list(
		bucket: string,
		{ prefix = "", startOffset = "", endOffset, pageToken = "", maxResults }: Record<string, string>,
	) {
		const after = Buffer.from(pageToken, "base64").toString();
		const found = this.names(bucket).filter(
			(name) =>
				name.startsWith(prefix) &&
				utf8(name, startOffset) >= 0 &&
				(endOffset === undefined || utf8(name, endOffset) < 0) &&
				(after === "" || utf8(name, after) > 0),
		);
		const page = found.slice(0, Math.min(this.pageSize, Number(maxResults ?? 1000)));
		const more = page.length < found.length && { nextPageToken: Buffer.from(page.at(-1) as string).toString("base64") };
		const items = page.map((name) => this.get(bucket, name)?.resource);
		return { status: 200, json: { kind: "storage#objects", ...(items.length > 0 && { items }), ...more } };
	}

	/** Whether there is what `ifGenerationMatch` says. */
	#holds(bucket: string, name: string, { ifGenerationMatch }: Record<string, string>): boolean {
		const generation = this.get(bucket, name)?.resource.generation ?? "0";
		return ifGenerationMatch === undefined || ifGenerationMatch === generation;
	}

	#rewrite(source: Stored, bucket: string, name: string, { query, json }: Recorded): Reply {
		if (!this.#buckets.has(bucket)) return refusal(404, "The specified bucket does not exist.");
		const { ifSourceGenerationMatch: wanted } = query;
		if (wanted !== undefined && wanted !== source.resource.generation) return refusal(412, "Precondition Failed");
		if (!this.#holds(bucket, name, query)) return refusal(412, "Precondition Failed");
		// A token goes on with the very same request, and no other.
		const same = JSON.stringify([
			source.resource.bucket,
			source.resource.name,
			source.resource.generation,
			bucket,
			name,
			json,
		]);
		const begun = query.rewriteToken === undefined ? { same, written: 0 } : this.#rewrites.get(query.rewriteToken);
		if (begun?.same !== same) return refusal(400, "Invalid rewriteToken");
		const written = begun.written + this.rewriteBytes;
		const objectSize = source.resource.size;
		if (written < source.bytes.length) {
			const rewriteToken = `token-${++this.#ids}`;
			this.#rewrites.set(rewriteToken, { same, written });
			const json = { kind: "storage#rewriteResponse", totalBytesRewritten: String(written), objectSize, done: false };
			return { status: 200, json: { ...json, rewriteToken } };
		}
		// An empty body copies the metadata; any other replaces all of it.
		const metadata = Object.keys(json ?? {}).length > 0 ? json : source.resource;
		const { resource } = this.put(bucket, name, source.bytes, metadata);
		const done = { kind: "storage#rewriteResponse", totalBytesRewritten: objectSize, objectSize, done: true };
		return { status: 200, json: { ...done, resource } };
	}

	#delete(bucket: string, name: string, query: Record<string, string>): Reply {
		if (!this.#holds(bucket, name, query)) return refusal(412, "Precondition Failed");
		this.delete(bucket, name);
		return { status: 204 };
	}

	#begin(bucket: string, { query, json }: Recorded, endpoint: string): Reply {
		const { name = "" } = query;
		if (!this.#holds(bucket, name, query)) return refusal(412, "Precondition Failed");
		const id = `s${++this.#ids}`;
		this.#sessions.set(id, { bucket, name, metadata: json ?? {}, query, bytes: Buffer.alloc(0) });
		return { status: 200, headers: { location: `${endpoint}/session/${id}` } };
	}

	#session(id: string, { method, headers }: Recorded, body: Buffer): Reply {
		const session = this.#sessions.get(id);
		if (!session) return refusal(404, "Not Found");
		if (method === "DELETE") {
			this.#sessions.delete(id);
			return { status: 499 };
		}
		if (session.done) return session.done;
		const [, first, , total] = /^bytes (?:(\d+)-(\d+)|\*)\/(\d+|\*)$/.exec(headers["content-range"] ?? "") ?? [];
		if (first !== undefined) session.bytes = Buffer.concat([session.bytes.subarray(0, Number(first)), body]);
		if (session.bytes.length !== Number(total)) return incomplete(session.bytes.length);
		session.done = this.#finish(session, headers["x-goog-hash"]);
		return session.done;
	}

	#finish({ bucket, name, metadata, query, bytes }: Session, hash: unknown): Reply {
		if (!this.#holds(bucket, name, query)) return refusal(412, "Precondition Failed");
		const { crc32c } = new Checksum().update(bytes);
		const told = [metadata.crc32c, typeof hash === "string" ? hash.slice("crc32c=".length) : undefined];
		if (told.some((one) => one !== undefined && one !== crc32c)) return refusal(400, "crc32c does not match");
		return { status: 200, json: this.put(bucket, name, bytes, metadata).resource };
	}
}

const incomplete = (has: number): Reply => ({ status: 308, headers: has === 0 ? {} : { range: `bytes=0-${has - 1}` } });

function media({ resource, bytes }: Stored, { headers }: Recorded): Reply {
	const from = /^bytes=(\d+)-$/.exec(headers.range ?? "")?.[1];
	if (from !== undefined && Number(from) >= bytes.length) return refusal(416, "Requested range not satisfiable");
	const hash = { "x-goog-hash": `crc32c=${resource.crc32c}`, "x-goog-generation": resource.generation };
	// Decompressed on the way, unless the caller takes gzip.
	if (resource.contentEncoding === "gzip" && !headers["accept-encoding"]?.includes("gzip"))
		return refusal(500, "the test's callers are to take gzip");
	if (from === undefined) return { status: 200, headers: hash, bytes };
	return { status: 206, headers: hash, bytes: bytes.subarray(Number(from)) };
}
