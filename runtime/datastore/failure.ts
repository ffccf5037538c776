import { HoldfastError } from "../errors.ts";

/** What a call fails with: grpc-js gives a status code and its details, the library for credentials a text only. */
export interface Told {
	code?: number | string;
	details?: string;
	message?: string;
}

export const LOG_IN =
	"log in with `gcloud auth application-default login`, or give the service account the role Cloud Datastore Viewer";

const INVALID_ARGUMENT = 3;
const DEADLINE_EXCEEDED = 4;
const PERMISSION_DENIED = 7;
const RESOURCE_EXHAUSTED = 8;
const FAILED_PRECONDITION = 9;
const ABORTED = 10;
const UNIMPLEMENTED = 12;
const INTERNAL = 13;
const UNAVAILABLE = 14;
const UNAUTHENTICATED = 16;

const NAMES: Record<number, string> = {
	[INVALID_ARGUMENT]: "INVALID_ARGUMENT",
	[DEADLINE_EXCEEDED]: "DEADLINE_EXCEEDED",
	[PERMISSION_DENIED]: "PERMISSION_DENIED",
	[RESOURCE_EXHAUSTED]: "RESOURCE_EXHAUSTED",
	[FAILED_PRECONDITION]: "FAILED_PRECONDITION",
	[ABORTED]: "ABORTED",
	[UNIMPLEMENTED]: "UNIMPLEMENTED",
	[INTERNAL]: "INTERNAL",
	[UNAVAILABLE]: "UNAVAILABLE",
	[UNAUTHENTICATED]: "UNAUTHENTICATED",
};

const PASSING = new Set<unknown>([DEADLINE_EXCEEDED, ABORTED, INTERNAL, UNAVAILABLE]);
/** Of fetching a token, on the way to the service. */
const NETWORK = new Set<unknown>(["ECONNREFUSED", "ECONNRESET", "ENOTFOUND", "EAI_AGAIN", "ETIMEDOUT", "EPIPE"]);

/** The service or the way to it fails for a moment. */
export const isPassing = ({ code }: Told): boolean => PASSING.has(code) || NETWORK.has(code);

/** Too much was asked in too short a time. */
export const isThrottled = ({ code }: Told): boolean => code === RESOURCE_EXHAUSTED;

/** The server does not know, or does not take, a request of this form. */
export const isRefusedForm = ({ code }: Told): boolean => code === INVALID_ARGUMENT || code === UNIMPLEMENTED;

const isTooOld = ({ code, details }: Told): boolean =>
	(code === FAILED_PRECONDITION || code === INVALID_ARGUMENT) && /too old/i.test(details ?? "");

const isCredentials = ({ code, message }: Told): boolean =>
	code === UNAUTHENTICATED ||
	code === PERMISSION_DENIED ||
	/default credentials|invalid_grant|invalid_rapt|refresh access token/i.test(message ?? "");

/**
 * What an operator is told of a call that failed for good. The service's own words are passed on where it refuses: it
 * was sent keys, kinds and namespaces, never a value.
 */
export function failureOf(what: string, told: Told, cause: unknown = told): HoldfastError {
	const code = (typeof told.code === "number" ? NAMES[told.code] : told.code) ?? `code ${told.code ?? "unknown"}`;
	if (isTooOld(told)) return new HoldfastError("HF_EXPIRED", `${what}: the read time is too old`, { cause });
	if (isCredentials(told))
		return new HoldfastError("HF_CREDENTIALS", `${what}: the credentials are refused or missing`, {
			next: LOG_IN,
			cause,
		});
	if (isPassing(told) || isThrottled(told))
		return new HoldfastError("HF_RETRY", `${what}: no answer after several tries (${code})`, { cause });
	const words = (told.details ?? "").slice(0, 300);
	return new HoldfastError("HF_REJECTED", `${what}: refused (${code}${words && `: ${words}`})`, { cause });
}
