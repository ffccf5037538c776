import { Counter, Gauge, type Registry } from "prom-client";
import type { Figures, NodeState, Store } from "./store.ts";

const STATES: readonly NodeState[] = ["joining", "ready", "healing", "restarted", "held", "leaving", "unreachable"];

/** What the store knows, asked at the moment of a scrape. */
export function observeStore(store: Store, registry: Registry): void {
	gaugeNodes(store, registry);
	countFigures(store, registry);
}

function gaugeNodes(store: Store, registry: Registry): void {
	const gauge = (name: string, help: string, labelNames: string[], collect: (gauge: Gauge) => void) =>
		new Gauge({
			name: `holdfast_redis_${name}`,
			help,
			labelNames,
			registers: [registry],
			collect() {
				this.reset();
				collect(this);
			},
		});
	gauge("node_state", "1 for the state that a node is in", ["node", "state"], (it) => {
		for (const { node, state } of store.nodes())
			for (const one of STATES) it.set({ node, state: one }, one === state ? 1 : 0);
	});
	gauge("node_clock_skew_seconds", "By which a node's clock is ahead of the manager's", ["node"], (it) => {
		for (const { node, skewMs } of store.nodes()) if (skewMs !== undefined) it.set({ node }, skewMs / 1000);
	});
	gauge("node_memory_used_bytes", "Memory that a node uses", ["node"], (it) => {
		for (const { node, memory } of store.nodes()) if (memory) it.set({ node }, memory.used);
	});
	gauge("node_memory_limit_bytes", "Memory that a node may use; 0: no limit", ["node"], (it) => {
		for (const { node, memory } of store.nodes()) if (memory) it.set({ node }, memory.limit);
	});
	gauge("node_equal_seconds", "Seconds since 1970 when a node was last found equal to the others", ["node"], (it) => {
		for (const { node, equalAt } of store.nodes()) if (equalAt !== undefined) it.set({ node }, equalAt / 1000);
	});
	gauge("nodes", "Nodes that are registered, readable, writable, and needed for a majority", ["which"], (it) => {
		const { registered, readable, writable, needed } = store.health();
		for (const [which, count] of Object.entries({ registered, readable, writable, needed })) it.set({ which }, count);
	});
}

/** Counts that the store keeps, by metric, each with the label of its parts. */
const figures: readonly [string, string, string, (figures: Figures) => Record<string, number>][] = [
	[
		"repairs_total",
		"Repairs of stale nodes that reads found",
		"result",
		({ repairs: { waiting: _, ...counts } }) => counts,
	],
	["odd_records_total", "Records met that are none of ours, damaged, or from the future", "why", ({ odd }) => odd],
	["rounds_total", "Anti-entropy rounds", "result", ({ rounds: { done, failed } }) => ({ done, failed })],
	[
		"carried_total",
		"Records that rounds carried to nodes that lacked them",
		"by",
		({ rounds }) => ({ round: rounds.carried }),
	],
	[
		"restamped_total",
		"Fresh writes stamped anew beyond what they met",
		"by",
		({ restamped }) => ({ write: restamped }),
	],
];

function countFigures(store: Store, registry: Registry): void {
	for (const [name, help, label, counts] of figures)
		new Counter({
			name: `holdfast_redis_${name}`,
			help,
			labelNames: [label],
			registers: [registry],
			collect() {
				this.reset();
				for (const [part, count] of Object.entries(counts(store.figures()))) this.inc({ [label]: part }, count);
			},
		});
	new Gauge({
		name: "holdfast_redis_repairs_waiting",
		help: "Repairs that wait for their turn",
		registers: [registry],
		collect() {
			this.set(store.figures().repairs.waiting);
		},
	});
}
