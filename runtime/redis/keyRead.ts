import type { Clock, Place } from "./port.ts";
import { type Header, headerLength, headerOf, isWhole, physicalExpiry, stampOf, stateOf, valueIn } from "./record.ts";
import type { Repairs } from "./repair.ts";
import type { ReadOutcome } from "./store.ts";

/** Strings under our prefix that no value of ours can be taken from, met by reads since the start. */
export interface OddCounts {
	/** No record at all: reads as nothing, and gives way to any write. */
	foreign: number;
	/** A payload that its header was not written for. */
	damaged: number;
	/** A stamp that is further in the future than clocks may differ. */
	ahead: number;
}

export interface ReadContext {
	readonly clock: Clock;
	readonly places: readonly Place[];
	/** Answers that settle a read. */
	readonly needed: number;
	readonly repairs: Repairs;
	readonly graceMs: number;
	readonly odd: OddCounts;
}

/** What a place has: a header, or "" for nothing that could be read, which is older than any header. */
type Answer = Header | "";

/**
 * One key, asked of all readable places at once. The greatest header of the first `needed` answers settles it; the
 * others are still waited for, so that every place that turns out to be stale is repaired, behind the client's back.
 */
export class KeyRead {
	readonly #context: ReadContext;
	readonly #key: Buffer;
	readonly #done: (outcome: ReadOutcome) => void;
	readonly #answers: (Answer | undefined)[] = [];
	#best: Answer = "";
	#record: Buffer | undefined;
	#open = 0;
	#counted = 0;
	#isSettled = false;

	constructor(context: ReadContext, key: Buffer, done: (outcome: ReadOutcome) => void) {
		this.#context = context;
		this.#key = key;
		this.#done = done;
	}

	start(): void {
		const { places, needed } = this.#context;
		for (const { reads } of places) if (reads) this.#open++;
		if (this.#open < needed) {
			this.#settle({ found: "unavailable", answered: 0, needed });
			return;
		}
		for (let at = 0; at < places.length; at++) {
			const { node, reads } = places[at]!;
			if (!reads) continue;
			node.read(this.#key).then(
				(record) => this.#answered(at, record),
				() => this.#next(),
			);
		}
	}

	#answered(at: number, record: Buffer | undefined): void {
		const answer = record === undefined ? "" : this.#headerIn(record);
		// A damaged payload is no answer, but it is mended as a stale one is.
		const isDamaged = answer !== undefined && answer !== "" && answer >= this.#best && !isWhole(record!);
		if (isDamaged) this.#context.odd.damaged++;
		this.#answers[at] = isDamaged ? "" : answer;
		if (answer !== undefined && !isDamaged) {
			this.#counted++;
			if (answer > this.#best) {
				this.#best = answer;
				this.#record = record;
			}
		}
		this.#next();
	}

	/** Nothing where the stamp cannot be believed. */
	#headerIn(record: Buffer): Answer | undefined {
		// The usual case, without a new string: all nodes have the same.
		if (this.#record && isSameHeader(record, this.#record)) return this.#best;
		const header = headerOf(record);
		if (header === undefined) {
			this.#context.odd.foreign++;
			return "";
		}
		if (this.#context.clock.observe(stampOf(header))) return header;
		this.#context.odd.ahead++;
		return undefined;
	}

	#next(): void {
		this.#open--;
		const { needed } = this.#context;
		if (!this.#isSettled) {
			if (this.#counted >= needed) this.#settle(this.#outcome());
			else if (this.#counted + this.#open < needed)
				this.#settle({ found: "unavailable", answered: this.#counted, needed });
		}
		if (this.#open === 0) this.#repair();
	}

	#settle(outcome: ReadOutcome): void {
		this.#isSettled = true;
		this.#done(outcome);
	}

	#outcome(): ReadOutcome {
		const header = this.#best;
		if (header === "") return { found: "nothing" };
		const stamp = stampOf(header);
		if (stateOf(header, this.#context.clock.now()) !== "live") return { found: "nothing", stamp };
		return { found: "value", value: valueIn(this.#record!, header), stamp };
	}

	#repair(): void {
		const { places, repairs, graceMs, clock } = this.#context;
		const best = this.#best;
		if (best === "" || this.#answers.every((answer) => answer === undefined || answer === best)) return;
		// About to be dropped everywhere: some nodes have done so already.
		if ((physicalExpiry(best, graceMs) ?? Number.POSITIVE_INFINITY) <= clock.now()) return;
		for (const [at, { node }] of places.entries()) {
			const answer = this.#answers[at];
			if (answer !== undefined && answer < best) repairs.add(node, this.#key, this.#record!);
		}
	}
}

function isSameHeader(a: Buffer, b: Buffer): boolean {
	return a.length >= headerLength && a.compare(b, 0, headerLength, 0, headerLength) === 0;
}
