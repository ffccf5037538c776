import { KeyRead, type OddCounts, type ReadContext } from "./keyRead.ts";
import { KeyWrite, type WriteContext } from "./keyWrite.ts";
import { afterInput } from "./late.ts";
import { majority } from "./majority.ts";
import type { Clock, View } from "./port.ts";
import { type RepairCounts, type RepairLimits, Repairs } from "./repair.ts";
import type { Consistency, ReadOutcome, Write, WriteOutcome } from "./store.ts";

export interface CoordinatorOptions {
	/** Who is registered at this moment. */
	view: () => View;
	clock: Clock;
	/** Milliseconds until a write that was not answered by all is over, whatever it met. @default 1000 */
	writeTimeoutMs?: number;
	/** Milliseconds for which a record outlives its expiry, as the nodes have it. @default 10 days */
	graceMs?: number;
	repairs?: RepairLimits;
}

/** Since the start. */
export interface CoordinatorCounts extends OddCounts {
	/** Fresh writes that met something newer and were stamped beyond it. */
	restamped: number;
	repairs: RepairCounts;
}

const tenDaysMs = 864_000_000;

/** Reads and writes of clients over all registered nodes; see KeyRead and KeyWrite for what becomes of one. */
export class Coordinator {
	readonly #options: Required<Omit<CoordinatorOptions, "repairs">>;
	readonly #repairs: Repairs;
	readonly #odd: OddCounts = { foreign: 0, damaged: 0, ahead: 0 };
	#restamped = 0;

	constructor({ repairs, ...options }: CoordinatorOptions) {
		this.#options = { writeTimeoutMs: 1000, graceMs: tenDaysMs, ...options };
		const takesWrites = (wanted: unknown) =>
			options.view().places.some(({ node, writes }) => node === wanted && writes);
		this.#repairs = new Repairs(takesWrites, repairs);
	}

	/** One outcome for each, in order. */
	write(writes: readonly Write[]): Promise<readonly WriteOutcome[]> {
		const { view, clock, writeTimeoutMs } = this.#options;
		const { places } = view();
		const onRestamp = () => {
			this.#restamped++;
		};
		const context: WriteContext = { clock, places, onRestamp };
		return gather(
			writes,
			(write, done) => new KeyWrite(context, write, done),
			(offered) => {
				// Set after the nodes' own, which know better what has become of their part.
				const timer = afterInput(writeTimeoutMs, () => {
					for (const write of offered) write.expire();
				});
				return () => clearTimeout(timer);
			},
		);
	}

	/** One outcome for each, in order. */
	read(keys: readonly Buffer[], consistency: Consistency): Promise<readonly ReadOutcome[]> {
		const { view, clock, graceMs } = this.#options;
		const { places } = view();
		const needed = neededFor(consistency, places.length);
		const context: ReadContext = { clock, places, needed, repairs: this.#repairs, graceMs, odd: this.#odd };
		return gather(keys, (key, done) => new KeyRead(context, key, done));
	}

	counts(): CoordinatorCounts {
		return { ...this.#odd, restamped: this.#restamped, repairs: this.#repairs.counts() };
	}

	/** Forgets the repairs that wait. */
	close(): void {
		this.#repairs.close();
	}
}

function neededFor(consistency: Consistency, registered: number): number {
	if (consistency === "one") return 1;
	return consistency === "all" ? Math.max(1, registered) : majority(registered);
}

/** Starts one operation for each item and resolves when all are done: one promise, however many there are. */
function gather<Item, Operation extends { start(): void }, Outcome>(
	items: readonly Item[],
	make: (item: Item, done: (outcome: Outcome) => void) => Operation,
	watch?: (operations: readonly Operation[]) => () => void,
): Promise<readonly Outcome[]> {
	return new Promise((resolve) => {
		const outcomes = new Array<Outcome>(items.length);
		let open = items.length;
		if (open === 0) resolve(outcomes);
		let unwatch: (() => void) | undefined;
		const operations = items.map((item, at) =>
			make(item, (outcome) => {
				outcomes[at] = outcome;
				if (--open > 0) return;
				unwatch?.();
				resolve(outcomes);
			}),
		);
		for (const operation of operations) operation.start();
		if (open > 0) unwatch = watch?.(operations);
	});
}
