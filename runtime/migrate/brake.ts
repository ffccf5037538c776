import { setTimeout as sleep } from "node:timers/promises";
import type { MongoClient } from "mongodb";
import { HoldfastError } from "../errors.ts";
import { isRefused } from "../mongo/connect.ts";

/** Seconds that a majority may be behind before writes wait. */
const MAJORITY_LAG_S = 10;

export interface BrakeTimes {
	/** Milliseconds between two looks. @default 2000 */
	pollMs?: number;
	/** Milliseconds that writes wait at most. @default 600000 */
	patienceMs?: number;
}

/** How the members follow, as the primary sees it; times in seconds since 1970. */
export interface Following {
	/** What a majority has. */
	committed: number;
	applied: number;
	/** Members with data other than the primary; `at` is absent while nothing was heard of it. */
	members: { host: string; at?: number }[];
	oplog: { first: number; last: number; bytes: number; maxBytes: number };
}

/**
 * Why writes should wait; `undefined` when they may go on. A member that is behind must find its place in the oplog when
 * it comes back: it needs about as long to catch up as it was away, and writes go on meanwhile. So half of the oplog is
 * left to it. An oplog that is not full yet holds as much more as fits into it.
 */
export function decideBrake({ committed, applied, members, oplog }: Following): string | undefined {
	const lag = applied - committed;
	if (lag > MAJORITY_LAG_S) return `a majority of the members is ${Math.round(lag)} s behind`;
	const window = (oplog.last - oplog.first) * Math.max(1, oplog.maxBytes / Math.max(1, oplog.bytes));
	for (const { host, at } of members) {
		const behind = at === undefined ? 0 : oplog.last - at;
		if (behind > MAJORITY_LAG_S && window < 2 * behind)
			return `${host} is ${Math.round(behind)} s behind, and the oplog holds ${Math.round(window)} s`;
	}
	return undefined;
}

/** Holds writes up while the set cannot follow. One for a process; partitions wait at it together. */
export class Brake {
	readonly #client: MongoClient;
	readonly #note: (note: string) => void;
	readonly #pollMs: number;
	readonly #patienceMs: number;
	/** Where members that are silent now were when they were last heard of. */
	readonly #lastSeen = new Map<string, number>();
	#looked = Number.NEGATIVE_INFINITY;
	#pausedSince: number | undefined;
	#why: string | undefined;
	#looking: Promise<void> | undefined;
	#blind = false;

	constructor(client: MongoClient, note: (note: string) => void, times: BrakeTimes = {}) {
		this.#client = client;
		this.#note = note;
		this.#pollMs = times.pollMs ?? 2000;
		this.#patienceMs = times.patienceMs ?? 600_000;
	}

	/** Returns when writes may go on. HF_RETRY when they may not as long as patience lasts, or when stopped meanwhile. */
	async clear(signal: AbortSignal): Promise<void> {
		for (;;) {
			await this.#look();
			if (this.#why === undefined) return;
			if (performance.now() - this.#pausedSince! > this.#patienceMs)
				throw new HoldfastError("HF_RETRY", `the replica set does not catch up: ${this.#why}`, {
					next: "bring its members back (holdfast status shows them), then run the same command again",
				});
			await sleep(this.#pollMs, undefined, { signal }).catch(() => {
				throw new HoldfastError("HF_RETRY", `stopped while the replica set did not follow: ${this.#why}`);
			});
		}
	}

	async #look(): Promise<void> {
		if (this.#blind || performance.now() - this.#looked < this.#pollMs) return;
		this.#looking ??= this.#lookNow().finally(() => {
			this.#looking = undefined;
		});
		await this.#looking;
	}

	async #lookNow(): Promise<void> {
		try {
			const why = decideBrake(await following(this.#client, this.#lastSeen));
			if (why !== undefined && this.#why === undefined) this.#note(`writes wait: ${why}`);
			if (why === undefined && this.#why !== undefined) this.#note("writes go on");
			this.#pausedSince = why === undefined ? undefined : (this.#pausedSince ?? performance.now());
			this.#why = why;
		} catch (error) {
			// What keeps a look from coming through, the writes meet themselves.
			if (isRefused(error)) this.#goBlind();
		} finally {
			this.#looked = performance.now();
		}
	}

	#goBlind(): void {
		this.#blind = true;
		this.#note("writes do not wait for members that cannot follow: the user lacks the role clusterMonitor");
	}
}

const seconds = (date: unknown): number => Number(date) / 1000;

async function following(client: MongoClient, lastSeen: Map<string, number>): Promise<Following> {
	const local = client.db("local", { readPreference: "primary" });
	const end = (direction: 1 | -1) =>
		local
			.collection("oplog.rs")
			.find({}, { projection: { wall: 1 } })
			.sort({ $natural: direction })
			.limit(1)
			.next();
	const [status, sizes, first, last] = await Promise.all([
		client.db("admin").command({ replSetGetStatus: 1 }),
		local.command({ collStats: "oplog.rs" }),
		end(1),
		end(-1),
	]);
	const others = (status.members as Record<string, unknown>[]).filter(({ self, state }) => !self && state !== 7);
	const members = others.map(({ name, optimeDate }) => {
		const host = String(name);
		const at = seconds(optimeDate);
		if (at > 0) lastSeen.set(host, at);
		const known = lastSeen.get(host);
		return known === undefined ? { host } : { host, at: known };
	});
	return {
		committed: seconds(status.optimes.lastCommittedWallTime),
		applied: seconds(status.optimes.lastAppliedWallTime ?? status.optimes.lastCommittedWallTime),
		members,
		oplog: {
			first: seconds(first?.wall),
			last: seconds(last?.wall),
			bytes: Number(sizes.size),
			maxBytes: Number(sizes.maxSize),
		},
	};
}
