import { NodeFailure } from "./failure.ts";
import { afterInput } from "./late.ts";

/** One call that waits to travel with others. */
export interface Call<Item, Answer> {
	readonly item: Item;
	resolve(answer: Answer): void;
	reject(failure: NodeFailure): void;
}

export interface BatchLimits {
	/** Calls that travel together at most. */
	items: number;
	/** Bytes that travel together at most; a larger item travels alone. */
	bytes: number;
	/** Batches that may wait for an answer; until one has it, further calls gather in the next. */
	inFlight: number;
	/** Calls, and bytes, that may wait in all; further ones are refused. */
	waitingItems: number;
	waitingBytes: number;
	/** Milliseconds from the first call of a batch until its calls are given up. */
	timeoutMs: number;
}

/** How one kind of call travels. */
export interface Carrier<Item, Answer> {
	/** Rejects with NodeFailure. */
	send(calls: readonly Call<Item, Answer>[]): Promise<unknown>;
	/** Settles every call by the reply. */
	deliver(reply: unknown, calls: readonly Call<Item, Answer>[]): void;
	/** Runs a batch under the breaker, which may refuse it. */
	guard(work: () => Promise<void>): Promise<void>;
}

interface Batch<Item, Answer> {
	readonly calls: Call<Item, Answer>[];
	bytes: number;
	state: "waiting" | "sent" | "over";
	timer: NodeJS.Timeout | undefined;
	/** Tells the breaker how a sent batch ended. */
	end: ((failure?: NodeFailure) => void) | undefined;
}

/**
 * Gathers the calls of one tick into one command. What is sent and not answered stays counted until the connection has
 * forgotten it, also after its deadline: so a node that hangs holds a bounded amount of memory.
 */
export class Batcher<Item, Answer> {
	readonly #carrier: Carrier<Item, Answer>;
	readonly #limits: BatchLimits;
	readonly #failures: Record<"overloaded" | "unsent" | "unanswered" | "garbled", NodeFailure>;
	#waiting: Batch<Item, Answer>[] = [];
	#inFlight = 0;
	#items = 0;
	#bytes = 0;
	#isScheduled = false;
	readonly #onDrained: (() => void)[] = [];

	constructor(node: string, carrier: Carrier<Item, Answer>, limits: BatchLimits) {
		this.#carrier = carrier;
		this.#limits = limits;
		this.#failures = {
			overloaded: new NodeFailure(node, "OVERLOADED", "failed", "has too many calls waiting; call more slowly"),
			unsent: new NodeFailure(node, "TIMEOUT", "failed", "was too busy to be asked in time"),
			unanswered: new NodeFailure(node, "TIMEOUT", "unknown", "did not answer in time"),
			garbled: new NodeFailure(node, "REFUSED", "unknown", "answered what Redis does not answer"),
		};
	}

	add(item: Item, bytes: number): Promise<Answer> {
		const { waitingItems, waitingBytes } = this.#limits;
		if (this.#items >= waitingItems || this.#bytes + bytes > waitingBytes)
			return Promise.reject(this.#failures.overloaded);
		return new Promise((resolve, reject) => {
			const batch = this.#batchFor(bytes);
			batch.calls.push({ item, resolve, reject });
			batch.bytes += bytes;
			this.#items++;
			this.#bytes += bytes;
		});
	}

	/** Resolves when nothing waits for an answer any more. */
	drained(): Promise<void> {
		if (this.#items === 0) return Promise.resolve();
		return new Promise((resolve) => this.#onDrained.push(resolve));
	}

	/** Fails what has not been sent. */
	drop(failure: NodeFailure): void {
		const dropped = this.#waiting;
		this.#waiting = [];
		for (const batch of dropped) {
			this.#over(batch, failure);
			this.#forget(batch);
		}
	}

	#batchFor(bytes: number): Batch<Item, Answer> {
		const last = this.#waiting.at(-1);
		if (last && last.calls.length < this.#limits.items && last.bytes + bytes <= this.#limits.bytes) return last;
		const batch: Batch<Item, Answer> = { calls: [], bytes: 0, state: "waiting", timer: undefined, end: undefined };
		batch.timer = afterInput(this.#limits.timeoutMs, () => this.#late(batch));
		this.#waiting.push(batch);
		this.#schedule();
		return batch;
	}

	#schedule(): void {
		if (this.#isScheduled) return;
		this.#isScheduled = true;
		// After the input of this tick was read: what it brought travels together.
		setImmediate(() => {
			this.#isScheduled = false;
			this.#flush();
		});
	}

	#flush(): void {
		while (this.#waiting.length > 0 && this.#inFlight < this.#limits.inFlight) {
			const batch = this.#waiting.shift()!;
			this.#carrier.guard(() => this.#send(batch)).catch((failure) => this.#refused(batch, failure));
		}
	}

	/** Settles when the batch is over, which for a late one is before its answer. */
	#send(batch: Batch<Item, Answer>): Promise<void> {
		batch.state = "sent";
		this.#inFlight++;
		const over = new Promise<void>((resolve, reject) => {
			batch.end = (failure) => (failure ? reject(failure) : resolve());
		});
		this.#carrier.send(batch.calls).then(
			(reply) => {
				this.#answered(batch);
				if (batch.state !== "over") this.#over(batch, this.#deliver(reply, batch));
			},
			(failure) => {
				this.#answered(batch);
				this.#over(batch, failure);
			},
		);
		return over;
	}

	/** Nothing, or what is wrong with the reply. */
	#deliver(reply: unknown, batch: Batch<Item, Answer>): NodeFailure | undefined {
		try {
			this.#carrier.deliver(reply, batch.calls);
			return undefined;
		} catch {
			return this.#failures.garbled;
		}
	}

	#answered(batch: Batch<Item, Answer>): void {
		this.#inFlight--;
		this.#forget(batch);
		if (this.#waiting.length > 0) this.#schedule();
	}

	#late(batch: Batch<Item, Answer>): void {
		if (batch.state === "over") return;
		if (batch.state === "sent") {
			this.#over(batch, this.#failures.unanswered);
			return;
		}
		this.#waiting = this.#waiting.filter((other) => other !== batch);
		this.#over(batch, this.#failures.unsent);
		this.#forget(batch);
		// The breaker has to know: all that was sent may have been counted already.
		this.#carrier.guard(() => Promise.reject(this.#failures.unsent)).catch(() => {});
	}

	/** The breaker did not let it through; a batch that was sent has been settled already. */
	#refused(batch: Batch<Item, Answer>, failure: NodeFailure): void {
		if (batch.state !== "waiting") return;
		this.#over(batch, failure);
		this.#forget(batch);
	}

	#over(batch: Batch<Item, Answer>, failure?: NodeFailure): void {
		if (batch.state === "over") return;
		clearTimeout(batch.timer);
		batch.state = "over";
		if (failure) for (const call of batch.calls) call.reject(failure);
		batch.end?.(failure);
	}

	#forget(batch: Batch<Item, Answer>): void {
		this.#items -= batch.calls.length;
		this.#bytes -= batch.bytes;
		if (this.#items === 0) for (const tell of this.#onDrained.splice(0)) tell();
	}
}
