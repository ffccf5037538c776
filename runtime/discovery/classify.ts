import type { Answer } from "./answer.ts";
import { type Address, nameOf } from "./source.ts";

/** How far an answer can be trusted. Only `ok` changes what is believed. */
export type Verdict = "ok" | "empty" | "shrunk" | "malformed" | "unavailable";

/** What is believed, and how often a list that lost too many was seen. Times are milliseconds of a steady clock. */
export interface Belief {
	addresses?: readonly Address[];
	/** A shorter list that may become believed. */
	shrunk?: { addresses: readonly Address[]; since: number; times: number };
}

/** A list that lost too many is believed when it was seen this often, */
export const SHRUNK_TIMES = 5;
/** and for this long. */
export const SHRUNK_MS = 600_000;

/**
 * What to make of an answer that came at `at`. A declared list is believed at once: somebody meant it. One that was
 * found must not lose more than one known address, nor a majority of them, unless it says so steadily.
 */
export function weigh(belief: Belief, answer: Answer, at: number, declared: boolean): [Belief, Verdict] {
	if (answer.kind !== "list") {
		// Silence says nothing about a shorter list; another answer does.
		const kept = answer.kind === "unavailable" ? belief : { addresses: belief.addresses };
		return [kept, answer.kind];
	}
	const { addresses } = answer;
	if (declared || !isShrunk(belief.addresses ?? [], addresses)) return [{ addresses }, "ok"];
	const again = belief.shrunk && same(belief.shrunk.addresses, addresses) ? belief.shrunk : undefined;
	const shrunk = { addresses, since: again?.since ?? at, times: (again?.times ?? 0) + 1 };
	if (shrunk.times >= SHRUNK_TIMES && at - shrunk.since >= SHRUNK_MS) return [{ addresses }, "ok"];
	return [{ addresses: belief.addresses, shrunk }, "shrunk"];
}

function isShrunk(known: readonly Address[], now: readonly Address[]): boolean {
	const names = new Set(now.map(nameOf));
	const lost = known.filter((address) => !names.has(nameOf(address))).length;
	return lost > 1 || (lost > 0 && known.length - lost < Math.floor(known.length / 2) + 1);
}

const same = (a: readonly Address[], b: readonly Address[]): boolean => a.map(nameOf).join() === b.map(nameOf).join();
