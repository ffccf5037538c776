import { randomBytes } from "node:crypto";
import type { Clock } from "./port.ts";
import { counterOf, formatStamp, greatestCounter, hexMs, isStamp, msOf, type Stamp } from "./stamp.ts";

export interface HybridClockOptions {
	/** 16 hex characters. @default drawn: two managers, or two runs of one, never share it */
	nodeId?: string;
	/** Milliseconds since 1970. @default Date.now */
	now?: () => number;
	/** Milliseconds by which a stamp may lie ahead of `now`. @default 60000 */
	maxSkewMs?: number;
}

/**
 * Hybrid logical clock: follows the wall clock, never goes back when that does, and always draws a stamp beyond all it
 * has seen. Kulkarni et al., "Logical Physical Clocks", with the node id as tie-break.
 */
export class HybridClock implements Clock {
	readonly nodeId: string;
	readonly #now: () => number;
	readonly #maxSkewMs: number;
	#ms = 0;
	#counter = 0;
	/** Milliseconds as hex: they change far less often than stamps are drawn. */
	#prefix = hexMs(0);
	/** Greatest stamp drawn or merged: most of what is observed is older, and one comparison says so. */
	#last: Stamp = "";

	constructor({ nodeId, now = Date.now, maxSkewMs = 60_000 }: HybridClockOptions = {}) {
		this.nodeId = nodeId ?? randomBytes(8).toString("hex");
		if (!isStamp(formatStamp({ ms: 0, counter: 0, nodeId: this.nodeId })))
			throw new RangeError("the node id of a clock is 16 lower-case hex characters");
		this.#now = now;
		this.#maxSkewMs = maxSkewMs;
	}

	now(): number {
		return this.#now();
	}

	tick(): Stamp {
		const wall = Math.floor(this.#now());
		if (wall > this.#ms) this.#set(wall, 0);
		else if (this.#counter < greatestCounter) this.#counter++;
		// A full counter borrows the next millisecond: order matters more than the reading.
		else this.#set(this.#ms + 1, 0);
		this.#last = this.#prefix + this.#counter.toString(16).padStart(4, "0") + this.nodeId;
		return this.#last;
	}

	observe(stamp: Stamp): boolean {
		if (stamp <= this.#last) return true;
		const ms = msOf(stamp);
		if (ms > this.#now() + this.#maxSkewMs) return false;
		this.#set(ms, counterOf(stamp));
		this.#last = stamp;
		return true;
	}

	#set(ms: number, counter: number): void {
		if (ms !== this.#ms) this.#prefix = hexMs(ms);
		this.#ms = ms;
		this.#counter = counter;
	}
}
