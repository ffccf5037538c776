import { setTimeout as sleep } from "node:timers/promises";
import { Client } from "pg";
import { within } from "./within.ts";

/** One acknowledged row. */
export interface Acknowledged {
	id: number;
	/** Timeline of the server that acknowledged it. */
	timeline: number;
	/** Milliseconds since the writers began. */
	at: number;
}

export interface PostgresReport {
	acknowledged: Acknowledged[];
	/** What reached the applications: statements and connections that failed, or whose outcome is not known. */
	errors: string[];
	/** Longest time in ms without an acknowledged row of any writer, since the mark. */
	longestGapMs: number;
	/** Rows acknowledged on a timeline after one of a newer timeline was. */
	superseded: number;
}

export interface Server {
	host: string;
	port: number;
}

export interface Login {
	user: string;
	password: string;
	database: string;
	ssl?: object;
}

/** A commit that hangs is ended by nothing but the client: no server setting does it. */
const DEADLINE_MS = 2000;
/** Milliseconds between two probes of the same server. */
const PROBE_MS = 200;
/** How long the answers of other servers are waited for once one says that it takes writes. */
const OTHERS_MS = 500;
const TABLE = "acks";
/** PostgreSQL's words, as a user's or an administrator's request makes it give up: the commit is local only. */
const CANCELLED = /cancell?ing (the )?wait for synchronous replication/;
const TIMELINE = "('x' || left(pg_walfile_name(pg_current_wal_insert_lsn()), 8))::bit(32)::int";

/** Unique in a test file, so that one table serves all its writers. */
let nextId = 0;

/**
 * Applications, each on a connection to whichever server takes writes, which it keeps until it fails; and a probe for
 * each server, which writes to that one over a new connection every time: so a server that takes writes beside the
 * leader is found although every application has gone on to the leader, or has not.
 */
export class PostgresWriters {
	readonly #servers: readonly Server[];
	readonly #login: Login;
	readonly #acknowledged: Acknowledged[] = [];
	readonly #errors: string[] = [];
	readonly #running: Promise<void>[];
	readonly #begin = performance.now();
	readonly #pauseMs: number;
	#last = performance.now();
	#longest = 0;
	#stopped = false;

	/** The table must be there (`prepareAcks`). */
	constructor(servers: readonly Server[], login: Login, { applications = 4, pauseMs = 10 } = {}) {
		this.#servers = servers;
		this.#login = login;
		this.#pauseMs = pauseMs;
		const writers = [...Array(applications)].map(() => this.#write());
		this.#running = [...writers, ...servers.map((server) => this.#probe(server))];
	}

	async #write(): Promise<void> {
		let client: Client | undefined;
		while (!this.#stopped) {
			const id = nextId++;
			try {
				client ??= await writable(this.#servers, this.#login);
				this.#note(id, await insert(client, id));
			} catch (error) {
				this.#errors.push(`${id}: ${(error as Error).message}`);
				// Whatever it was connected to may be superseded: nothing more is written there.
				abandon(client);
				client = undefined;
				await sleep(50);
			}
			await sleep(this.#pauseMs);
		}
		if (client) await end(client);
	}

	/** Its failures are no application's: most servers refuse writes most of the time. */
	async #probe(server: Server): Promise<void> {
		while (!this.#stopped) {
			const id = nextId++;
			let client: Client | undefined;
			try {
				client = await connectTo(server, this.#login);
				if ((await timelineOf(client)) !== undefined) this.#note(id, await insert(client, id));
				await end(client);
			} catch {
				abandon(client);
			}
			await sleep(PROBE_MS);
		}
	}

	#note(id: number, timeline: number): void {
		const now = performance.now();
		this.#longest = Math.max(this.#longest, now - this.#last);
		this.#last = now;
		this.#acknowledged.push({ id, timeline, at: now - this.#begin });
	}

	get count(): number {
		return this.#acknowledged.length;
	}

	/** Forgets gaps and errors so far: those of the first connections are of no interest. */
	mark(): void {
		this.#longest = 0;
		this.#last = performance.now();
		this.#errors.length = 0;
	}

	/** The longest gap since the mark, one that goes on included. */
	get gapMs(): number {
		return Math.round(Math.max(this.#longest, performance.now() - this.#last));
	}

	/** Waits until `more` further rows were acknowledged, or fails after `ms`. */
	async progress(more: number, ms = 120_000): Promise<void> {
		const before = this.count;
		for (const until = Date.now() + ms; this.count < before + more; await sleep(20)) {
			if (Date.now() < until) continue;
			const said = this.#errors.slice(-3).join("; ");
			throw new Error(`only ${this.count - before} of ${more} rows in ${ms} ms; ${said}`);
		}
	}

	async stop(): Promise<PostgresReport> {
		const longestGapMs = this.gapMs;
		this.#stopped = true;
		await Promise.all(this.#running);
		const acknowledged = this.#acknowledged;
		return { acknowledged, errors: this.#errors, longestGapMs, superseded: supersededOf(acknowledged) };
	}
}

export function supersededOf(rows: readonly Acknowledged[]): number {
	let newest = 0;
	let count = 0;
	for (const { timeline } of rows) {
		if (timeline < newest) count++;
		newest = Math.max(newest, timeline);
	}
	return count;
}

/** Without a word to the server, which may not listen. */
function abandon(client: Client | undefined): void {
	(client as unknown as { connection: { stream: { destroy(): void } } } | undefined)?.connection.stream.destroy();
}

async function end(client: Client): Promise<void> {
	await within("the end", DEADLINE_MS, client.end()).catch(() => abandon(client));
}

/** The timeline on which the row was acknowledged; throws when it was not. */
async function insert(client: Client, id: number): Promise<number> {
	let cancelled = false;
	const notice = ({ message = "" }: { message?: string }) => {
		cancelled ||= CANCELLED.test(message);
	};
	client.on("notice", notice);
	try {
		const text = `INSERT INTO ${TABLE} VALUES ($1) RETURNING ${TIMELINE} AS timeline`;
		const { rows } = await within("an answer", DEADLINE_MS, client.query(text, [id]));
		if (cancelled) throw new Error("the wait for a standby was cancelled: not acknowledged");
		return Number(rows[0].timeline);
	} finally {
		client.off("notice", notice);
	}
}

export async function connectTo(server: Server, login: Login): Promise<Client> {
	const client = new Client({ ...server, ...login, connectionTimeoutMillis: DEADLINE_MS });
	// One that breaks while nothing is asked tells it with the next statement.
	client.on("error", () => {});
	try {
		await within("a connection", DEADLINE_MS + 500, client.connect());
		return client;
	} catch (error) {
		abandon(client);
		throw error;
	}
}

/** Timeline of a server that takes writes; `undefined` for a standby. */
async function timelineOf(client: Client): Promise<number | undefined> {
	const text = `SELECT CASE WHEN NOT pg_is_in_recovery() THEN ${TIMELINE} END AS timeline`;
	const { rows } = await within("an answer", DEADLINE_MS, client.query(text));
	return rows[0].timeline === null ? undefined : Number(rows[0].timeline);
}

/** A connection to the server that takes writes; where more than one says so, to that of the newest timeline. */
export async function writable(servers: readonly Server[], login: Login): Promise<Client> {
	const found: { client: Client; timeline: number }[] = [];
	let chosen: Client | undefined;
	const asked = servers.map(async (server) => {
		const client = await connectTo(server, login);
		const timeline = await timelineOf(client).catch((error) => {
			abandon(client);
			throw error;
		});
		if (timeline === undefined || chosen) {
			await end(client);
			throw new Error("a standby, or too late");
		}
		found.push({ client, timeline });
	});
	const one = Promise.any(asked).then(() => sleep(OTHERS_MS));
	await Promise.race([Promise.allSettled(asked), one.catch(() => {})]);
	const [best, ...others] = found.toSorted((a, b) => b.timeline - a.timeline);
	chosen = best?.client;
	for (const { client } of others) abandon(client);
	if (chosen) return chosen;
	const reasons = (await Promise.allSettled(asked)).map((outcome, i) => {
		const why = outcome.status === "rejected" ? outcome.reason.message : "too late";
		return `${servers[i]!.host}: ${why}`;
	});
	throw new Error(`no server takes writes (${reasons.join(", ")})`);
}

export async function prepareAcks(servers: readonly Server[], login: Login): Promise<void> {
	const client = await writable(servers, login);
	await client.query(`CREATE TABLE IF NOT EXISTS ${TABLE} (id bigint PRIMARY KEY)`);
	await end(client);
}

/** Acknowledged ids that a server lacks, by address, once it has caught up (30 s at most). */
export async function lostRows(
	servers: readonly Server[],
	login: Login,
	acknowledged: readonly Acknowledged[],
): Promise<Record<string, number[]>> {
	const lost = await Promise.all(
		servers.map(async (server) => [`${server.host}:${server.port}`, await lostAt(server, login, acknowledged)]),
	);
	return Object.fromEntries(lost);
}

async function lostAt(server: Server, login: Login, acknowledged: readonly Acknowledged[]): Promise<number[]> {
	for (const until = Date.now() + 30_000; ; await sleep(200)) {
		const client = await connectTo(server, login);
		const { rows } = await client.query(`SELECT id::int FROM ${TABLE}`);
		await end(client);
		const there = new Set(rows.map(({ id }) => id as number));
		const lost = acknowledged.filter(({ id }) => !there.has(id)).map(({ id }) => id);
		if (lost.length === 0 || Date.now() > until) return lost;
	}
}
