import { setImmediate } from "node:timers/promises";
import { HoldfastError } from "../../errors.ts";

/** How far a long piece of work on ids is. */
export interface IdMapProgress {
	step: "reading keys" | "comparing" | "writing pairs" | "writing new ids" | "verifying" | "counting";
	/** Keys or pairs. */
	done: number;
	total?: number;
}

export interface PaceOptions {
	onProgress?: (event: IdMapProgress) => void;
	/** Ends the work with HF_RETRY. */
	signal?: AbortSignal;
}

const EVERY = 4096;

/** Lets others run now and then in a loop over millions of rows, tells how far it is, and ends it when it should end. */
export class Pace {
	readonly #options: PaceOptions;
	readonly #step: IdMapProgress["step"];
	readonly #total: number | undefined;
	done = 0;

	constructor(options: PaceOptions, step: IdMapProgress["step"], total?: number) {
		this.#options = options;
		this.#step = step;
		this.#total = total;
	}

	/** Counts one. True now and then: then `rest` is to be awaited. */
	isDue(): boolean {
		return ++this.done % EVERY === 0;
	}

	async rest(): Promise<void> {
		const { onProgress, signal } = this.#options;
		if (signal?.aborted) throw new HoldfastError("HF_RETRY", `${this.#step} of an id map was stopped`);
		onProgress?.({ step: this.#step, done: this.done, ...(this.#total !== undefined && { total: this.#total }) });
		await setImmediate();
	}
}
