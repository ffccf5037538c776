import { HoldfastError } from "../errors.ts";

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

/** A clock ahead of the service's by less than this does not ask for a moment that is yet to come. */
const SKEW = 10 * SECOND;

const iso = (ms: number): string => new Date(ms).toISOString().replace(".000Z", "Z");

/**
 * The default moment of a run, ISO 8601: beyond an hour the service keeps one version a minute, at whole minutes. Not
 * seen is what was written in the last 10 to 70 s: freeze the source, wait as long, then begin.
 */
export const lastWholeMinute = (now = Date.now()): string => iso(Math.floor((now - SKEW) / MINUTE) * MINUTE);

/** Until when the service answers for a read time, ISO 8601. */
export const expiryOf = (readTime: string, retentionHours: number): string =>
	iso(Date.parse(readTime) + retentionHours * HOUR);

/** What is asked for: refused before a service calls it "too old" for want of a whole minute. HF_SETTING. */
export function checkReadTime(readTime: string, retentionHours: number): void {
	const ms = Date.parse(readTime);
	const step = retentionHours > 1 ? MINUTE : SECOND;
	if (Number.isNaN(ms) || ms % step !== 0)
		throw new HoldfastError(
			"HF_SETTING",
			`the read time ${JSON.stringify(readTime)} is not a whole ${step === MINUTE ? "minute" : "second"}`,
			{ next: `use one such as ${lastWholeMinute()}; beyond an hour a source keeps whole minutes only` },
		);
}

/** A read time as the service takes it. */
export const protoTime = (readTime: string) => ({ seconds: String(Date.parse(readTime) / SECOND), nanos: 0 });

/** Whether an answer is of that moment: a server that ignores read times tells none, or another. */
export const isReadAt = (
	answered: { seconds?: unknown; nanos?: number | null } | null | undefined,
	readTime: string,
): boolean => String(answered?.seconds) === protoTime(readTime).seconds && (answered?.nanos ?? 0) === 0;
