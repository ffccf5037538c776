import { ExponentialBackoff, handleWhen, retry } from "cockatiel";
import { MongoError, MongoNetworkError, MongoServerError, MongoServerSelectionError } from "mongodb";
import { describe, HoldfastError } from "../errors.ts";

/** The server did not get a write to a majority in time, or not at all. */
export class NotAcknowledged extends Error {}

/** Codes of a server that is changing its role or has no majority at the moment. */
const MOMENTARY = new Set([
	6, // HostUnreachable
	7, // HostNotFound
	64, // WriteConcernFailed
	79, // UnknownReplWriteConcern, while a config is replaced
	89, // NetworkTimeout
	91, // ShutdownInProgress
	100, // UnsatisfiableWriteConcern
	112, // WriteConflict
	134, // ReadConcernMajorityNotAvailableYet
	189, // PrimarySteppedDown
	262, // ExceededTimeLimit
	276, // IndexBuildAborted, by an election
	9001, // SocketException
	10107, // NotWritablePrimary
	11600, // InterruptedAtShutdown
	11602, // InterruptedDueToReplStateChange
	13435, // NotPrimaryNoSecondaryOk
	13436, // NotPrimaryOrSecondary
]);

const LABELS = ["RetryableWriteError", "TransientTransactionError"];

/** Whether the same page may go through when it is done again. */
export function mayPass(error: unknown): boolean {
	if (error instanceof HoldfastError) return error.code === "HF_RETRY" || error.code === "HF_UNREACHABLE";
	if (error instanceof NotAcknowledged || error instanceof MongoServerSelectionError) return true;
	if (error instanceof MongoNetworkError) return true;
	if (!(error instanceof MongoError)) return false;
	return LABELS.some((label) => error.hasErrorLabel(label)) || MOMENTARY.has(Number(error.code));
}

/** Does it again up to five times, with back-off, while its failures may pass and nobody stops it. */
export function retrying<T>(fn: () => Promise<T>, signal: AbortSignal): Promise<T> {
	const backoff = new ExponentialBackoff({ initialDelay: 250, maxDelay: 8000 });
	return retry(handleWhen(mayPass), { maxAttempts: 5, backoff }).execute(fn, signal);
}

/** What a failure means for the run. `what` was being done. */
export function finalError(error: unknown, what: string): unknown {
	if (error instanceof HoldfastError && error.code !== "HF_UNREACHABLE") return error;
	if (mayPass(error)) return new HoldfastError("HF_RETRY", `${what} failed (${describe(error)})`, { cause: error });
	if (!(error instanceof MongoServerError)) return error;
	// Without the server's words: they quote documents.
	const said = `${error.codeName ?? "error"} ${error.code}`;
	if (error.code === 13 || error.code === 18)
		return new HoldfastError("HF_CREDENTIALS", `${what}: the target's user may not do this (${said})`, {
			next: "give it readWrite on the ledger's database and on the target's",
		});
	return new HoldfastError("HF_REJECTED", `${what}: the target refused (${said})`);
}
