import { type ChildProcess, execFileSync } from "node:child_process";
import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Failpoint } from "../../runtime/failpoint.ts";
import type { TestStack } from "./stack.ts";

/** Runs `up` until it hangs at a failpoint; the mark proves that it got there. */
export async function upTo(stack: TestStack, failpoint: Failpoint, ms = 240_000): Promise<ChildProcess> {
	const mark = join(stack.home, "failpoint");
	rmSync(mark, { force: true });
	const child = stack.start({ HOLDFAST_FAILPOINT: failpoint }, "up");
	let said = "";
	for (const stream of [child.stdout!, child.stderr!])
		stream.on("data", (chunk) => {
			said += chunk;
		});
	for (const end = Date.now() + ms; !existsSync(mark); await sleep(50)) {
		if (Date.now() > end || child.exitCode !== null) throw new Error(`up did not reach ${failpoint}: ${said}`);
	}
	expect(readFileSync(mark, "utf8")).toContain(failpoint);
	return child;
}

/** Pids below a process, deepest last. */
function descendants(pid: number): number[] {
	const children = execFileSync("ps", ["-o", "pid=,ppid=", "-A"], { encoding: "utf8" })
		.trim()
		.split("\n")
		.map((line) => line.trim().split(/\s+/).map(Number))
		.filter(([, parent]) => parent === pid)
		.map(([child]) => child!);
	return children.flatMap((child) => [child, ...descendants(child)]);
}

/** Command line of a process; empty when it is gone. */
export const commandOf = (pid: number): string => {
	try {
		return readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ");
	} catch {
		return "";
	}
};

/** Kills holdfast and Pulumi as the kernel would; the pids of the providers, which are left behind, still at work. */
export async function killUp(child: ChildProcess): Promise<number[]> {
	const all = descendants(child.pid!);
	const pulumi = all.filter((pid) => commandOf(pid).startsWith("pulumi up "));
	expect(pulumi).toHaveLength(1);
	const gone = new Promise((resolve) => child.once("close", resolve));
	for (const pid of [...pulumi, child.pid!]) process.kill(pid, "SIGKILL");
	child.stdout?.destroy();
	child.stderr?.destroy();
	await Promise.race([gone, sleep(2000)]);
	return all.filter((pid) => commandOf(pid).includes("dynamic-provider"));
}

/** One `up` after the other, each killed at its failpoint. */
export async function killedAt(stack: TestStack, ...failpoints: Failpoint[]): Promise<void> {
	for (const failpoint of failpoints) expect(await killUp(await upTo(stack, failpoint))).not.toEqual([]);
}
