import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { findDaemon } from "../../runtime/platform/daemon.ts";
import { localHost } from "../../runtime/platform/local.ts";
import { stopProcess } from "../../runtime/platform/register.ts";
import type { PostgresRecord } from "../../runtime/postgres/record.ts";
import {
	type Acknowledged,
	connectTo,
	type Login,
	lostRows,
	PostgresWriters,
	prepareAcks,
	type Server,
} from "./postgresWriters.ts";
import { TestStack } from "./stack.ts";
import { until } from "./until.ts";

/** What supervisord runs of a member, and the postmaster, which it does not know. */
type SupervisedPart = "etcd" | "guard" | "patroni";
export type Part = SupervisedPart | "postgres";
export const everything: readonly Part[] = ["etcd", "guard", "patroni", "postgres"];

export interface Leader {
	slot: number;
	timeline: number;
}

export interface Strike {
	before: Leader;
	after: Leader;
	/** Rows. */
	acknowledged: number;
	/** That reached the applications. */
	errors: number;
	longestGapMs: number;
	superseded: number;
	/** Acknowledged rows that some member lacks. */
	lost: number;
	/** From the moment when mending could begin. */
	redundantMs: number;
}

interface MemberSays {
	role: string;
	state: string;
	timeline?: number;
	failsafe_mode_is_active?: boolean;
}

interface View {
	members: { name: string; role: string; state: string; timeline?: number }[];
}

const CLUSTER = "pg0";
/** An answer of Patroni costs queries of the PostgreSQL that is measured. */
const LOOK_MS = 100;

/** State and parent of a process: "R", "S", "T" …; `undefined` when it is gone or only waits to be reaped. */
function statOf(pid: number): { state: string; parent: number } | undefined {
	try {
		const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
		const [state, parent] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
		return state === "Z" || state === "X" ? undefined : { state: state!, parent: Number(parent) };
	} catch {
		return undefined;
	}
}

export const isAlive = (pid: number): boolean => statOf(pid) !== undefined;
export const isFrozen = (pid: number): boolean => statOf(pid)?.state === "T";

function childrenOf(parent: number): number[] {
	const pids = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
	return pids.map(Number).filter((pid) => statOf(pid)?.parent === parent);
}

/** Sends a signal to all that are there. */
export function signal(pids: readonly number[], name: NodeJS.Signals): void {
	for (const pid of pids) if (isAlive(pid)) process.kill(pid, name);
}

function newestOf(said: readonly (Partial<MemberSays> & { slot: number })[]): Leader | undefined {
	const leaders = said.filter(({ role, state }) => role === "primary" && state === "running");
	const [newest] = leaders.toSorted((a, b) => b.timeline! - a.timeline!);
	return newest && { slot: newest.slot, timeline: newest.timeline! };
}

/** A Patroni cluster of a stack of its own, to be hurt and looked at; look and harm go past the product. */
export class FaultCluster {
	readonly stack: TestStack;
	readonly #login: Login;
	readonly #durability: string;
	/** When what was down could begin to mend (performance.now()). */
	#mendable = 0;

	private constructor(stack: TestStack, durability: string) {
		this.stack = stack;
		this.#login = { ...this.record.superuser, database: "postgres" };
		this.#durability = durability;
	}

	/** A cluster of three that is up, with the writers' table. */
	static async create(label: string, settings: Record<string, unknown> = {}): Promise<FaultCluster> {
		const stack = await TestStack.createPostgres(label, settings);
		await stack.must("up");
		// Processes are stopped and started from here, too.
		process.env.HOLDFAST_HOME = stack.home;
		const cluster = new FaultCluster(stack, String(settings.durability ?? "quorum"));
		await prepareAcks(cluster.servers, cluster.#login);
		return cluster;
	}

	get record(): PostgresRecord {
		return this.stack.clusterRecord<PostgresRecord>(CLUSTER);
	}

	get servers(): Server[] {
		return this.record.hosts.map(({ host, port }) => ({ host, port }));
	}

	get slots(): number[] {
		return this.record.hosts.map((_, slot) => slot);
	}

	others(slot: number): number[] {
		return this.slots.filter((one) => one !== slot);
	}

	folder(slot: number): string {
		return this.stack.member(slot, CLUSTER);
	}

	/** Pid of one part; it may be gone by now. */
	pid(slot: number, part: Part): number {
		const file = part === "postgres" ? "data/postgres/postmaster.pid" : `run/${part}.started`;
		return Number(readFileSync(join(this.folder(slot), file), "utf8").split("\n")[0]);
	}

	/** Pids of a part: with the postmaster those of its children. */
	#tree(slot: number, part: Part): number[] {
		const pid = this.pid(slot, part);
		return part === "postgres" ? [pid, ...childrenOf(pid)] : [pid];
	}

	/** What a member's Patroni says of it; `undefined` when it does not answer. */
	says(slot: number): Promise<MemberSays | undefined> {
		return this.#get<MemberSays>(slot, "patroni");
	}

	async #get<T>(slot: number, path: string): Promise<T | undefined> {
		const { host, port } = this.record.hosts[slot]!.patroni;
		try {
			const answer = await fetch(`http://${host}:${port}/${path}`, { signal: AbortSignal.timeout(2000) });
			return (await answer.json()) as T;
		} catch {
			return undefined;
		}
	}

	async #allSay(): Promise<(Partial<MemberSays> & { slot: number })[]> {
		return Promise.all(this.slots.map(async (slot) => ({ slot, ...(await this.says(slot)) })));
	}

	/** The member whose Patroni says that it leads: by its own word, not by what etcd said last. */
	async leaderNow(): Promise<Leader | undefined> {
		return newestOf(await this.#allSay());
	}

	leader(): Promise<Leader> {
		return until("a leader", 120_000, () => this.leaderNow(), LOOK_MS);
	}

	/** Waits until another member leads on a newer timeline. */
	successor(former: Leader): Promise<Leader> {
		const look = async () => {
			const now = await this.leaderNow();
			return now && now.slot !== former.slot && now.timeline > former.timeline ? now : undefined;
		};
		return until(`a successor of the leader in slot ${former.slot}`, 180_000, look, LOOK_MS);
	}

	/** Waits until all others stream from one leader, on its timeline, as many of them synchronous as was declared. */
	async redundant(ms = 240_000): Promise<void> {
		const look = async () => {
			const said = await this.#allSay();
			const leader = newestOf(said);
			if (!leader || said.some(({ state }) => state !== "running")) return false;
			const members = (await this.#get<View>(leader.slot, "cluster"))?.members ?? [];
			const standbys = members.filter(({ name }) => name !== `${CLUSTER}-${leader.slot}`);
			const behind = standbys.filter(({ state, timeline }) => state !== "streaming" || timeline !== leader.timeline);
			const synchronous = standbys.filter(({ role }) => role === "sync_standby" || role === "quorum_standby");
			const isComplete = standbys.length === this.slots.length - 1 && behind.length === 0;
			return isComplete && (this.#durability === "async" || synchronous.length > 0);
		};
		await until("full redundancy", ms, look, LOOK_MS);
	}

	/** Kills parts of members at once, as the kernel would, and proves it; supervisord restarts what it knows. */
	async kill(slots: number | readonly number[], parts: readonly Part[]): Promise<void> {
		const pids = [slots].flat().flatMap((slot) => parts.flatMap((part) => this.#tree(slot, part)));
		signal(pids, "SIGKILL");
		await this.gone(pids);
	}

	async gone(pids: readonly number[], ms = 10_000): Promise<void> {
		await until(`the end of ${pids}`, ms, () => !pids.some(isAlive));
	}

	/**
	 * As `kill`, and keeps the member's parts down until `revive`. supervisord starts what was killed again at once, so
	 * first `hold` is made to believe in many failed starts: it then waits for a minute, and is stopped while it does.
	 */
	async fell(slot: number, parts: readonly Part[]): Promise<void> {
		const supervised = parts.filter((part): part is SupervisedPart => part !== "postgres");
		for (const part of supervised) this.#pretendFailures(slot, part);
		await this.kill(slot, parts);
		for (const part of supervised)
			await stopProcess(this.stack.name, `${CLUSTER}-${slot}`, { name: part, program: part });
		const restarted = supervised.filter((part) => isAlive(this.pid(slot, part)));
		if (restarted.length > 0) throw new Error(`${restarted} of slot ${slot} came back`);
	}

	#pretendFailures(slot: number, part: Part): void {
		const run = (file: string) => join(this.folder(slot), "run", file);
		const lines = readFileSync(run(`${part}.started`), "utf8").split("\n");
		// Its fourth line says since when it runs: a start that lasted long enough would not count as failed.
		lines[3] = String(Math.floor(Date.now() / 1000));
		writeFileSync(run(`${part}.started`), lines.join("\n"));
		writeFileSync(run(`${part}.starts`), "100\n");
	}

	/** Lets what was felled start again. */
	async revive(slot: number, part?: Part): Promise<void> {
		this.#mendable = performance.now();
		await localHost(this.stack.name).start(`${CLUSTER}-${slot}`, part);
	}

	/** Freezes a member's Patroni and PostgreSQL for `ms`, and proves it. */
	async freeze(slot: number, ms: number): Promise<void> {
		const pids: number[] = [];
		try {
			// The parents first: what is frozen has no further children.
			for (const pid of [this.pid(slot, "patroni"), this.pid(slot, "postgres")]) {
				pids.push(pid);
				signal([pid], "SIGSTOP");
			}
			const children = childrenOf(pids[1]!);
			pids.push(...children);
			signal(children, "SIGSTOP");
			await until("processes to freeze", 5000, () => pids.filter(isAlive).every(isFrozen));
			await sleep(ms);
		} finally {
			signal(pids.toReversed(), "SIGCONT");
		}
	}

	/** Whether each of these members answers and only reads. */
	async standbys(slots: readonly number[]): Promise<boolean[]> {
		return Promise.all(
			slots.map(async (slot) => {
				const client = await connectTo(this.servers[slot]!, this.#login);
				const { rows } = await client.query("SELECT pg_is_in_recovery() AS standby, count(*)::int FROM acks");
				await client.end();
				return rows[0].standby && rows[0].count > 0;
			}),
		);
	}

	/** Pid of the stack's supervisord. */
	async supervisor(): Promise<number> {
		return (await findDaemon(this.stack.name))!;
	}

	writers(): PostgresWriters {
		return new PostgresWriters(this.servers, this.#login);
	}

	/**
	 * Lets `inject` do harm under writes, waits until all is as redundant as before, and prints the figures; the time to
	 * full redundancy counts from the harm, or from the last `revive`.
	 */
	async strike(fault: string, inject: (writers: PostgresWriters, before: Leader) => Promise<void>): Promise<Strike> {
		await this.stack.whole(240_000);
		const before = await this.leader();
		const writers = this.writers();
		try {
			await writers.progress(100);
			writers.mark();
			this.#mendable = performance.now();
			await inject(writers, before);
			await this.redundant();
			const redundantMs = Math.round(performance.now() - this.#mendable);
			await writers.progress(100);
			const { acknowledged, errors, ...rest } = await writers.stop();
			const [after, lost] = [await this.leader(), await this.#lost(acknowledged)];
			const counts = { acknowledged: acknowledged.length, errors: errors.length, lost };
			const struck = { before, after, redundantMs, ...counts, ...rest };
			process.stderr.write(`${fault} (${this.#durability}): ${figures(struck)}\n`);
			return struck;
		} finally {
			await writers.stop();
		}
	}

	/** How many acknowledged rows some member lacks. */
	async #lost(acknowledged: readonly Acknowledged[]): Promise<number> {
		const lost = await lostRows(this.servers, this.#login, acknowledged);
		return new Set(Object.values(lost).flat()).size;
	}
}

function figures({ before, after, longestGapMs, errors, acknowledged, lost, superseded, redundantMs }: Strike): string {
	return (
		`longest write gap ${longestGapMs} ms, ${errors} errors, ${acknowledged} acknowledged, ${lost} lost, ` +
		`${superseded} superseded, timeline ${before.timeline} -> ${after.timeline}, fully redundant after ${redundantMs} ms`
	);
}

/** What must hold after every fault where commits wait for a standby. */
export function expectDurable({ lost, superseded }: Strike): void {
	expect({ lost, superseded }).toEqual({ lost: 0, superseded: 0 });
}
