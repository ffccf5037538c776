import type { Readable } from "node:stream";
import { HoldfastError } from "../errors.ts";
import type { ObjectInfo, Preconditions } from "./bucket.ts";
import { Checksum } from "./checksum.ts";
import { type Chunk, chunksOf } from "./chunks.ts";
import { Passing } from "./repeat.ts";
import { FIELDS, infoOf, keptOf, type Resource } from "./resource.ts";
import type { Answer, Transport } from "./transport.ts";

export interface Upload {
	bucket: string;
	object: string;
	contents: Readable | Buffer;
	info: Partial<ObjectInfo>;
	when: Preconditions;
}

/** How far a session is: bytes that the service has, or what came of it. */
type Reached = { has: number } | { object: ObjectInfo } | { refused: true };

/**
 * A resumable upload: after a broken connection the service is asked what it has, and the rest is sent. Holds one chunk
 * in memory. Nothing is written when `contents` fails, whose error is thrown. HF_DAMAGED when other bytes arrived.
 */
export async function upload(transport: Transport, wanted: Upload): Promise<ObjectInfo | undefined> {
	const session = await begin(transport, wanted);
	if (session === undefined) return undefined;
	const sent = new Checksum();
	try {
		for await (const chunk of chunksOf(wanted.contents)) {
			sent.update(chunk.bytes);
			const reached = await put(transport, wanted, session, chunk, sent);
			if ("refused" in reached) return undefined;
			if ("object" in reached) return await checked(transport, wanted, reached.object, sent);
		}
	} catch (error) {
		await transport.once({ what: "end an upload", method: "DELETE", path: session }).catch(() => undefined);
		throw error;
	}
	throw new HoldfastError("HF_REJECTED", `the upload of ${wanted.object} ended without an object`);
}

async function begin(
	transport: Transport,
	{ bucket, object, contents, info, when }: Upload,
): Promise<string | undefined> {
	const { status, headers } = await transport.json<Resource>({
		what: `upload ${object} to gs://${bucket}`,
		method: "POST",
		path: `/upload/storage/v1/b/${encodeURIComponent(bucket)}/o`,
		query: { uploadType: "resumable", name: object, ifGenerationMatch: when.ifGenerationMatch, fields: FIELDS },
		headers: {
			"content-type": "application/json; charset=UTF-8",
			"x-upload-content-type": info.contentType ?? "application/octet-stream",
		},
		body: JSON.stringify({
			name: object,
			...keptOf(info),
			...(Buffer.isBuffer(contents) && { crc32c: new Checksum().update(contents).crc32c }),
		}),
	});
	if (status === 412) return undefined;
	if (status < 300 && typeof headers.location === "string") return headers.location;
	throw new HoldfastError("HF_REJECTED", `gs://${bucket} does not take uploads of ${object} (status ${status})`);
}

/** Sends a chunk until the service has all of it. */
function put(transport: Transport, wanted: Upload, session: string, chunk: Chunk, sent: Checksum): Promise<Reached> {
	const end = chunk.start + chunk.bytes.length;
	const what = `upload ${wanted.object} to gs://${wanted.bucket}`;
	const total = chunk.last ? String(end) : "*";
	let has = chunk.start;
	return transport.repeat(async ({ attempt }) => {
		const ask = async (range: string, body?: Buffer, hash?: string) => {
			const headers = { "content-range": `bytes ${range}/${total}`, ...(hash && { "x-goog-hash": `crc32c=${hash}` }) };
			return reachedBy(await transport.once({ what, method: "PUT", path: session, headers, body: body ?? "" }), what);
		};
		let reached: Reached = attempt === 0 ? { has } : await ask("*");
		while ("has" in reached && (reached.has < end || chunk.last)) {
			if (reached.has < chunk.start) throw new HoldfastError("HF_RETRY", `the service lost bytes of the ${what}`);
			has = reached.has;
			const rest = chunk.bytes.subarray(has - chunk.start);
			reached = await ask(rest.length === 0 ? "*" : `${has}-${end - 1}`, rest, chunk.last ? sent.crc32c : undefined);
			if ("has" in reached && reached.has <= has) throw new Passing(`the service takes no bytes of the ${what}`);
		}
		return reached;
	});
}

async function reachedBy(answer: Answer, what: string): Promise<Reached> {
	const { statusCode: status, headers } = answer;
	const text = await answer.body.text().catch((cause) => {
		throw new Passing(`the answer to ${what} broke off`, { cause });
	});
	if (status < 300) return { object: infoOf(JSON.parse(text)) };
	if (status === 412) return { refused: true };
	if (status !== 308) throw new HoldfastError("HF_RETRY", `the session to ${what} is over (status ${status})`);
	// Without a range it has nothing.
	const last = /^bytes=0-(\d+)$/.exec(String(headers.range ?? ""))?.[1];
	return { has: last === undefined ? 0 : Number(last) + 1 };
}

/** Takes away what arrived otherwise than it was sent. */
async function checked(transport: Transport, { bucket, object }: Upload, info: ObjectInfo, sent: Checksum) {
	if (info.crc32c === sent.crc32c && info.size === sent.size) return info;
	const path = `/storage/v1/b/${encodeURIComponent(bucket)}/o/${encodeURIComponent(object)}`;
	const query = { ifGenerationMatch: info.generation, generation: info.generation };
	await transport.json({ what: `delete ${object} of gs://${bucket}`, method: "DELETE", path, query });
	throw new HoldfastError("HF_DAMAGED", `${object} arrived at gs://${bucket} with other bytes than were sent`, {
		next: "run the same command again; what arrived was deleted",
	});
}
