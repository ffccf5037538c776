import { NodeFailure } from "../../runtime/redis/failure.ts";
import type { RedisNode, Stored } from "../../runtime/redis/port.ts";
import { headerOf } from "../../runtime/redis/record.ts";

/** What becomes of one call: its effect and its answer may each come, be lost, or (the effect) come long after. */
export type Fate = "ok" | "failed" | "requestLost" | "replyLost" | "effectLate";

/** A node in memory that compares and sets as the real one does; every call has its fate and takes some turns. */
export class FakeNode {
	readonly name: string;
	readonly records = new Map<string, Buffer>();
	/** Drawn anew for each call. */
	draw: () => { fate: Fate; turns: number } = () => ({ fate: "ok", turns: 0 });
	/** Keys of all calls, in order. */
	readonly stored: string[] = [];
	readonly readKeys: string[] = [];
	readonly #late: (() => void)[] = [];

	constructor(name: string) {
		this.name = name;
	}

	/** As a place of a view takes it. */
	get node(): RedisNode {
		return this as unknown as RedisNode;
	}

	async store(key: Buffer, record: Buffer): Promise<Stored> {
		this.stored.push(key.toString());
		const fate = await this.#fate();
		if (fate === "failed" || fate === "requestLost") throw this.#failure(fate);
		if (fate === "effectLate") this.#late.push(() => this.#compareAndSet(key, record));
		if (fate === "effectLate") throw this.#failure(fate);
		const said = this.#compareAndSet(key, record);
		if (fate === "replyLost") throw this.#failure(fate);
		return said;
	}

	async read(key: Buffer): Promise<Buffer | undefined> {
		this.readKeys.push(key.toString());
		const fate = await this.#fate();
		if (fate !== "ok") throw this.#failure(fate);
		return this.records.get(key.toString());
	}

	header(key: string): string {
		const record = this.records.get(key);
		return record ? headerOf(record)! : "";
	}

	/** What was written and not answered takes effect now. */
	land(): void {
		for (const effect of this.#late.splice(0)) effect();
	}

	async #fate(): Promise<Fate> {
		const { fate, turns } = this.draw();
		for (let turn = 0; turn < turns; turn++) await undefined;
		return fate;
	}

	#compareAndSet(key: Buffer, record: Buffer): Stored {
		const before = this.records.get(key.toString());
		const standing = before && headerOf(before);
		if (standing && standing > headerOf(record)!) return { stored: false, before: standing };
		this.records.set(key.toString(), record);
		return { stored: true };
	}

	#failure(fate: Fate): NodeFailure {
		return fate === "failed"
			? new NodeFailure(this.name, "UNREACHABLE", "failed", "fails")
			: new NodeFailure(this.name, "TIMEOUT", "unknown", "is silent");
	}
}

export const fakeNodes = (count: number): FakeNode[] =>
	Array.from({ length: count }, (_, at) => new FakeNode(`10.0.0.${at + 1}:6379`));
