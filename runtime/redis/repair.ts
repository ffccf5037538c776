import pLimit from "p-limit";
import type { RedisNode } from "./port.ts";

export interface RepairLimits {
	/** Repairs that may wait. @default 10000 */
	waiting?: number;
	/** Bytes of records that may wait. @default 32 MiB */
	bytes?: number;
	/** Repairs under way at a time. @default 64 */
	concurrency?: number;
}

/** Since the start, except the first two. */
export interface RepairCounts {
	waiting: number;
	underWay: number;
	/** The node has the record now. */
	done: number;
	/** The node had something newer by then. */
	outdated: number;
	failed: number;
	/** Not taken in because too many were waiting; the next read or round finds them again. */
	dropped: number;
}

interface Repair {
	node: RedisNode;
	key: Buffer;
	record: Buffer;
}

/** Brings stale nodes up to what a read found, behind the clients' backs: bounded, and one repair for a key and node. */
export class Repairs {
	readonly #limits: Required<RepairLimits>;
	readonly #limit: ReturnType<typeof pLimit>;
	/** Whether the node still takes writes when its turn has come. */
	readonly #takesWrites: (node: RedisNode) => boolean;
	readonly #waiting = new Map<string, Repair>();
	#bytes = 0;
	#isClosed = false;
	#counts = { done: 0, outdated: 0, failed: 0, dropped: 0 };

	constructor(takesWrites: (node: RedisNode) => boolean, limits: RepairLimits = {}) {
		this.#takesWrites = takesWrites;
		this.#limits = { waiting: 10_000, bytes: 32 * 2 ** 20, concurrency: 64, ...limits };
		this.#limit = pLimit(this.#limits.concurrency);
	}

	add(node: RedisNode, key: Buffer, record: Buffer): void {
		if (this.#isClosed) return;
		const id = `${node.name} ${key.toString("latin1")}`;
		const other = this.#waiting.get(id);
		if (other && Buffer.compare(other.record, record) >= 0) return;
		const bytes = record.length - (other?.record.length ?? 0);
		if ((!other && this.#waiting.size >= this.#limits.waiting) || this.#bytes + bytes > this.#limits.bytes) {
			this.#counts.dropped++;
			return;
		}
		this.#bytes += bytes;
		// A copy: what was read shares its memory with all else that came in the same packet.
		this.#waiting.set(id, { node, key: Buffer.from(key), record: Buffer.from(record) });
		if (!other) void this.#limit(() => this.#repair(id));
	}

	counts(): RepairCounts {
		return { waiting: this.#waiting.size, underWay: this.#limit.activeCount, ...this.#counts };
	}

	/** Forgets what waits. */
	close(): void {
		this.#isClosed = true;
		this.#limit.clearQueue();
		this.#waiting.clear();
		this.#bytes = 0;
	}

	async #repair(id: string): Promise<void> {
		const repair = this.#waiting.get(id);
		if (!repair) return;
		const { node, key, record } = repair;
		this.#waiting.delete(id);
		this.#bytes -= record.length;
		try {
			if (!this.#takesWrites(node)) this.#counts.dropped++;
			else if ((await node.store(key, record)).stored) this.#counts.done++;
			else this.#counts.outdated++;
		} catch {
			this.#counts.failed++;
		}
	}
}
