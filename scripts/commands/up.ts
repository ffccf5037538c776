import { clearInterrupted } from "../interrupted.ts";
import { ensureStack, pulumi } from "../pulumi.ts";
import { showStack, statusOf } from "../show.ts";

interface Options {
	stack: string;
	json: boolean;
	refresh?: boolean;
}

/** `pulumi up` with Pulumi's own progress, then what runs and how to connect. */
export async function run({ stack, json, refresh = false }: Options): Promise<number> {
	await ensureStack(stack);
	await clearInterrupted(stack);
	// Pulumi compares the program with its state only: after a reboot it would find nothing to do.
	const unwell = !refresh && !(await statusOf(stack)).healthy;
	if (unwell && !json) console.error(`stack ${stack} is not as its state says: looking at the real world first`);
	const format = json ? ["--json"] : ["--suppress-outputs"];
	const look = refresh || unwell ? ["--refresh"] : [];
	const { code } = await pulumi(["up", "--yes", "--skip-preview", "--stack", stack, ...format, ...look], {
		show: true,
	});
	if (code === 0 && !json) await showStack(stack);
	return code;
}
