import { requireStack } from "../pulumi.ts";
import { printStatus, statusOf } from "../show.ts";

/** Exit code 4 when something is not as it should be. */
export async function run({ stack, json }: { stack: string; json: boolean }): Promise<number> {
	requireStack(stack);
	const status = await statusOf(stack);
	if (json) console.log(JSON.stringify(status, null, 2));
	else printStatus(status);
	return status.healthy ? 0 : 4;
}
