import { clearInterrupted } from "../interrupted.ts";
import { ensureStack, pulumi } from "../pulumi.ts";

/** Brings the state to what is really there; what differs from the program is repaired by the next `up`. */
export async function run({ stack, json }: { stack: string; json: boolean }): Promise<number> {
	await ensureStack(stack);
	await clearInterrupted(stack);
	const format = json ? ["--json"] : ["--diff", "--suppress-outputs"];
	return (await pulumi(["refresh", "--yes", "--skip-preview", "--stack", stack, ...format], { show: true })).code;
}
