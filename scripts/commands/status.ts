import { setTimeout as sleep } from "node:timers/promises";
import { requireStack } from "../pulumi.ts";
import { printStatus, statusOf } from "../show.ts";

interface Options {
	stack: string;
	json: boolean;
	watch?: boolean;
}

const EVERY_MS = 2000;
const CLEAR = "\u001b[2J\u001b[H";

/** Exit code 4 when something is not as it should be. */
export async function run({ stack, json, watch = false }: Options): Promise<number> {
	requireStack(stack);
	for (;;) {
		const status = await statusOf(stack);
		if (json) console.log(JSON.stringify(status, null, watch ? 0 : 2));
		else {
			if (watch) console.log(process.stdout.isTTY ? CLEAR : `\n${new Date().toISOString()}`);
			printStatus(status);
		}
		if (!watch) return status.healthy ? 0 : 4;
		await sleep(EVERY_MS);
	}
}
