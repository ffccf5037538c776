import { setTimeout as sleep } from "node:timers/promises";
import { checkReadTime } from "../datastore/readTime.ts";
import { HoldfastError } from "../errors.ts";

const SECOND = 1000;
const MINUTE = 60 * SECOND;

/**
 * A read time that is not before this moment, in milliseconds since 1970: sources serve whole seconds of the last hour,
 * and beyond it whole minutes.
 */
export function nextReadTime(now: number, retentionHours: number): number {
	const step = retentionHours > 1 ? MINUTE : SECOND;
	return Math.ceil(now / step) * step;
}

/**
 * What `--read-time` means, as ISO 8601: `now` is the next moment that can be pinned, waited for (at most a minute), so
 * that nothing is left out that was written before the call. HF_SETTING for what cannot be pinned, HF_RETRY when stopped.
 */
export async function settledReadTime(asked: string, retentionHours: number, signal?: AbortSignal): Promise<string> {
	if (asked !== "now") {
		checkReadTime(asked, retentionHours);
		return iso(Date.parse(asked));
	}
	const at = nextReadTime(Date.now(), retentionHours);
	// A second more: a source refuses to read the future, and its clock may be a little behind.
	await sleep(at + SECOND - Date.now(), undefined, { signal }).catch(() => {
		throw new HoldfastError("HF_RETRY", "stopped while it waited for the moment to read at");
	});
	return iso(at);
}

const iso = (at: number): string => new Date(at).toISOString().replace(".000Z", "Z");
