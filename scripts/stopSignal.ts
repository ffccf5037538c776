/** Exit code of a program that SIGINT ended. */
const INTERRUPTED = 130;

/**
 * Runs `fn` with a signal that SIGTERM or SIGINT aborts: the work at hand is finished and kept. The second one ends the
 * process at once; what was not kept is done again by the next run.
 */
export async function stoppable<T>(fn: (signal: AbortSignal) => Promise<T>): Promise<T> {
	const controller = new AbortController();
	const stop = () => {
		if (controller.signal.aborted) process.exit(INTERRUPTED);
		process.stderr.write("holdfast: stopping after the pages at hand; once more ends at once\n");
		controller.abort();
	};
	process.on("SIGTERM", stop);
	process.on("SIGINT", stop);
	try {
		return await fn(controller.signal);
	} finally {
		process.off("SIGTERM", stop);
		process.off("SIGINT", stop);
	}
}
