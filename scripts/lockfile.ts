import { readdir, readFile } from "node:fs/promises";
import { hostname } from "node:os";
import { dirname, join } from "node:path";
import { HoldfastError } from "../runtime/errors.ts";
import { born, commandOf } from "../runtime/platform/proc.ts";
import { pulumiOutput, stateFile } from "./pulumi.ts";

interface Holder {
	pid: number;
	username: string;
	hostname: string;
	timestamp: string;
}

/** Who holds the stack's lock in the file backend. */
export async function lockHolders(stack: string): Promise<Holder[]> {
	const folder = join(dirname(dirname(dirname(stateFile(stack)))), "locks", "organization", "holdfast", stack);
	try {
		const files = (await readdir(folder)).filter((file) => file.endsWith(".json"));
		return await Promise.all(files.map(async (file) => JSON.parse(await readFile(join(folder, file), "utf8"))));
	} catch (error) {
		if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
		throw error;
	}
}

/** Whether the run that took a lock goes on; another program with the same pid does not count. */
export async function isRunning({ pid }: Pick<Holder, "pid">): Promise<boolean> {
	return (await born(pid)) !== undefined && /pulumi/.test((await commandOf(pid)) ?? "");
}

/**
 * Makes sure that no other run holds the stack. A lock is cancelled only if its process is dead on this very host;
 * otherwise the run that holds it is named.
 */
export async function releaseDeadLock(stack: string): Promise<void> {
	const holders = await lockHolders(stack);
	if (holders.length === 0) return;
	const running = await Promise.all(holders.map(isRunning));
	const live = holders.find((holder, i) => holder.hostname !== hostname() || running[i]);
	if (live) {
		throw new HoldfastError(
			"HF_LOCKED",
			`stack ${stack} is in use by process ${live.pid} of ${live.username} on ${live.hostname} since ${live.timestamp}`,
		);
	}
	console.error(`stack ${stack}: releasing the lock of process ${holders[0]!.pid}, which is dead`);
	await pulumiOutput(["cancel", "--yes", "--stack", stack]);
}

/** Clears creates that a killed run left pending: a create is an ensure, so the next one finds what is there. */
export async function clearPendingCreates(stack: string): Promise<void> {
	const state = JSON.parse(await readFile(stateFile(stack), "utf8"));
	const pending = state?.checkpoint?.latest?.pending_operations ?? [];
	if (pending.length === 0) return;
	console.error(`stack ${stack}: clearing ${pending.length} operation(s) that an interrupted run left pending`);
	await pulumiOutput([
		"refresh",
		"--yes",
		"--non-interactive",
		"--clear-pending-creates",
		"--skip-preview",
		"--stack",
		stack,
	]);
}
