import type { Address } from "../discovery/source.ts";
import { describe } from "../errors.ts";
import type { NodeFacts, RedisNode } from "./port.ts";

/** Looks without an answer after which a node counts as away. */
const MISSES = 3;

export interface Clocks {
	/** Milliseconds since 1970 by this machine. */
	wall: () => number;
	/** Milliseconds since 1970 as most clocks have it. */
	now: () => number;
	/** Milliseconds of a clock that never jumps. */
	steady: () => number;
}

/** What is known of one node, and since when. */
export class NodeWatch {
	readonly node: RedisNode;
	readonly address: Address;
	facts?: NodeFacts;
	/** Milliseconds by which its clock is ahead of the manager's. */
	skewMs?: number;
	/** Of a steady clock: since when it does not answer. */
	silentSince?: number;
	/** Milliseconds since 1970 when it was found again after a while without us: it may have missed writes. */
	returnedAt?: number;
	/** Of a steady clock: since when it answers but cannot be read. Kept by who decides that. */
	waitingSince?: number;
	/** Why the last look failed. */
	failure?: string;
	readonly #clocks: Clocks;
	#misses = 0;
	/** Connection over which `facts` came. */
	#connection = 0;

	constructor(node: RedisNode, address: Address, clocks: Clocks) {
		this.#clocks = clocks;
		this.node = node;
		this.address = address;
	}

	get name(): string {
		return this.node.name;
	}

	/** Whether it answered lately. */
	get isHere(): boolean {
		return this.facts !== undefined && this.#misses === 0;
	}

	/** Connection that the facts hold for: with another one, the server may be another run. */
	get connection(): number {
		return this.#connection;
	}

	/** Of a steady clock: since when it is of no use, silent or not readable. */
	get nothingSince(): number | undefined {
		return this.silentSince ?? this.waitingSince;
	}

	/** Follows a clock that was set back: no round could come after a return that lies in the future. */
	setBackTo(now: number): void {
		if (this.returnedAt !== undefined && this.returnedAt > now) this.returnedAt = now;
	}

	async look(): Promise<void> {
		const { wall, steady } = this.#clocks;
		try {
			let connection: number;
			let facts: NodeFacts;
			let asked: number;
			// Facts that came while it reconnected may be of two runs.
			do {
				connection = this.node.connections;
				asked = wall();
				facts = await this.node.facts();
			} while (connection !== this.node.connections);
			// By half the way there and back, in which a clock cannot be told better.
			this.#found(facts, connection, facts.clock - (asked + wall()) / 2);
		} catch (error) {
			this.failure = describe(error);
			if (++this.#misses >= MISSES) this.silentSince ??= steady();
		}
	}

	#found(facts: NodeFacts, connection: number, skewMs: number): void {
		const isBack = this.silentSince !== undefined || connection !== this.#connection;
		// Also one that did not answer at first: this manager's round at its start went without it.
		if (isBack && (this.facts || this.#misses > 0)) this.returnedAt = this.#clocks.now();
		this.facts = facts;
		this.skewMs = skewMs;
		this.#connection = connection;
		this.#misses = 0;
		this.silentSince = undefined;
		this.failure = undefined;
	}
}

/** Of those that answer, and of this machine's own clock, which is ahead by nothing. */
export function medianSkewMs(watches: readonly NodeWatch[]): number {
	const skews = watches.flatMap(({ isHere, skewMs }) => (isHere && skewMs !== undefined ? [skewMs] : []));
	const sorted = [0, ...skews].sort((a, b) => a - b);
	return sorted[Math.floor((sorted.length - 1) / 2)]!;
}
