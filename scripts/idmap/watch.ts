import { type Meter, measure, meter, pace } from "../../runtime/migrate/eta.ts";
import type { IdMapProgress } from "../../runtime/migrate/idmap/pace.ts";
import { progressView } from "../progressBar.ts";

/** What is done within a second needs no progress. */
const QUIET_MS = 1000;

/** Shows how far a command on a map is, while `fn` runs. */
export async function watched<T>(
	json: boolean,
	fn: (onProgress: (event: IdMapProgress) => void) => Promise<T>,
): Promise<T> {
	const view = progressView({ json });
	const begun = performance.now();
	let step: string | undefined;
	let rate: Meter = meter(performance.now());
	try {
		return await fn((event) => {
			const { done, total } = event;
			rate = step === event.step ? measure(rate, performance.now(), done) : meter(performance.now(), done);
			step = event.step;
			if (performance.now() - begun < QUIET_MS) return;
			view.show({ phase: "id map", step, done, ...(total !== undefined && { total }), ...pace(rate, total) });
		});
	} finally {
		view.end();
	}
}
