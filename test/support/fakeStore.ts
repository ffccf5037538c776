import { HoldfastError } from "../../runtime/errors.ts";
import type {
	Consistency,
	Figures,
	Health,
	NodeReport,
	ReadOutcome,
	Store,
	Write,
	WriteOutcome,
} from "../../runtime/redis/store.ts";

const NODES = ["10.0.0.1:6379", "10.0.0.2:6379", "10.0.0.3:6379"];
const report = (node: string): NodeReport => ({
	node,
	nodeIp: node.split(":")[0]!,
	state: "ready",
	reads: true,
	writes: true,
	version: "7.0.15",
	durability: "everysec",
	memory: { used: 1_000_000, limit: 0 },
	equalAt: 1_700_000_000_000,
	skewMs: 2,
});

/** A store in memory that does as it is told: what the HTTP service is developed and tested against. */
export class FakeStore implements Store {
	/** Latin-1 of the key's bytes. */
	readonly records = new Map<string, { stamp: string; write: Write }>();
	readonly admitted: [string, string][] = [];
	reports: NodeReport[] = NODES.map(report);
	status: Health["status"] = "ok";
	/** Nodes that answer. */
	answering = 3;
	/** Thrown by every call, once set. */
	failure: unknown;
	/** Awaited by every read and write. */
	pause: Promise<unknown> | undefined;
	closed = false;
	#count = 0;

	#stamp(): string {
		const wall = Date.now().toString(16).padStart(12, "0");
		return `${wall}${(++this.#count % 65_536).toString(16).padStart(4, "0")}00000000000000aa`;
	}

	async #turn(): Promise<void> {
		if (this.pause) await this.pause;
		if (this.failure) throw this.failure;
	}

	#put(write: Write): WriteOutcome {
		const stamp = write.stamp ?? this.#stamp();
		const success = this.answering >= 2;
		const key = write.key.toString("latin1");
		const there = this.records.get(key);
		const superseded = there !== undefined && there.stamp > stamp;
		if (success && !superseded) this.records.set(key, { stamp, write });
		const results = NODES.map((node, i) => {
			const ok = i < this.answering;
			return {
				node,
				nodeIp: node.split(":")[0]!,
				success: ok,
				outcome: ok ? ("ok" as const) : ("unknown" as const),
				...(!ok && { code: "TIMEOUT" as const }),
			};
		});
		return { success, stamp, writtenTo: this.answering, totalNodes: 3, superseded, results };
	}

	#get(key: Buffer): ReadOutcome {
		if (this.answering < 2) return { found: "unavailable", answered: this.answering, needed: 2 };
		const there = this.records.get(key.toString("latin1"));
		if (there === undefined) return { found: "nothing" };
		const { value } = there.write;
		if (value === undefined || (value.expiresAt ?? Infinity) <= Date.now())
			return { found: "nothing", stamp: there.stamp };
		return { found: "value", value, stamp: there.stamp };
	}

	async write(writes: readonly Write[]): Promise<WriteOutcome[]> {
		await this.#turn();
		return writes.map((one) => this.#put(one));
	}

	async read(keys: readonly Buffer[], _consistency: Consistency): Promise<ReadOutcome[]> {
		await this.#turn();
		return keys.map((key) => this.#get(key));
	}

	nodes(): readonly NodeReport[] {
		return this.reports;
	}

	health(): Health {
		const counts = { registered: 3, readable: this.answering, writable: this.answering, needed: 2 };
		const discovery = { answer: "ok", believedAt: 1_700_000_000_000 };
		return { status: this.status, ...counts, reasons: [], discovery, durability: "an fsync every second" };
	}

	figures(): Figures {
		return {
			repairs: { waiting: 1, done: 2, outdated: 3, failed: 4, dropped: 5 },
			restamped: 6,
			odd: { foreign: 7, damaged: 8, ahead: 9 },
			rounds: { done: 10, failed: 11, carried: 12 },
		};
	}

	async divergence() {
		await this.#turn();
		const nodes = NODES.map((node) => ({ node, digest: "00ff", records: this.records.size, differing: 0 }));
		return { at: 1_700_000_000_000, buckets: 4096, nodes, equal: true };
	}

	async sync() {
		await this.#turn();
		return { at: 1_700_000_000_000, seconds: 0.5, nodes: NODES, equal: NODES, carried: 0 };
	}

	async admit(node: string, action: "merge" | "wipe"): Promise<void> {
		await this.#turn();
		if (this.reports.find((one) => one.node === node)?.state !== "held")
			throw new HoldfastError("HF_USAGE", `${node} is not a node that is held`, { next: "see GET /nodes" });
		this.admitted.push([node, action]);
	}

	async close(): Promise<void> {
		this.closed = true;
	}
}
