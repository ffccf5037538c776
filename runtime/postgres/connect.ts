import { setTimeout as sleep } from "node:timers/promises";
import { Client } from "pg";
import { describe, HoldfastError } from "../errors.ts";
import { hostport } from "../platform/model.ts";

export type { Client };
/** What runs SQL. */
export type Session = Pick<Client, "query">;

export interface Login {
	user: string;
	password: string;
}

export interface MemberAddress {
	host: string;
	port: number;
	/** Its Patroni's REST API, where known. */
	patroni?: { host: string; port: number };
}

export interface ClusterAddress {
	/** All members that may lead. */
	hosts: readonly MemberAddress[];
	/** With TLS: the authority (PEM) that every member's certificates must come from. */
	tls?: { ca: string };
}

export interface ConnectOptions {
	tls?: { ca: string };
	/** @default "postgres" */
	database?: string;
	/** Milliseconds to be connected and logged in. @default 5000 */
	connectMs?: number;
	/** Milliseconds for one statement, at the server and here: the server's limit does not end a commit that waits for a standby. @default 120000 */
	statementMs?: number;
	/** A superuser's session: no object of anybody shadows a built-in one, and no statement is logged with the verifier in it. */
	admin?: boolean;
}

const ADMIN = [
	"search_path=",
	"log_statement=none",
	"log_min_error_statement=panic",
	"log_min_duration_statement=-1",
	"log_min_duration_sample=-1",
	"log_transaction_sample_rate=0",
	"log_parameter_max_length=0",
	"log_parameter_max_length_on_error=0",
	"pg_stat_statements.track_utility=off",
]
	.map((setting) => `-c ${setting}`)
	.join(" ");

/** Milliseconds that the server gets to say why, before it is given up on. */
const GRACE_MS = 5000;

/** A session on exactly this member, logged in. The caller ends it (`endSession`). Throws what the driver threw. */
export async function connectTo(
	{ host, port }: MemberAddress,
	{ user, password }: Login,
	{ tls, database = "postgres", connectMs = 5000, statementMs = 120_000, admin = false }: ConnectOptions = {},
): Promise<Client> {
	const client = new Client({
		...{ host, port, user, password, database, application_name: "holdfast", keepAlive: true },
		// `host` names whom the certificate must be of; an address has no server name to be asked by.
		ssl: tls ? { ca: tls.ca, host } : false,
		enableChannelBinding: tls !== undefined,
		connectionTimeoutMillis: connectMs,
		statement_timeout: statementMs,
		query_timeout: statementMs + GRACE_MS,
		lock_timeout: 15_000,
		idle_in_transaction_session_timeout: 60_000,
		...(admin ? { options: ADMIN } : {}),
	});
	// A connection that breaks while it is idle has nobody else to tell; its next statement fails.
	client.on("error", () => {});
	try {
		await client.connect();
		return client;
	} catch (error) {
		await endSession(client);
		throw error;
	}
}

/** Says goodbye, without waiting long for a server that is gone. */
export async function endSession(client: Client): Promise<void> {
	const tooLong = sleep(1000, undefined, { ref: false });
	await Promise.race([client.end().catch(() => {}), tooLong]);
}

const stateOf = (error: unknown): string => {
	const { code } = error as { code?: unknown };
	return typeof code === "string" ? code : "";
};

/** Whether the server said that the credential is wrong; any other failure is not an answer. */
export const isRefused = (error: unknown): boolean => ["28P01", "28000"].includes(stateOf(error));

/** An answer of the server carries five digits and capitals; what the driver throws itself, a name or nothing. */
export const isAnswer = (error: unknown): boolean =>
	/^[0-9A-Z]{5}$/.test(stateOf(error)) && "severity" in (error as object);

/** SQLSTATEs of a member that leads no longer: connection lost, shutting down, starting up, read-only. */
const FAILOVER = /^(08...|57P0[123]|25006)$/;
const BROKEN = /^(Connection terminated|Client has encountered a connection error|Query read timeout|timeout expired)/;

/** Whether the connection broke or the member is no longer the leader: worth one look for another. */
export function isFailover(error: unknown): boolean {
	if (!(error instanceof Error) || error instanceof HoldfastError) return false;
	if (isAnswer(error)) return FAILOVER.test(stateOf(error));
	return BROKEN.test(error.message) || /^E[A-Z]+$/.test(stateOf(error));
}

/**
 * Whether the member lets this login in, which proves the password: what is refused after that (no such database, too
 * many connections) is no matter of the password. Throws HF_UNREACHABLE when nobody answers.
 */
export async function logsIn(member: MemberAddress, login: Login, options: ConnectOptions = {}): Promise<boolean> {
	try {
		await endSession(await connectTo(member, login, options));
		return true;
	} catch (error) {
		if (isRefused(error)) return false;
		if (isAnswer(error) && !FAILOVER.test(stateOf(error))) return true;
		throw new HoldfastError("HF_UNREACHABLE", `no answer to a login at ${hostport(member)} (${describe(error)})`, {
			cause: error,
		});
	}
}
