/** One thing that happens in a long verb: which phase, what in it, and how far where that is known. */
export interface ProgressEvent {
	/** e.g. `mongo rs0`: lines of one phase are rate-limited together. */
	phase: string;
	step: string;
	done?: number;
	total?: number;
}

const INTERVAL_MS = 1000;
const last = new Map<string, { at: number; step: string }>();

/**
 * Reports progress. In a provider standard output is Pulumi's display: at most one line a second and phase, and the
 * same line not twice in ten seconds.
 */
export function report(event: ProgressEvent): void {
	const now = Date.now();
	const before = last.get(event.phase);
	if (before && now - before.at < (before.step === event.step ? 10 * INTERVAL_MS : INTERVAL_MS)) return;
	last.set(event.phase, { at: now, step: event.step });
	const count = event.total === undefined ? "" : ` (${event.done ?? 0}/${event.total})`;
	console.log(`${event.phase}: ${event.step}${count}`);
}
