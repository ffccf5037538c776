import { readlink } from "node:fs/promises";
import { basename } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { born, commandOf, parentOf, pids } from "../runtime/platform/proc.ts";
import { root } from "./environment.ts";

/**
 * Provider and program processes of this checkout whose Pulumi is gone: a killed `up` leaves them behind, and a
 * provider among them may still be finishing its last step.
 */
export async function leftovers(): Promise<number[]> {
	const all = await pids();
	const found = await Promise.all(all.map(async (pid) => ((await isLeftover(pid)) ? [pid] : [])));
	return found.flat();
}

async function isLeftover(pid: number): Promise<boolean> {
	if (!/@pulumi\/pulumi\/cmd\/(dynamic-provider|run)\b/.test((await commandOf(pid)) ?? "")) return false;
	const cwd = await readlink(`/proc/${pid}/cwd`).catch(() => undefined);
	return cwd === root && !(await hasPulumiAbove(pid));
}

/** Walks up to the Pulumi CLI; a leftover ends at init instead. */
async function hasPulumiAbove(pid: number): Promise<boolean> {
	const parent = await parentOf(pid);
	if (parent === undefined || parent <= 1 || (await born(parent)) === undefined) return false;
	const name = basename(((await commandOf(parent)) ?? "").split(" ")[0]!);
	return name === "pulumi" || hasPulumiAbove(parent);
}

/** Ends leftovers. Every step they may be in can be interrupted and run again. */
export async function stopLeftovers(): Promise<void> {
	const left = await leftovers();
	if (left.length === 0) return;
	console.error(`ending ${left.length} leftover process(es) of an interrupted run: ${left.join(", ")}`);
	const births = new Map(await Promise.all(left.map(async (pid) => [pid, await born(pid)] as const)));
	for (const pid of left) end(pid, "SIGTERM");
	for (let i = 0; i < 50 && (await alive(births)).length > 0; i++) await sleep(100);
	for (const pid of await alive(births)) end(pid, "SIGKILL");
}

/** What ended by itself meanwhile needs no signal. */
function end(pid: number, signal: NodeJS.Signals): void {
	try {
		process.kill(pid, signal);
	} catch (error) {
		if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
	}
}

/** Those that are still the same process: a pid can be somebody else's by now. */
async function alive(births: ReadonlyMap<number, Awaited<ReturnType<typeof born>>>): Promise<number[]> {
	const found = await Promise.all(
		[...births].map(async ([pid, since]) => (since !== undefined && (await born(pid)) === since ? [pid] : [])),
	);
	return found.flat();
}
