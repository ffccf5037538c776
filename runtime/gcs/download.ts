import { Readable } from "node:stream";
import { HoldfastError } from "../errors.ts";
import { Checksum } from "./checksum.ts";
import { ObjectGone } from "./gone.ts";
import { Passing } from "./repeat.ts";
import type { Answer, Transport } from "./transport.ts";

const MOST_BARREN = 7;

export interface Download {
	/** Path of the object's resource. */
	path: string;
	object: string;
	/** For messages. */
	bucket: string;
	generation: string;
	/** Byte to begin at. @default 0 */
	start?: number;
}

/**
 * One generation of an object, byte for byte as it is stored; a connection that breaks is taken up at the byte where it
 * did. A whole object is checked against the service's CRC32C at its end. ObjectGone, HF_DAMAGED.
 */
export async function download(transport: Transport, wanted: Download): Promise<Readable> {
	const ended = new AbortController();
	const from = wanted.start ?? 0;
	const first = await transport.repeat(() => open(transport, wanted, from, ended.signal));
	const stream = Readable.from(bytes(transport, wanted, first, ended.signal), { objectMode: false });
	return stream.once("close", () => ended.abort());
}

async function open(
	transport: Transport,
	{ path, object, bucket, generation }: Download,
	at: number,
	signal: AbortSignal,
) {
	const answer = await transport.once({
		what: `read ${object} of ${bucket}`,
		method: "GET",
		path,
		query: { alt: "media", generation },
		// Without it the service would decompress what is stored as gzip: other bytes, and no ranges.
		headers: { "accept-encoding": "gzip", ...(at > 0 && { range: `bytes=${at}-` }) },
		signal,
	});
	const { statusCode: status } = answer;
	if (status === 200 || status === 206 || status === 416) return answer;
	await answer.body.dump();
	if (status === 404) throw new ObjectGone(object, bucket);
	throw new HoldfastError("HF_REJECTED", `${bucket} answers with status ${status} to reading ${object}`);
}

async function* bytes(transport: Transport, wanted: Download, first: Answer, signal: AbortSignal) {
	const start = wanted.start ?? 0;
	const expected = /crc32c=([^,\s]+)/.exec([first.headers["x-goog-hash"]].flat().join(","))?.[1];
	const read = new Checksum();
	let answer: Answer | undefined = first;
	/** Connections in a row that brought nothing. */
	let barren = 0;
	if (first.statusCode === 416) return await first.body.dump();
	while (answer !== undefined) {
		if (read.size + start > 0 && answer.statusCode === 200)
			throw new HoldfastError("HF_REJECTED", `${wanted.bucket} does not answer for a part of ${wanted.object}`);
		const before: number = read.size;
		try {
			for await (const chunk of answer.body as AsyncIterable<Buffer>) {
				read.update(chunk);
				yield chunk;
			}
			answer = undefined;
		} catch (cause) {
			signal.throwIfAborted();
			barren = read.size === before ? barren + 1 : 0;
			answer = await again(transport, wanted, start + read.size, { barren, cause, signal });
		}
	}
	if (start === 0 && expected !== undefined && read.crc32c !== expected)
		throw new HoldfastError(
			"HF_DAMAGED",
			`${wanted.object} of ${wanted.bucket} was read with another CRC32C than its own`,
		);
}

/** Goes on from a byte; waits first where the last connections brought nothing. */
function again(
	transport: Transport,
	wanted: Download,
	at: number,
	{ barren, cause, signal }: { barren: number; cause: unknown; signal: AbortSignal },
): Promise<Answer> {
	const broken = `reading ${wanted.object} of ${wanted.bucket} broke off`;
	if (barren > MOST_BARREN) throw new HoldfastError("HF_RETRY", broken, { cause });
	return transport.repeat(({ attempt }) => {
		if (barren > 0 && attempt === 0) throw new Passing(broken, { cause });
		return open(transport, wanted, at, signal);
	});
}
