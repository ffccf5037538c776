import type { ChildProcess } from "node:child_process";
import { readFile } from "node:fs/promises";
import { constants } from "node:os";
import { until } from "./until.ts";

const TERM = 1n << BigInt(constants.signals.SIGTERM - 1);

/** Waits until a process that was just started has a handler for SIGTERM: sooner, the signal would simply end it. */
export async function hearsTerm({ pid }: ChildProcess): Promise<void> {
	await until("a handler for SIGTERM", 60_000, async () => {
		const [, caught] = /^SigCgt:\s*(\w+)/m.exec(await readFile(`/proc/${pid}/status`, "utf8"))!;
		return (BigInt(`0x${caught}`) & TERM) !== 0n;
	});
}
