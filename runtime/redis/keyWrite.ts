import { isMajority } from "./majority.ts";
import type { Clock, Place, Stored } from "./port.ts";
import { encodeRecord, isHeader, stampOf } from "./record.ts";
import { failedResult, failureResult, okResult } from "./result.ts";
import type { Stamp } from "./stamp.ts";
import type { NodeResult, Write, WriteOutcome } from "./store.ts";

/** How often a fresh write that met something newer is stamped anew. */
const restamps = 3;

export interface WriteContext {
	readonly clock: Clock;
	readonly places: readonly Place[];
	/** Counts a fresh write that was stamped anew. */
	readonly onRestamp: () => void;
}

/**
 * One write, offered to all places at once. A fresh one that meets a newer record is stamped beyond it and offered to
 * all again: it was made now, so a clock that is behind must not make it lose. One with a stamp of its own is not: it
 * has taken effect already, and been overwritten.
 */
export class KeyWrite {
	readonly #context: WriteContext;
	readonly #write: Write;
	readonly #done: (outcome: WriteOutcome) => void;
	readonly #results: (NodeResult | undefined)[] = [];
	/** Places where an earlier offer may stand: made by the second offer, which few writes need. */
	#offered?: Set<number>;
	#stamp: Stamp;
	/** Answers to earlier offers do not count any more. */
	#offer = 0;
	#open = 0;
	#superseded = false;
	#isOver = false;

	constructor(context: WriteContext, write: Write, done: (outcome: WriteOutcome) => void) {
		this.#context = context;
		this.#write = write;
		this.#done = done;
		this.#stamp = write.stamp ?? context.clock.tick();
	}

	start(): void {
		const { clock, places } = this.#context;
		if (this.#write.stamp === undefined || clock.observe(this.#write.stamp)) {
			this.#offerAll();
			return;
		}
		for (const [at, { node }] of places.entries()) this.#results[at] = failedResult(node, "STAMP_AHEAD");
		this.#end();
	}

	/** The write deadline has passed: what has not answered is unknown. */
	expire(): void {
		if (!this.#isOver) this.#end();
	}

	#offerAll(): void {
		const { places } = this.#context;
		const offer = ++this.#offer;
		const record = encodeRecord(this.#stamp, this.#write.value);
		this.#open = places.length;
		for (let at = 0; at < places.length; at++) {
			const { node, writes } = places[at]!;
			this.#results[at] = undefined;
			if (!writes) this.#settle(offer, at, failedResult(node, "HELD"));
			else
				node.store(this.#write.key, record).then(
					(said) => this.#said(offer, at, said),
					(failure) => this.#settle(offer, at, failureResult(node, failure)),
				);
		}
		if (places.length === 0) this.#end();
	}

	#said(offer: number, at: number, { stored, before = "" }: Stored): void {
		const { clock, places, onRestamp } = this.#context;
		// Also from an answer to an earlier offer: the next stamp has to be beyond all that was met.
		const isAhead = !stored && isHeader(before) && !clock.observe(stampOf(before));
		if (offer !== this.#offer || this.#isOver) return;
		const { node } = places[at]!;
		if (isAhead) {
			this.#settle(offer, at, failedResult(node, "STAMP_AHEAD"));
		} else if (!stored && this.#write.stamp === undefined && offer <= restamps) {
			onRestamp();
			this.#stamp = clock.tick();
			this.#remember(at);
			this.#offerAll();
		} else {
			this.#superseded ||= !stored;
			this.#settle(offer, at, okResult(node));
		}
	}

	/** Everywhere but where the offer was refused, or failed, it may stand. */
	#remember(refused: number): void {
		this.#offered ??= new Set();
		for (const [at, { writes }] of this.#context.places.entries())
			if (writes && at !== refused && this.#results[at]?.outcome !== "failed") this.#offered.add(at);
	}

	/** A later offer that failed does not undo an earlier one. */
	#resultAt(at: number): NodeResult {
		const result = this.#results[at] ?? failureResult(this.#context.places[at]!.node);
		return result.outcome === "failed" && this.#offered?.has(at) ? { ...result, outcome: "unknown" } : result;
	}

	#settle(offer: number, at: number, result: NodeResult): void {
		if (offer !== this.#offer || this.#isOver) return;
		this.#results[at] = result;
		if (--this.#open === 0) this.#end();
	}

	#end(): void {
		this.#isOver = true;
		const { places } = this.#context;
		const results = places.map((_, at) => this.#resultAt(at));
		const writtenTo = results.reduce((sum, { success }) => sum + Number(success), 0);
		const success = isMajority(places, (_, at) => results[at]!.success);
		this.#done({
			...{ success, stamp: this.#stamp, writtenTo, totalNodes: places.length },
			...{ superseded: this.#superseded, results },
		});
	}
}
