import type { IRetryContext } from "cockatiel";
import { Agent, type Dispatcher, request } from "undici";
import { HoldfastError } from "../errors.ts";
import type { Headers } from "./credentials.ts";
import { Passing, type RepeatOptions, repeater, waitOf } from "./repeat.ts";

export interface Call {
	/** For messages: `read a/b of gs://bucket`. */
	what: string;
	method: "GET" | "POST" | "PUT" | "DELETE";
	/** Path at the endpoint, or the whole URL of an upload's session, which is called without credentials. */
	path: string;
	query?: Record<string, string | number | undefined>;
	headers?: Headers;
	body?: string | Buffer;
	signal?: AbortSignal;
}
export type Answer = Dispatcher.ResponseData;

export interface TransportOptions extends RepeatOptions {
	/** Base URL of the service. */
	endpoint: string;
	credentials: () => Promise<Headers>;
	/** Told of every 429 and 503: the caller is to go slower. */
	onBusy?: () => void;
}

/** Answers that callers decide on: not modified, go on uploading, none, gone, a precondition, an empty range. */
const ANSWERS = new Set([304, 308, 404, 410, 412, 416]);
const TIMEOUT_MS = 120_000;

/** Calls of one service's JSON API. */
export class Transport {
	readonly endpoint: string;
	/** Repeats whatever throws `Passing`. */
	readonly repeat: <T>(call: (context: IRetryContext) => Promise<T>) => Promise<T>;
	readonly #options: TransportOptions;
	readonly #agent = new Agent({ connect: { timeout: 10_000 }, headersTimeout: TIMEOUT_MS, bodyTimeout: TIMEOUT_MS });

	constructor(options: TransportOptions) {
		this.endpoint = options.endpoint.replace(/\/+$/, "");
		this.repeat = repeater(options);
		this.#options = options;
	}

	/** One try. Throws `Passing`, HF_CREDENTIALS (401, 403) and HF_REJECTED (other refusals). The body is unread. */
	async once({ what, method, path, query = {}, headers, body, signal }: Call): Promise<Answer> {
		const own = path.startsWith("/");
		const url = new URL(own ? `${this.endpoint}${path}` : path);
		for (const [name, value] of Object.entries(query))
			if (value !== undefined) url.searchParams.set(name, String(value));
		const identity = own ? await this.#options.credentials() : {};
		let answer: Answer;
		try {
			const options = { dispatcher: this.#agent, method, headers: { ...identity, ...headers }, signal };
			answer = await request(url, { ...options, body: body ?? null });
		} catch (cause) {
			throw new Passing(`${this.endpoint} does not answer to ${what}`, { cause });
		}
		if (answer.statusCode < 300 || ANSWERS.has(answer.statusCode)) return answer;
		throw await this.#refusal(what, answer);
	}

	async #refusal(what: string, { statusCode: status, headers, body }: Answer): Promise<Error> {
		const said = reasonOf(await body.text().catch(() => ""));
		const message = `${this.endpoint} refuses to ${what} (status ${status}${said === "" ? "" : `: ${said}`})`;
		if (status === 429 || status === 503) this.#options.onBusy?.();
		if (status === 408 || status === 429 || status >= 500)
			return new Passing(message, { status, waitMs: waitOf(headers["retry-after"], Date.now()) });
		return new HoldfastError(status === 401 || status === 403 ? "HF_CREDENTIALS" : "HF_REJECTED", message, {
			next: status === 401 || status === 403 ? "give the account a role for the bucket's objects" : undefined,
		});
	}

	/** The JSON of an answer, or its status where that is an answer in itself. Repeats, so it is for reads and for writes under a precondition. */
	json<T>(call: Call): Promise<{ status: number; value?: T; headers: Answer["headers"] }> {
		return this.repeat(async () => {
			const { statusCode: status, headers, body } = await this.once(call);
			try {
				const text = await body.text();
				return { status, headers, ...(status < 300 && text !== "" && { value: JSON.parse(text) as T }) };
			} catch (cause) {
				throw new Passing(`the answer of ${this.endpoint} to ${call.what} broke off`, { cause });
			}
		});
	}

	async close(): Promise<void> {
		await this.#agent.destroy();
	}
}

/** What the service says of a refusal, on one line. */
function reasonOf(text: string): string {
	let said: unknown;
	try {
		said = JSON.parse(text)?.error?.message;
	} catch {
		said = text;
	}
	return typeof said === "string" ? said.replace(/\s+/g, " ").trim().slice(0, 300) : "";
}
