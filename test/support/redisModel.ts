import type { Consistency } from "../../runtime/redis/store.ts";
import type { Answer, Gotten, Written } from "./redisClient.ts";
import { type Found, headOf, keyOf } from "./redisServers.ts";

/** One write as its client saw it. Every value is written once only, so that it names its write. */
export interface Sent {
	key: string;
	/** Absent: a delete. */
	value?: string;
	/** As far as the client knows: absent when the manager did not answer. */
	stamp?: string;
	expiresAt?: number;
	/** When it began and ended, by performance.now(). */
	from: number;
	to: number;
	/** `done`: acknowledged; `open`: may have landed somewhere; `undone`: certainly nowhere. */
	outcome: "done" | "open" | "undone";
	/** Acknowledged, but something newer stood there already. */
	superseded: boolean;
}

function outcomeOf(answer: Written | undefined): Sent["outcome"] {
	if (answer?.success) return "done";
	return !answer || answer.results.some(({ outcome }) => outcome !== "failed") ? "open" : "undone";
}

const latest = (writes: readonly Sent[]): string =>
	writes.reduce((max, { stamp = "" }) => (stamp > max ? stamp : max), "");

/**
 * Last-writer-wins registers, one a key: what clients were told, and what therefore may stand there. A violation is
 * told in words, with what is known about the key.
 */
export class Registers {
	readonly sent: Sent[] = [];
	readonly violations: string[] = [];
	/** Answers that were compared with what had to be so. */
	checked = { reads: 0, orders: 0, finals: 0 };
	#values = 0;

	/** A value that nobody else writes. */
	fresh(): string {
		return `value ${this.#values++}`;
	}

	/** `answer`: absent when the connection to the manager broke. */
	wrote(
		write: Pick<Sent, "key" | "value" | "from">,
		answer: Written | undefined,
		{ expiresAt }: { expiresAt?: number } = {},
	): void {
		const { stamp, superseded = false } = answer ?? {};
		const one = { ...write, stamp, superseded, outcome: outcomeOf(answer), expiresAt, to: performance.now() };
		if (one.outcome === "done" && !superseded) this.#checkOrder(one);
		this.sent.push(one);
	}

	/** Before a write is sent again with its stamp: it is the same write, and from now on it may land. */
	repeats(one: Sent): void {
		if (one.outcome === "undone") one.outcome = "open";
	}

	/** What came of it. An acknowledgement that was there already stands. */
	repeated(one: Sent, answer: Written | undefined): void {
		if (one.outcome === "done" || outcomeOf(answer) !== "done") return;
		Object.assign(one, { outcome: "done", superseded: answer!.superseded ?? false, to: performance.now() });
	}

	/** What follows an acknowledged write of the same key is newer than it. */
	#checkOrder(one: Sent): void {
		this.checked.orders++;
		const floor = latest(this.#acknowledged(one.key, one.from));
		if (one.stamp! <= floor) this.#violated(one.key, `was written at ${one.stamp} after ${floor} was acknowledged`);
	}

	/** An answer to a read at a level at which reads and writes overlap. `clock`: of the manager, when it was asked. */
	read(key: string, level: Consistency, from: number, { status, body }: Answer<Gotten>, clock: number): void {
		if (level === "one" || status === 503) return;
		this.checked.reads++;
		const floor = latest(this.#acknowledged(key, from));
		const { stamp = "" } = body;
		if (stamp < floor) this.#violated(key, `read ${status} of ${stamp} after ${floor} was acknowledged`);
		if (status === 200) this.#checkValue(key, body, clock);
		else if (this.sent.some((one) => one.key === key && one.stamp === stamp && this.#lives(one, clock)))
			this.#violated(key, `read ${status} where ${stamp} is alive`);
	}

	#checkValue(key: string, { value, stamp, expiresAt }: Gotten, clock: number): void {
		const writes = this.sent.filter((one) => one.key === key && one.value === value);
		// A write that is under way has not been noted yet; its value is nobody else's all the same.
		if (writes.some(({ outcome }) => outcome === "undone")) this.#violated(key, `read ${value}, which never landed`);
		if (writes.some((one) => one.outcome === "done" && one.stamp! < stamp!))
			this.#violated(key, `read ${value} of ${stamp}, newer than its write`);
		if (expiresAt !== undefined && expiresAt <= clock) this.#violated(key, `read ${value} past its expiry`);
	}

	#lives({ value, expiresAt }: Sent, clock: number): boolean {
		// A read takes a while: what expires within it may be found dead.
		return value !== undefined && (expiresAt === undefined || expiresAt > clock + 5000);
	}

	/** What all nodes hold in the end: of every key nothing older than what was acknowledged, and nothing made up. */
	final(records: readonly Found[]): void {
		const held = new Map(records.map((record) => [keyOf(record), headOf(record)]));
		for (const key of new Set(this.sent.map((one) => one.key))) {
			this.checked.finals++;
			const writes = this.sent.filter((one) => one.key === key);
			const floor = latest(this.#acknowledged(key, Number.POSITIVE_INFINITY));
			const found = held.get(key);
			if ((found?.stamp ?? "") < floor) this.#violated(key, `ends with ${found?.stamp}, and ${floor} was acknowledged`);
			if (!found) continue;
			const value = found.kind === "d" ? undefined : String(found.payload);
			const possible = writes.filter((one) => one.value === value && one.outcome !== "undone");
			if (possible.length === 0) this.#violated(key, `ends with ${value ?? "a delete"}, which nobody wrote`);
			const exact = writes.find((one) => one.stamp === found.stamp);
			if (exact && exact.value !== value) this.#violated(key, `ends with ${value} under the stamp of ${exact.value}`);
		}
	}

	#acknowledged(key: string, before: number): Sent[] {
		return this.sent.filter(
			(one) => one.key === key && one.outcome === "done" && !one.superseded && one.to < before && one.stamp,
		);
	}

	#violated(key: string, what: string): void {
		const history = this.sent.filter((one) => one.key === key).map((one) => JSON.stringify(one));
		this.violations.push(`${key} ${what}:\n${history.join("\n")}`);
	}
}
