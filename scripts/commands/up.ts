import { stopLeftovers } from "../leftovers.ts";
import { clearPendingCreates, releaseDeadLock } from "../lockfile.ts";
import { ensureStack, pulumi } from "../pulumi.ts";
import { showStack } from "../show.ts";

/** `pulumi up` with Pulumi's own progress, then what runs and how to connect. */
export async function run({ stack, json, refresh }: { stack: string; json: boolean; refresh?: boolean }): Promise<number> {
	await ensureStack(stack);
	await releaseDeadLock(stack);
	await stopLeftovers();
	await clearPendingCreates(stack);
	const format = json ? ["--json"] : ["--suppress-outputs"];
	const { code } = await pulumi(
		["up", "--yes", "--skip-preview", "--stack", stack, ...format, ...(refresh ? ["--refresh"] : [])],
		{ show: true },
	);
	if (code === 0 && !json) await showStack(stack);
	return code;
}
