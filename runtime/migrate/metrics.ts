import { createServer, type Server } from "node:http";
import { Counter, collectDefaultMetrics, Gauge, Registry } from "prom-client";
import type { ProgressEvent } from "./progress.ts";
import type { Counts } from "./work.ts";

/**
 * Figures of one run, for Prometheus. Labels hold names of migrations, jobs and groups (kinds, collections, buckets) and
 * names of counts; never keys, ids or values.
 */
export class MigrationMetrics {
	readonly #registry = new Registry();
	readonly #items: Counter;
	readonly #done: Gauge;
	readonly #total: Gauge;
	readonly #rate: Gauge;
	readonly #eta: Gauge;
	readonly #deadline: Gauge;
	#server: Server | undefined;

	constructor(migration: string) {
		const registers = [this.#registry];
		this.#registry.setDefaultLabels({ migration });
		collectDefaultMetrics({ register: this.#registry });
		const gauge = (name: string, help: string, labelNames: string[] = ["job"]) =>
			new Gauge({ name: `holdfast_migrate_${name}`, help, labelNames, registers });
		this.#items = new Counter({
			name: "holdfast_migrate_items_total",
			help: "Items that this process worked through, by group and outcome",
			labelNames: ["job", "group", "outcome"],
			registers,
		});
		this.#done = gauge("done_items", "Items that are done in all partitions of this process, also by earlier runs");
		this.#total = gauge("total_items", "Items that the split pass counted in all partitions of this process");
		this.#rate = gauge("rate_items_per_second", "Smoothed rate of this process");
		this.#eta = gauge("eta_seconds", "Seconds that are left at this rate");
		this.#deadline = gauge("read_time_expires_seconds", "Unix time when the source ends to serve the read time", []);
	}

	/** What a page came to. */
	counted(job: string, group: string, counts: Counts): void {
		for (const [outcome, number] of Object.entries(counts))
			if (number !== undefined) this.#items.inc({ job, group, outcome }, number);
	}

	progressed({ phase: job, done, total, rate, eta }: ProgressEvent): void {
		this.#done.set({ job }, done);
		this.#rate.set({ job }, rate);
		if (total !== undefined) this.#total.set({ job }, total);
		if (eta !== undefined) this.#eta.set({ job }, eta);
	}

	expires(at: string | undefined): void {
		if (at !== undefined) this.#deadline.set(Date.parse(at) / 1000);
	}

	text(): Promise<string> {
		return this.#registry.metrics();
	}

	/** Serves `/metrics`; loopback unless told otherwise. Port 0: a free one. Resolves with the port. */
	async listen(port: number, host = "127.0.0.1"): Promise<number> {
		const server = createServer((request, response) => {
			if (request.method !== "GET" || request.url !== "/metrics") response.writeHead(404).end();
			else
				this.text().then(
					(text) => response.writeHead(200, { "content-type": this.#registry.contentType }).end(text),
					() => response.writeHead(500).end(),
				);
		});
		this.#server = server;
		await new Promise<void>((resolve, reject) => {
			server.once("error", reject);
			server.listen(port, host, resolve);
		});
		// A scrape must not keep a finished run alive.
		server.unref();
		return (server.address() as { port: number }).port;
	}

	async close(): Promise<void> {
		const server = this.#server;
		if (!server) return;
		server.closeAllConnections();
		await new Promise((resolve) => server.close(resolve));
	}
}
