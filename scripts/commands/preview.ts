import { ensureStack, pulumi } from "../pulumi.ts";

/** `pulumi preview`, property by property; secrets are masked by the engine. */
export async function run({ stack, json, refresh }: { stack: string; json: boolean; refresh?: boolean }): Promise<number> {
	await ensureStack(stack);
	const format = json ? ["--json"] : ["--diff", "--suppress-outputs"];
	const { code } = await pulumi(["preview", "--stack", stack, ...format, ...(refresh ? ["--refresh"] : [])], { show: true });
	return code;
}
