import { MigrationMetrics } from "../../runtime/migrate/metrics.ts";
import { Progress } from "../../runtime/migrate/progress.ts";
import type { PartitionProgress } from "../../runtime/migrate/runner.ts";
import type { Counts, Partition } from "../../runtime/migrate/work.ts";
import { progressView } from "../progressBar.ts";
import type { MigrateOptions } from "./options.ts";

/** `Dataset 3/8` -> `Dataset`. */
const groupOf = (label: string): string => label.replace(/ \d+\/\d+$/, "");

/** What people and Prometheus see of a run while it goes on. */
export class Watch {
	readonly #metrics: MigrationMetrics;
	readonly #view: ReturnType<typeof progressView>;
	readonly #told = new Map<string, Counts>();
	#progress: Progress | undefined;

	private constructor(migration: string, json: boolean) {
		this.#metrics = new MigrationMetrics(migration);
		this.#view = progressView({ json });
	}

	static async open(
		migration: string,
		{ json, metricsPort, metricsHost = "127.0.0.1" }: MigrateOptions,
	): Promise<Watch> {
		const watch = new Watch(migration, json);
		if (metricsPort === undefined) return watch;
		const port = await watch.#metrics.listen(metricsPort, metricsHost);
		watch.note(`metrics at http://${metricsHost}:${port}/metrics`);
		return watch;
	}

	/** The partitions of this process that a job is about to work through. */
	begin(phase: string, partitions: readonly Partition[], expiresAt?: string): void {
		this.#metrics.expires(expiresAt);
		const emit = (event: Parameters<MigrationMetrics["progressed"]>[0]) => {
			this.#metrics.progressed(event);
			this.#view.show(event);
		};
		this.#progress = new Progress(partitions, { phase, emit });
	}

	progressed(phase: string, { partition, label, counts, total, done }: PartitionProgress): void {
		const name = `${phase} ${partition}`;
		const before = this.#told.get(name);
		this.#told.set(name, counts);
		// The first word tells what earlier runs counted.
		if (before) this.#metrics.counted(phase, groupOf(label), increase(before, counts));
		const at = { partition, done: counts.read ?? 0, ...(total !== undefined && { total }), finished: done };
		this.#progress?.update(at);
	}

	note(text: string): void {
		this.#view.end();
		process.stderr.write(`holdfast: ${text}\n`);
	}

	async end(): Promise<void> {
		this.#view.end();
		await this.#metrics.close();
	}
}

const increase = (before: Counts, now: Counts): Counts =>
	Object.fromEntries(
		Object.entries(now).map(([name, number = 0]) => [name, Math.max(0, number - (before[name] ?? 0))]),
	);
