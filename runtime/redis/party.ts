import { ExponentialBackoff, handleWhen, retry } from "cockatiel";
import { describe } from "../errors.ts";
import { markText } from "./mark.ts";
import type { HeaderPage, Mark, NodeFacts, RedisNode } from "./port.ts";

/** Says that a round ends before its time. */
export class Cancelled extends Error {
	override readonly name = "Cancelled";
	constructor() {
		super("the round was ended before its time");
	}
}

/** What passes by itself within seconds. A node that is full stays full. */
const PASSING = new Set(["UNREACHABLE", "TIMEOUT", "BREAKER_OPEN", "OVERLOADED"]);

/** A node in a round. Once a call to it has failed for good it is out of the round, which goes on without it. */
export class Party {
	readonly node: RedisNode;
	/** Of the run of the server in which the round began. */
	readonly runId: string;
	/** Why it is out. */
	failure?: string;
	/** As its mark was last seen. */
	#markText: string | undefined;
	readonly #signal: AbortSignal;
	/** Over which it was last seen to be this run. */
	#connection: number;
	readonly #retry = retry(
		handleWhen((error) => PASSING.has((error as { code?: string }).code ?? "")),
		{ maxAttempts: 3, backoff: new ExponentialBackoff({ initialDelay: 100, maxDelay: 2000 }) },
	);

	constructor(node: RedisNode, { runId, markText }: NodeFacts, signal: AbortSignal) {
		this.node = node;
		this.runId = runId;
		this.#markText = markText;
		this.#connection = node.connections;
		this.#signal = signal;
	}

	get name(): string {
		return this.node.name;
	}

	/** The answer; `undefined` when the node is out of the round, from now on or since before. Throws Cancelled. */
	async ask<T>(call: (node: RedisNode) => Promise<T>): Promise<T | undefined> {
		if (this.#signal.aborted) throw new Cancelled();
		if (this.failure !== undefined) return undefined;
		try {
			return await this.#retry.execute(async () => {
				if (this.node.connections !== this.#connection) await this.#sameRun();
				return call(this.node);
			}, this.#signal);
		} catch (error) {
			if (this.#signal.aborted) throw new Cancelled();
			this.failure ??= describe(error);
			return undefined;
		}
	}

	/** What it says of itself now; it is out where it has restarted since it was looked at. Throws Cancelled. */
	facts(): Promise<NodeFacts | undefined> {
		return this.ask(() => this.#sameRun());
	}

	/** Another run may have lost its mark: records that it got without one would be taken for foreign. */
	async #sameRun(): Promise<NodeFacts> {
		const { connections } = this.node;
		const facts = await this.node.facts();
		if (facts.runId !== this.runId) throw new Error(`${this.name}: restarted during the round`);
		this.#connection = connections;
		return facts;
	}

	/** Marks it, unless somebody else has done so since it was looked at: then it is out. Throws Cancelled. */
	async mark(mark: Mark): Promise<void> {
		const stands = await this.ask((node) => node.replaceMark(mark, this.#markText));
		if (stands) this.#markText = markText(mark);
		else this.failure ??= `${this.name}: was marked by another manager meanwhile`;
	}

	/** Pages of headers to the last, or until it is out; the next one is under way while one is at work. */
	async *pages(size: number): AsyncGenerator<HeaderPage["entries"]> {
		let next = this.ask((node) => node.headers("0", size));
		while (true) {
			const page = await next;
			if (!page) return;
			if (page.cursor !== "0") {
				next = this.ask((node) => node.headers(page.cursor, size));
				// It is awaited above, unless the round ends first.
				next.catch(() => undefined);
			}
			yield page.entries;
			if (page.cursor === "0") return;
		}
	}
}
