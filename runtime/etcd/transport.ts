import { Agent, request } from "undici";
import { describe, HoldfastError } from "../errors.ts";

/** PEM texts. With a client certificate, its subject has no CommonName: etcd's gateway refuses others once users exist. */
export interface EtcdTls {
	ca: string;
	cert?: string;
	key?: string;
}

/** Whether a call that failed had an effect: surely not (`refused`, `unsent`), or nobody knows. */
export type Outcome = "refused" | "unsent" | "unknown";

/** A call to etcd that failed. The message names the endpoint and the call; it never holds what was sent. */
export class EtcdError extends HoldfastError {
	readonly outcome: Outcome;
	/** etcd's own words; `""` when it gave none. */
	readonly reason: string;
	constructor(
		code: HoldfastError["code"],
		message: string,
		options: { outcome: Outcome; reason?: string; next?: string; cause?: unknown },
	) {
		super(code, message, options);
		this.name = "EtcdError";
		this.outcome = options.outcome;
		this.reason = options.reason ?? "";
	}
}

/** An entry of the member list, as the gateway writes it. */
export interface GatewayMember {
	ID: string;
	name?: string;
	peerURLs?: string[];
	clientURLs?: string[];
	isLearner?: boolean;
}

/** What is read of the gateway's answers: bytes are base64, 64-bit numbers decimal text; empty and zero is left out. */
export interface GatewayAnswer {
	header?: { cluster_id?: string; member_id?: string; revision?: string };
	member?: GatewayMember;
	members?: GatewayMember[];
	alarms?: { memberID?: string; alarm?: string }[];
	kvs?: { key: string; value?: string; lease?: string }[];
	succeeded?: boolean;
	/** Of a lease. */
	ID?: string;
	result?: { TTL?: string };
	token?: string;
	enabled?: boolean;
	users?: string[];
	roles?: string[];
	perm?: { permType?: string; key?: string; range_end?: string }[];
	version?: string;
	leader?: string;
	raftIndex?: string;
	raftAppliedIndex?: string;
	raftTerm?: string;
	dbSize?: string;
	dbSizeInUse?: string;
	dbSizeQuota?: string;
	isLearner?: boolean;
	errors?: string[];
}

const CONNECT_MS = 2000;
/** Nothing was sent. Errors of a handshake are named by OpenSSL or Node in many ways, so they are not all here. */
const UNSENT = new Set([
	...["ECONNREFUSED", "EHOSTUNREACH", "ENETUNREACH", "EADDRNOTAVAIL", "ENOTFOUND", "EAI_AGAIN"],
	...["UND_ERR_CONNECT_TIMEOUT", "DEPTH_ZERO_SELF_SIGNED_CERT", "SELF_SIGNED_CERT_IN_CHAIN", "CERT_HAS_EXPIRED"],
	...["UNABLE_TO_VERIFY_LEAF_SIGNATURE", "ERR_TLS_CERT_ALTNAME_INVALID", "UNABLE_TO_GET_ISSUER_CERT_LOCALLY"],
]);
/** gRPC codes after which a change may have been made: Canceled, Unknown, DeadlineExceeded, Internal, Unavailable. */
const UNKNOWN = new Set([1, 2, 4, 13, 14]);

/** One connection pool to the HTTP gateways of a cluster's members. */
export class Transport {
	readonly #agent: Agent;
	constructor(tls?: EtcdTls) {
		this.#agent = new Agent({ connect: { ...tls, timeout: CONNECT_MS }, connections: 4, pipelining: 1 });
	}

	/** The body of a successful answer, unread. `ms` bounds the whole call, the body's end included. */
	async open(endpoint: string, path: string, body: object, ms: number, token = "") {
		const signal = AbortSignal.timeout(Math.max(1, ms));
		const headers = { "content-type": "application/json", ...(token ? { authorization: token } : {}) };
		const what = `${path} at ${endpoint}`;
		try {
			const options = { method: "POST", dispatcher: this.#agent, headers, signal } as const;
			const answer = await request(`${endpoint}/v3/${path}`, { ...options, body: JSON.stringify(body) });
			if (answer.statusCode >= 400) throw refused(what, answer.statusCode, await answer.body.text());
			return answer.body;
		} catch (error) {
			throw broken(what, error, ms);
		}
	}

	async call(endpoint: string, path: string, body: object, ms: number, token?: string): Promise<GatewayAnswer> {
		const answer = await this.open(endpoint, path, body, ms, token);
		let text = "";
		try {
			text = await answer.text();
			return JSON.parse(text) as GatewayAnswer;
		} catch (error) {
			throw broken(`${path} at ${endpoint}`, error instanceof SyntaxError ? new Error("no JSON") : error, ms);
		}
	}

	async close(): Promise<void> {
		await this.#agent.destroy();
	}
}

/** What etcd answers instead of doing it. */
export function refused(what: string, status: number, text: string): EtcdError {
	let said: { code?: number; message?: string; error?: { code?: number; message?: string } | string };
	try {
		said = JSON.parse(text);
	} catch {
		// Not etcd's gateway, or one of its plain-text answers.
		said = { message: text.slice(0, 200).trim() };
	}
	const { code, message } = typeof said.error === "object" ? said.error : said;
	const reason = message ?? `HTTP status ${status}`;
	const unknown = UNKNOWN.has(Number(code)) || (code === undefined && status >= 500);
	return new EtcdError(unknown ? "HF_UNREACHABLE" : "HF_REJECTED", `etcd refuses ${what} (${reason})`, {
		outcome: unknown ? "unknown" : "refused",
		reason,
		next: reason.includes("database space exceeded")
			? "compact, defragment and disarm the alarm (docs/runbook.md, etcd is full)"
			: undefined,
	});
}

function broken(what: string, error: unknown, ms: number): EtcdError {
	if (error instanceof EtcdError) return error;
	const { code, name } = error as { code?: string; name?: string };
	if (name === "TimeoutError" || name === "AbortError")
		return new EtcdError("HF_UNREACHABLE", `no answer to ${what} within ${ms} ms`, { outcome: "unknown" });
	const outcome = UNSENT.has(String(code)) ? "unsent" : "unknown";
	return new EtcdError("HF_UNREACHABLE", `no answer to ${what} (${describe(error)})`, { outcome, cause: error });
}
