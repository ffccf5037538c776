import { setTimeout as sleep } from "node:timers/promises";
import { MongoClient } from "mongodb";
import { adminUri } from "./mongo.ts";

export interface WriterReport {
	/** Ids whose write was acknowledged. */
	acknowledged: number[];
	/** Errors that reached the application, in spite of the driver's retry. */
	errors: string[];
	/** Longest time in ms without an acknowledged write of any writer. */
	longestGapMs: number;
	/** p50 of acknowledged writes in ms. */
	medianMs: number;
}

/** Writers that insert numbered documents with `w: majority, j: true` until they are stopped. */
export class Writers {
	readonly #client: MongoClient;
	readonly #acknowledged: number[] = [];
	readonly #latencies: number[] = [];
	readonly #errors: string[] = [];
	readonly #running: Promise<void>[];
	#last = Date.now();
	#longest = 0;
	#next = 0;
	#stopped = false;

	/** `pauseMs` between the writes of one writer keeps small machines from being all load. */
	constructor(uri: string, { writers = 4, pauseMs = 2, database = "workflows", collection = "acks" } = {}) {
		this.#client = new MongoClient(uri, { writeConcern: { w: "majority", journal: true } });
		const target = this.#client.db(database).collection<{ _id: number }>(collection);
		this.#running = [...Array(writers)].map(async () => {
			while (!this.#stopped) {
				const id = this.#next++;
				const start = performance.now();
				try {
					await target.insertOne({ _id: id });
					this.#note(id, performance.now() - start);
				} catch (error) {
					this.#errors.push(String(error));
				}
				await sleep(pauseMs);
			}
		});
	}

	#note(id: number, latency: number): void {
		const now = Date.now();
		this.#longest = Math.max(this.#longest, now - this.#last);
		this.#last = now;
		this.#acknowledged.push(id);
		this.#latencies.push(latency);
	}

	/** How many writes were acknowledged so far. */
	get count(): number {
		return this.#acknowledged.length;
	}

	/** Forgets the longest gap so far: start-up is not a fault. */
	mark(): void {
		this.#longest = 0;
		this.#last = Date.now();
	}

	/** Waits until `more` further writes were acknowledged, or fails after `ms`. */
	async progress(more: number, ms = 60_000): Promise<void> {
		const goal = this.count + more;
		for (const end = Date.now() + ms; this.count < goal; ) {
			if (Date.now() > end) throw new Error(`only ${this.count - goal + more} of ${more} writes in ${ms} ms`);
			await sleep(20);
		}
	}

	async stop(): Promise<WriterReport> {
		this.#stopped = true;
		await Promise.all(this.#running);
		await this.#client.close();
		const sorted = [...this.#latencies].sort((a, b) => a - b);
		return {
			acknowledged: this.#acknowledged,
			errors: this.#errors,
			longestGapMs: this.#longest,
			medianMs: sorted[sorted.length >> 1] ?? 0,
		};
	}
}

/** Acknowledged ids that a member lacks, by host, once it has caught up. Reads every member by itself. */
export async function lostWrites(
	record: Parameters<typeof adminUri>[0],
	hosts: readonly string[],
	acknowledged: readonly number[],
	{ database = "workflows", collection = "acks" } = {},
): Promise<Record<string, number[]>> {
	const lost: Record<string, number[]> = {};
	for (const host of hosts) {
		const client = new MongoClient(adminUri(record, host), { readPreference: "secondaryPreferred" });
		try {
			for (const end = Date.now() + 30_000; ; await sleep(200)) {
				const found = await client
					.db(database)
					.collection<{ _id: number }>(collection)
					.find({}, { readConcern: "majority" })
					.toArray();
				const there = new Set(found.map(({ _id }) => _id));
				lost[host] = acknowledged.filter((id) => !there.has(id));
				if (lost[host].length === 0 || Date.now() > end) break;
			}
		} finally {
			await client.close();
		}
	}
	return lost;
}

/** Writers under way, a little slowed down: for tests in which something else is to be quick. */
export async function startWriters(record: Parameters<typeof adminUri>[0], collection: string): Promise<Writers> {
	const writers = new Writers(adminUri(record), { collection, pauseMs: 20 });
	await writers.progress(50);
	writers.mark();
	return writers;
}

/** Writes went on all the time, and every member has every write that was acknowledged. */
export async function expectNothingLost(
	writers: Writers,
	record: Parameters<typeof adminUri>[0],
	collection: string,
): Promise<void> {
	await writers.progress(50);
	const { acknowledged, errors, longestGapMs } = await writers.stop();
	process.stderr.write(
		`${collection}: ${acknowledged.length} acknowledged, longest gap ${longestGapMs} ms, ${errors.length} errors reached the application\n`,
	);
	expect(acknowledged.length).toBeGreaterThan(200);
	const lost = await lostWrites(record, record.hosts, acknowledged, { collection });
	expect(lost).toEqual(Object.fromEntries(record.hosts.map((host) => [host, []])));
}
