import { setTimeout as sleep } from "node:timers/promises";
import { within } from "./within.ts";

/** Waits for what is so sooner or later, looking every `everyMs`; fails with `what` after `ms`, also when a look takes that long. */
export async function until<T>(
	what: string,
	ms: number,
	test: () => Promise<T> | T,
	everyMs = 25,
): Promise<Exclude<NonNullable<T>, false>> {
	for (const end = Date.now() + ms; ; await sleep(everyMs)) {
		const found = await within(what, ms, test());
		if (found) return found as Exclude<NonNullable<T>, false>;
		if (Date.now() > end) throw new Error(`waited ${ms} ms for ${what}`);
	}
}
