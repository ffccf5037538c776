import { setTimeout as sleep } from "node:timers/promises";
import { HoldfastError } from "../errors.ts";
import { EtcdError, type EtcdTls, type GatewayAnswer, Transport } from "./transport.ts";

export interface EtcdCredential {
	user: string;
	password: string;
}

export interface GatewayOptions {
	/** Client URLs, tried in turn. */
	endpoints: readonly string[];
	/** Tried in turn; a cluster without users takes any. */
	credentials?: readonly EtcdCredential[];
	tls?: EtcdTls;
}

export interface CallOptions {
	/** Only these endpoints, in this order. @default all */
	at?: readonly string[];
	/** Milliseconds for each endpoint. @default 3000 */
	ms?: number;
	/** The call changes something: asked elsewhere only when it was surely not sent. */
	changes?: boolean;
}

const CALL_MS = 3000;
const TOKEN_TRIES = 4;
/** etcd keeps tokens in memory: a restart, or a change of users, asks for a new one. The call itself was not made. */
const STALE_TOKEN = ["invalid auth token", "revision of auth store is old", "user name is empty"];
const UNPROTECTED = "authentication is not enabled";
const NOT_FOR_LEARNERS = "rpc not supported for learner";

/** etcd's HTTP/JSON gateway: every call has a deadline, asks the endpoints in turn, and logs in when that is needed. */
export class EtcdGateway {
	endpoints: readonly string[];
	readonly #credentials: readonly EtcdCredential[];
	readonly #transport: Transport;
	/** By endpoint; `""` where no login is needed. */
	readonly #tokens = new Map<string, string>();

	constructor({ endpoints, credentials = [], tls }: GatewayOptions) {
		this.endpoints = endpoints;
		this.#credentials = credentials;
		this.#transport = new Transport(tls);
	}

	/** HF_UNREACHABLE, HF_REJECTED or HF_CREDENTIALS as EtcdError, naming the last endpoint that was asked. */
	async call(path: string, body: object = {}, options: CallOptions = {}): Promise<GatewayAnswer> {
		const { at = this.endpoints, ms = CALL_MS, changes = false } = options;
		return this.#inTurn(at, changes, (endpoint) =>
			this.#withToken(endpoint, ms, (token) => this.#transport.call(endpoint, path, body, ms, token)),
		);
	}

	/** The same for an answer in many parts. */
	async stream(path: string, body: object = {}, { at = this.endpoints, ms = CALL_MS }: CallOptions = {}) {
		return this.#inTurn(at, false, (endpoint) =>
			this.#withToken(endpoint, ms, (token) => this.#transport.open(endpoint, path, body, ms, token)),
		);
	}

	async #inTurn<T>(endpoints: readonly string[], changes: boolean, ask: (endpoint: string) => Promise<T>): Promise<T> {
		let last: unknown = new HoldfastError("HF_UNREACHABLE", "no endpoint of the etcd cluster is known");
		for (const endpoint of endpoints) {
			try {
				return await ask(endpoint);
			} catch (error) {
				if (!(error instanceof EtcdError) || error.outcome === "refused") throw error;
				if (changes && error.outcome === "unknown") throw error;
				last = error;
			}
		}
		throw last;
	}

	async #withToken<T>(endpoint: string, ms: number, ask: (token: string) => Promise<T>): Promise<T> {
		for (let attempt = 1; ; attempt++) {
			const token = await this.#token(endpoint, ms);
			try {
				return await ask(token);
			} catch (error) {
				const stale = error instanceof EtcdError && STALE_TOKEN.some((words) => error.reason.includes(words));
				if (!stale) throw error;
				if (this.#credentials.length === 0 || attempt === TOKEN_TRIES) throw loginNeeded(endpoint, error.reason);
				this.#tokens.delete(endpoint);
				// A learner hears of a token a moment later than the voter that gave it.
				await sleep(50 * attempt);
			}
		}
	}

	async #token(endpoint: string, ms: number): Promise<string> {
		if (this.#credentials.length === 0) return "";
		const known = this.#tokens.get(endpoint);
		if (known !== undefined) return known;
		const token = (await this.#login(endpoint, ms)) ?? (await this.#borrow(endpoint, ms));
		this.#tokens.set(endpoint, token);
		return token;
	}

	/** `undefined` at a learner, which logs nobody in. */
	async #login(endpoint: string, ms: number): Promise<string | undefined> {
		for (const { user, password } of this.#credentials) {
			try {
				return String((await this.#transport.call(endpoint, "auth/authenticate", { name: user, password }, ms)).token);
			} catch (error) {
				if (!(error instanceof EtcdError)) throw error;
				if (error.reason.includes(UNPROTECTED)) return "";
				if (error.reason.includes(NOT_FOR_LEARNERS)) return undefined;
				if (!error.reason.includes("authentication failed")) throw error;
			}
		}
		const { user } = this.#credentials[0]!;
		throw new EtcdError("HF_CREDENTIALS", `etcd at ${endpoint} refuses the password of ${user}`, {
			outcome: "refused",
		});
	}

	/** Tokens count in the whole cluster. */
	async #borrow(learner: string, ms: number): Promise<string> {
		const others = this.endpoints.filter((endpoint) => endpoint !== learner);
		return this.#inTurn(others, false, async (endpoint) => (await this.#login(endpoint, ms)) ?? "");
	}

	/** Logs in as somebody else, once: `true` when the password counts, also where no users are needed yet. */
	async accepts({ user, password }: EtcdCredential, ms = CALL_MS): Promise<boolean> {
		try {
			await this.#inTurn(this.endpoints, false, (endpoint) =>
				this.#transport.call(endpoint, "auth/authenticate", { name: user, password }, ms),
			);
			return true;
		} catch (error) {
			if (!(error instanceof EtcdError) || error.outcome !== "refused") throw error;
			if (error.reason.includes(UNPROTECTED)) return true;
			if (error.reason.includes("authentication failed")) return false;
			throw error;
		}
	}

	async close(): Promise<void> {
		await this.#transport.close();
	}
}

const loginNeeded = (endpoint: string, reason: string) =>
	new EtcdError("HF_CREDENTIALS", `etcd at ${endpoint} asks for a login (${reason})`, { outcome: "refused", reason });
