import { HoldfastError } from "../errors.ts";
import { addCounts, type Reached } from "./checkpoint.ts";
import type { Counts, Partition } from "./work.ts";

/** How many items of some names end a job: a number, or a percentage of all as `"1%"`. */
export interface Limit<C extends string> {
	of: readonly C[];
	most: number | string;
	/** What counts besides the partitions: items that were tried again, and passed. @default nothing */
	before?: Counts<C>;
}

/** Of a percentage, while it is not known how many items there are: the share of fewer says nothing. */
const LEAST_KNOWN = 1000;

/** How many items the limit allows; `total` is all there are, `read` those seen so far. */
export function allowed(most: number | string, total: number | undefined, read: number): number {
	if (typeof most === "number") return most;
	return Math.floor((Number.parseFloat(most) / 100) * (total ?? Math.max(read, LEAST_KNOWN)));
}

/** What all partitions of a job came to so far, as far as this process knows. */
export class Tally<C extends string> {
	readonly #counts = new Map<number, Counts<C>>();
	readonly #total: number | undefined;
	readonly #limit: Limit<C> | undefined;

	constructor(partitions: readonly Partition[], known: ReadonlyMap<number, Reached>, limit?: Limit<C>) {
		for (const [partition, { counts }] of known) this.#counts.set(partition, counts as Counts<C>);
		const whole = partitions.every(({ total }) => total !== undefined);
		this.#total = whole ? partitions.reduce((sum, { total }) => sum + total!, 0) : undefined;
		this.#limit = limit;
		if (limit?.before) this.#counts.set(-1, limit.before);
	}

	set(partition: number, counts: Counts<C>): void {
		this.#counts.set(partition, counts);
	}

	sum(): Counts<C> {
		return [...this.#counts.values()].reduce(addCounts, {});
	}

	/** HF_INCOMPLETE when there are more than the limit allows. */
	refuseTooMany(): void {
		if (!this.#limit) return;
		const sum = this.sum();
		const bad = this.#limit.of.reduce((all, name) => all + (sum[name] ?? 0), 0);
		const most = allowed(this.#limit.most, this.#total, (sum as Counts).read ?? 0);
		if (bad <= most) return;
		throw new HoldfastError("HF_INCOMPLETE", `${bad} items were put aside or met conflicts, ${most} are allowed`, {
			next: "see them with holdfast migrate status; then correct their cause, or allow more with --max-errors",
		});
	}
}
