import { Agent, request } from "undici";
import { z } from "zod";
import { describe } from "../errors.ts";
import { type Answer, answerOf, type Ports } from "./answer.ts";

export interface FluxOptions {
	/** Of the API, without a path of its own. */
	url: string;
	/** Name of the application. */
	app: string;
	ports: Ports;
	/** Milliseconds for the whole answer. @default 5000 */
	timeoutMs?: number;
	/** Bytes that an answer may have. @default 1048576 */
	limit?: number;
	signal?: AbortSignal;
}

/** Flux answers 200 for its own errors too, with another status inside. Fields beyond these are left alone. */
const bodySchema = z.object({ status: z.literal("success"), data: z.array(z.object({ ip: z.string() })) });

class TooLarge extends Error {}

/** Where an application runs, by `GET {url}/apps/location/{app}`. Never rejects: what failed is part of the answer. */
export async function askFlux({ url, app, ports, timeoutMs = 5000, limit = 1_048_576, ...rest }: FluxOptions) {
	const timeout = AbortSignal.timeout(timeoutMs);
	const signal = rest.signal ? AbortSignal.any([timeout, rest.signal]) : timeout;
	const address = `${url.replace(/\/+$/, "")}/apps/location/${encodeURIComponent(app)}`;
	// Minutes lie between two calls: nothing is gained by a connection that stays.
	const dispatcher = new Agent({ connect: { timeout: timeoutMs }, pipelining: 0 });
	try {
		const { statusCode, body } = await request(address, {
			dispatcher,
			signal,
			headers: { accept: "application/json" },
		});
		if (statusCode !== 200) return unavailable(`${url} answers with HTTP status ${statusCode}`);
		return read(await bounded(body, limit), url, ports);
	} catch (error) {
		if (error instanceof TooLarge) return malformed(`the answer of ${url} has more than ${limit} bytes`);
		if (timeout.aborted) return unavailable(`no answer from ${url} within ${timeoutMs} ms`);
		return unavailable(`no answer from ${url} (${describe(error)})`);
	} finally {
		await dispatcher.destroy();
	}
}

const unavailable = (problem: string): Answer => ({ kind: "unavailable", problem });
const malformed = (problem: string): Answer => ({ kind: "malformed", problem });

async function bounded(body: AsyncIterable<Buffer>, limit: number): Promise<string> {
	const chunks: Buffer[] = [];
	let size = 0;
	for await (const chunk of body) {
		size += chunk.length;
		if (size > limit) throw new TooLarge();
		chunks.push(chunk);
	}
	return Buffer.concat(chunks).toString("utf8");
}

function read(text: string, url: string, ports: Ports): Answer {
	let body: unknown;
	try {
		body = JSON.parse(text);
	} catch {
		return malformed(`the answer of ${url} is not JSON`);
	}
	const parsed = bodySchema.safeParse(body);
	if (parsed.success)
		return answerOf(
			parsed.data.data.map(({ ip }) => ip),
			ports,
			(i) => `data[${i}].ip in the answer of ${url}`,
		);
	const [issue] = parsed.error.issues;
	const where = issue!.path.length === 0 ? "it" : issue!.path.join(".");
	return malformed(`the answer of ${url} is not in Flux's form: ${where}: ${issue!.message}`);
}
