import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";
import type { Divergence, ReadOutcome, Store, WriteOutcome } from "./store.ts";
import { observeStore } from "./storeMetrics.ts";

const SECONDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10, 60];

/** Counts of one counter by labels, kept as plain numbers: a request adds to them, only a scrape makes metrics of them. */
class Tally {
	readonly #counts = new Map<string, Map<string, number>>();
	readonly #names: readonly [string, string];

	constructor(name: string, help: string, labelNames: readonly [string, string], registry: Registry) {
		this.#names = labelNames;
		const fill = (counter: Counter) => this.#fill(counter);
		new Counter({
			name,
			help,
			labelNames: [...labelNames],
			registers: [registry],
			collect() {
				fill(this);
			},
		});
	}

	add(first: string, second: string): void {
		let inner = this.#counts.get(first);
		if (inner === undefined) {
			inner = new Map();
			this.#counts.set(first, inner);
		}
		inner.set(second, (inner.get(second) ?? 0) + 1);
	}

	#fill(counter: Counter): void {
		const [outer, inner] = this.#names;
		counter.reset();
		for (const [first, counts] of this.#counts)
			for (const [second, count] of counts) counter.inc({ [outer]: first, [inner]: second }, count);
	}
}

type Timer = Histogram.Internal<string>;

/** Figures of one manager, for Prometheus. Labels hold routes, codes and names of nodes; never keys, values or API keys. */
export class Metrics {
	readonly #registry = new Registry();
	readonly #requests: Histogram;
	/** Of routes by status, found without building labels. */
	readonly #timers = new Map<string, Map<number, Timer>>();
	readonly #nodeWrites: Tally;
	readonly #outcomes: Tally;
	readonly #divergence: Gauge;

	constructor(store: Store) {
		const registers = [this.#registry];
		collectDefaultMetrics({ register: this.#registry });
		this.#requests = new Histogram({
			name: "holdfast_redis_request_seconds",
			help: "Time from the arrival of a request to the end of its answer, by route and status",
			labelNames: ["route", "status"],
			buckets: SECONDS,
			registers,
		});
		this.#nodeWrites = new Tally(
			"holdfast_redis_node_writes_total",
			"Writes by node and result: ok, or the code of the failure",
			["node", "result"],
			this.#registry,
		);
		this.#outcomes = new Tally(
			"holdfast_redis_operations_total",
			"Reads and writes of single keys by outcome",
			["operation", "outcome"],
			this.#registry,
		);
		this.#divergence = new Gauge({
			name: "holdfast_redis_differing_buckets",
			help: "Buckets of a node that differed from the first node's when nodes were last compared on request",
			labelNames: ["node"],
			registers,
		});
		observeStore(store, this.#registry);
	}

	get contentType(): string {
		return this.#registry.contentType;
	}

	text(): Promise<string> {
		return this.#registry.metrics();
	}

	requested(route: string, status: number, milliseconds: number): void {
		let byStatus = this.#timers.get(route);
		if (byStatus === undefined) {
			byStatus = new Map();
			this.#timers.set(route, byStatus);
		}
		let timer = byStatus.get(status);
		if (timer === undefined) {
			timer = this.#requests.labels(route, String(status));
			byStatus.set(status, timer);
		}
		timer.observe(milliseconds / 1000);
	}

	wrote({ results, success, superseded }: WriteOutcome): void {
		this.#outcomes.add("write", success ? (superseded ? "superseded" : "ok") : "no_quorum");
		for (const { node, outcome, code } of results)
			this.#nodeWrites.add(node, outcome === "ok" ? "ok" : (code ?? outcome));
	}

	read({ found }: ReadOutcome): void {
		this.#outcomes.add("read", found);
	}

	diverged({ nodes }: Divergence): void {
		this.#divergence.reset();
		for (const { node, differing } of nodes) this.#divergence.set({ node }, differing);
	}
}
