import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import type { QueryResultRow } from "pg";
import { request } from "undici";
import type { PostgresRecord } from "../../runtime/postgres/record.ts";
import type { ClusterView } from "../../runtime/postgres/state.ts";
import { connectTo, lostRows, type PostgresReport, PostgresWriters, writable } from "./postgresWriters.ts";
import type { TestStack } from "./stack.ts";

type Rows = Record<string, unknown>[];

/** The cluster `pg0` of a stack as a test looks at it. */
export class PatroniUnderTest {
	readonly #stack: TestStack;

	constructor(stack: TestStack) {
		this.#stack = stack;
	}

	get record(): PostgresRecord {
		return this.#stack.clusterRecord<PostgresRecord>("pg0");
	}

	/** Where PostgreSQL of the first `count` slots answers. */
	servers(count: number): { host: string; port: number }[] {
		return [...Array(count).keys()].map((slot) => ({
			host: `127.0.1.${1 + slot}`,
			port: this.#stack.basePort + slot,
		}));
	}

	/** Runs a statement as superuser: on the member that takes writes, or on a slot. */
	async sql(text: string, slot?: number): Promise<Rows> {
		const { hosts, superuser } = this.record;
		const login = { ...superuser, database: "postgres" };
		const client = slot === undefined ? await writable(hosts, login) : await connectTo(hosts[slot]!, login);
		try {
			return (await client.query<QueryResultRow>(text)).rows;
		} finally {
			await client.end();
		}
	}

	/** One parameter on every member, in slot order. */
	async shown(parameter: string): Promise<unknown[]> {
		const slots = [...this.record.hosts.keys()];
		return Promise.all(slots.map(async (slot) => Object.values((await this.sql(`SHOW ${parameter}`, slot))[0]!)[0]));
	}

	/** What etcd says of the members, asked at a slot. */
	async view(slot = 0): Promise<ClusterView> {
		const { host, port } = this.record.hosts[slot]!.patroni;
		return (await (await request(`http://${host}:${port}/cluster`)).body.json()) as ClusterView;
	}

	async leader(): Promise<string | undefined> {
		return (await this.view()).members.find(({ role }) => role === "leader")?.name;
	}

	async timeline(): Promise<number> {
		return Math.max(...(await this.view()).members.map(({ timeline = 0 }) => timeline));
	}

	/** `PATCH /config`, as somebody does it by hand. */
	async patch(body: object): Promise<void> {
		const { hosts, restapi } = this.record;
		const { host, port } = hosts[0]!.patroni;
		const authorization = `Basic ${Buffer.from(`${restapi.user}:${restapi.password}`).toString("base64")}`;
		const headers = { authorization, "content-type": "application/json" };
		const { statusCode } = await request(`http://${host}:${port}/config`, {
			method: "PATCH",
			headers,
			body: JSON.stringify(body),
		});
		if (statusCode !== 200) throw new Error(`PATCH /config answered ${statusCode}`);
	}

	folder(slot: number): string {
		return this.#stack.member(slot, "pg0");
	}

	/** Pid of a slot's postmaster. */
	postmaster(slot: number): number {
		return Number(readFileSync(join(this.folder(slot), "data", "postgres", "postmaster.pid"), "utf8").split("\n")[0]);
	}

	/** Environment of a slot's postmaster. */
	environment(slot: number): NodeJS.ProcessEnv {
		const pairs = readFileSync(`/proc/${this.postmaster(slot)}/environ`, "utf8").split("\0");
		return Object.fromEntries(pairs.map((pair) => [pair.split("=")[0], pair.slice(pair.indexOf("=") + 1)]));
	}

	postmasters(count: number): number[] {
		return [...Array(count).keys()].map((slot) => this.postmaster(slot));
	}

	/** Names of etcd's voters, sorted, as `status` shows them. */
	async voters(): Promise<string[]> {
		const { members } = await this.status();
		return members.flatMap(({ member, etcd }) => (["leader", "follower"].includes(etcd) ? [member] : [])).sort();
	}

	/** What `holdfast status --json` says of the cluster. */
	async status(): Promise<{ durability: string; healthy: boolean; members: { member: string; etcd: string }[] }> {
		return JSON.parse((await this.#stack.holdfast("status", "--json")).stdout).clusters[0];
	}
}

/** Folder of the PostgreSQL programs that a stack uses. */
export function programs({ home }: Pick<TestStack, "home">): string {
	return dirname(JSON.parse(readFileSync(join(home, "tools.json"), "utf8")).tools.postgres.path);
}

/** What `psql` prints for a statement. */
export async function psql(stack: TestStack, to: string, text: string, env: NodeJS.ProcessEnv = {}): Promise<string> {
	const args = ["--no-psqlrc", "--no-password", "--tuples-only", "--no-align", "--command", text, to];
	const options = { env: { ...process.env, ...env }, timeout: 30_000 };
	return (await promisify(execFile)(join(programs(stack), "psql"), args, options)).stdout.trim();
}

/** A role of its own for the writers: passwords of Patroni's roles may change under them. */
export const WRITER = { user: "writer", password: "writer's pw", database: "postgres" };

export async function prepareWriter(cluster: PatroniUnderTest): Promise<void> {
	await cluster.sql(`CREATE ROLE writer LOGIN PASSWORD 'writer''s pw'`);
	await cluster.sql("CREATE TABLE acks (id bigint PRIMARY KEY)");
	await cluster.sql("ALTER TABLE acks OWNER TO writer");
}

/**
 * Runs `fn` while rows are written. Afterwards every acknowledged row is on each of the first `count` servers, and none
 * was acknowledged by a superseded leader.
 */
export async function underWriters(
	cluster: PatroniUnderTest,
	{ from, to = from }: { from: number; to?: number },
	fn: (writers: PostgresWriters) => Promise<void>,
): Promise<PostgresReport> {
	const writers = new PostgresWriters(cluster.servers(from), WRITER);
	try {
		await writers.progress(50);
		await fn(writers);
		await writers.progress(50);
	} finally {
		await writers.stop();
	}
	const report = await writers.stop();
	const lost = await lostRows(cluster.servers(to), WRITER, report.acknowledged);
	expect(Object.values(lost)).toEqual([...Array(to)].map(() => []));
	expect(report.superseded).toBe(0);
	return report;
}
