import { readdir, readFile, readlink } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { isAlive } from "./lockfile.ts";
import { root } from "./environment.ts";

/**
 * Provider and program processes of this checkout whose Pulumi is gone: a killed `up` leaves them behind, and a
 * provider among them may still be finishing its last step.
 */
export async function leftovers(): Promise<number[]> {
	const pids = (await readdir("/proc").catch(() => [])).filter((name) => /^\d+$/.test(name)).map(Number);
	const found = await Promise.all(pids.map(async (pid) => ((await isLeftover(pid)) ? pid : 0)));
	return found.filter((pid) => pid !== 0);
}

async function isLeftover(pid: number): Promise<boolean> {
	try {
		const [command, cwd, stat] = await Promise.all([
			readFile(`/proc/${pid}/cmdline`, "utf8"),
			readlink(`/proc/${pid}/cwd`),
			readFile(`/proc/${pid}/stat`, "utf8"),
		]);
		const parent = Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]);
		const ours = command.includes("@pulumi/pulumi/cmd/dynamic-provider") || command.includes("@pulumi/pulumi/cmd/run");
		return ours && cwd === root && !(await hasPulumiAbove(parent));
	} catch {
		return false; // gone meanwhile, or somebody else's
	}
}

/** Walks up to the Pulumi CLI; a leftover ends at init instead. */
async function hasPulumiAbove(pid: number): Promise<boolean> {
	if (pid <= 1) return false;
	const stat = await readFile(`/proc/${pid}/stat`, "utf8");
	const name = stat.slice(stat.indexOf("(") + 1, stat.lastIndexOf(")"));
	return name === "pulumi" || hasPulumiAbove(Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]));
}

/** Ends leftovers. Every step they may be in can be interrupted and run again. */
export async function stopLeftovers(): Promise<void> {
	const pids = await leftovers();
	if (pids.length === 0) return;
	console.error(`ending ${pids.length} leftover process(es) of an interrupted run: ${pids.join(", ")}`);
	for (const pid of pids) process.kill(pid, "SIGTERM");
	for (let i = 0; i < 50 && pids.some(isAlive); i++) await sleep(100);
	for (const pid of pids.filter(isAlive)) process.kill(pid, "SIGKILL");
}
