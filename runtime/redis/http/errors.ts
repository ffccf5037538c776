/**
 * Every refusal a client can meet, by a code that never changes its meaning. `status` is the HTTP status it comes with,
 * `next` what to do about it; the sentence of an answer says it in the words of the case at hand.
 */
export const httpErrors = {
	INVALID_REQUEST: { status: 400, meaning: "the request breaks the schema", next: "correct what the sentence names" },
	INVALID_JSON: { status: 400, meaning: "the body is not JSON", next: "send well-formed JSON" },
	INVALID_KEY: {
		status: 400,
		meaning: "the key is empty, longer than 512 bytes or wrongly encoded",
		next: "use 1 to 512 bytes, percent-encoded",
	},
	INVALID_VALUE: {
		status: 400,
		meaning: "the value is not what its content type says",
		next: "send it as application/octet-stream",
	},
	UNAUTHORIZED: { status: 401, meaning: "no key, or a wrong one", next: "send a valid key in the header x-api-key" },
	NOT_FOUND: {
		status: 404,
		meaning: "nothing stands under this key: never written, deleted or expired",
		next: "write it first",
	},
	NO_ROUTE: { status: 404, meaning: "there is no such path", next: "see /openapi.json" },
	NO_NODE: { status: 404, meaning: "no node of this name is registered", next: "see /nodes" },
	METHOD_NOT_ALLOWED: {
		status: 405,
		meaning: "the path exists, but not with this method",
		next: "see the header Allow",
	},
	TIMEOUT: { status: 408, meaning: "the request did not arrive in time", next: "send it faster" },
	STAMP_AHEAD: {
		status: 409,
		meaning: "the stamp lies further in the future than clocks may differ",
		next: "set the clock it came from, or send no stamp",
	},
	STAMP_TOO_OLD: {
		status: 409,
		meaning: "the stamp is so old that a record under it could be dropped before it has reached every node",
		next: "send no stamp",
	},
	NOT_HELD: { status: 409, meaning: "the node is not held, so there is nothing to decide", next: "see /nodes" },
	REFUSED: { status: 409, meaning: "the manager does not do this now, and says why", next: "see the sentence" },
	TOO_LARGE: {
		status: 413,
		meaning: "a body, value or answer is over its limit",
		next: "send or ask for less at once",
	},
	UNSUPPORTED_MEDIA_TYPE: {
		status: 415,
		meaning: "the body has a content type or encoding that is not taken here",
		next: "send Content-Type: application/json",
	},
	RATE_LIMITED: {
		status: 429,
		meaning: "this key has used up its requests of this second",
		next: "wait for the seconds of Retry-After",
	},
	TOO_MANY_FAILURES: {
		status: 429,
		meaning: "too many wrong keys came from this address",
		next: "wait for the seconds of Retry-After",
	},
	HEADERS_TOO_LARGE: { status: 431, meaning: "headers over 16 KiB", next: "send less of them" },
	INTERNAL: { status: 500, meaning: "a defect of the manager", next: "find requestId in the manager's log" },
	NO_QUORUM: {
		status: 503,
		meaning: "no majority of the registered nodes answered",
		next: "repeat it with the same stamp; see /nodes",
	},
	UNAVAILABLE: { status: 503, meaning: "too few nodes answer for what an operator asked", next: "see /nodes" },
	NOT_READY: { status: 503, meaning: "no majority of nodes can be read and written", next: "see /health with a key" },
	STOPPING: { status: 503, meaning: "this manager is being stopped", next: "ask another manager" },
	OVERLOADED: {
		status: 503,
		meaning: "bodies under way fill the memory set aside for them",
		next: "repeat it after the seconds of Retry-After",
	},
} as const satisfies Record<string, { status: number; meaning: string; next: string }>;

export type ErrorCode = keyof typeof httpErrors;

/** What an answer may carry besides sentence and code. */
export interface ErrorDetails {
	requestId?: string;
	stamp?: string;
	timestamp?: number;
}

/** Body of every answer that is not a success. */
export interface ErrorBody extends ErrorDetails {
	/** What failed and what to do next. */
	error: string;
	code: ErrorCode;
}

/** Thrown where a request cannot be served as it is; becomes the answer. It never holds keys or values. */
export class Refusal extends Error {
	readonly code: ErrorCode;
	readonly statusCode: number;
	readonly headers: Readonly<Record<string, string>>;
	constructor(code: ErrorCode, sentence: string, headers: Record<string, string> = {}) {
		super(sentence);
		this.name = "Refusal";
		this.code = code;
		this.statusCode = httpErrors[code].status;
		this.headers = headers;
	}
}

/** The sentence of a code where the case adds nothing to it. */
export function sentence(code: ErrorCode): string {
	const { meaning, next } = httpErrors[code];
	return `${capital(meaning)}. ${capital(next)}.`;
}

const capital = (text: string): string => text[0]!.toUpperCase() + text.slice(1);

export function errorBody(code: ErrorCode, error = sentence(code), details: ErrorDetails = {}): ErrorBody {
	return { error, code, ...details };
}
