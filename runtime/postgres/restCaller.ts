import { Agent, request } from "undici";
import type { z } from "zod";
import { HoldfastError } from "../errors.ts";
import type { JsonObject } from "./dynamic.ts";

export interface RestEndpoint {
	/** The member's name, for messages. */
	member: string;
	/** `http://127.0.1.1:8008`. */
	url: string;
}

export interface RestOptions {
	/** For the verbs that change something. */
	auth?: { username: string; password: string };
	/** PEM texts; the certificate is asked for by the verbs that change something. */
	tls?: { ca: string; cert?: string; key?: string };
	/** Milliseconds a look may take; a change may take four times as long. @default 5000 */
	timeout?: number;
}

export interface Answer {
	status: number;
	text: string;
}

/** One call after the other to the REST API of one member; see PatroniRest for the errors. */
export class RestCaller {
	readonly #endpoint: RestEndpoint;
	readonly #options: RestOptions;
	readonly #agent: Agent;

	constructor(endpoint: RestEndpoint, options: RestOptions) {
		this.#endpoint = endpoint;
		this.#options = options;
		// Patroni speaks HTTP/1.0: a connection carries one request.
		this.#agent = new Agent({ connect: { timeout: 3000, ...options.tls }, pipelining: 0 });
	}

	close(): Promise<void> {
		return this.#agent.destroy();
	}

	async look<T>(path: string, schema: z.ZodType<T>): Promise<T> {
		return this.read(path, await this.ask("GET", path), schema);
	}

	/** What a `GET` brought, as far as it is used. */
	read<T>(path: string, answer: Answer, schema: z.ZodType<T>): T {
		const text = this.accept(answer, `GET ${path}`, [200]);
		try {
			return schema.parse(JSON.parse(text));
		} catch (cause) {
			throw new HoldfastError("HF_REJECTED", `${this.#endpoint.member} does not answer ${path} as Patroni 4 does`, {
				cause,
			});
		}
	}

	/** The text of an accepted answer. */
	accept({ status, text }: Answer, what: string, accepted: readonly number[]): string {
		if (accepted.includes(status)) return text;
		const code = status === 401 || status === 403 ? "HF_CREDENTIALS" : "HF_REJECTED";
		const words = text.trim().slice(0, 300);
		throw new HoldfastError(code, `Patroni of ${this.#endpoint.member} refused ${what}: ${status} ${words}`);
	}

	async ask(method: "GET" | "POST" | "PATCH", path: string, body?: JsonObject, ms?: number): Promise<Answer> {
		const { member, url } = this.#endpoint;
		const { timeout = 5000 } = this.#options;
		const limit = ms ?? (body ? 4 * timeout : timeout);
		try {
			const answer = await request(new URL(path, url), {
				...{ method, headers: body ? this.#headers() : {}, body: body ? JSON.stringify(body) : null },
				...{ dispatcher: this.#agent, signal: AbortSignal.timeout(limit), headersTimeout: limit, bodyTimeout: limit },
			});
			return { status: answer.statusCode, text: await answer.body.text() };
		} catch (cause) {
			throw new HoldfastError("HF_UNREACHABLE", `Patroni of ${member} does not answer at ${url} (${method} ${path})`, {
				cause,
			});
		}
	}

	#headers(): Record<string, string> {
		const json = { "content-type": "application/json" };
		const { auth } = this.#options;
		if (!auth) return json;
		const basic = Buffer.from(`${auth.username}:${auth.password}`).toString("base64");
		return { ...json, authorization: `Basic ${basic}` };
	}
}
