import { stopLeftovers } from "./leftovers.ts";
import { clearPendingCreates, releaseDeadLock } from "./lockfile.ts";

/** Clears what a killed run left of a stack: its lock, its processes, its pending creates. Refuses while a run goes on. */
export async function clearInterrupted(stack: string): Promise<void> {
	await releaseDeadLock(stack);
	await stopLeftovers();
	await clearPendingCreates(stack);
}
