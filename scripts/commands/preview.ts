import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { hints } from "../hints.ts";
import { ensureStack, pulumi } from "../pulumi.ts";

interface Options {
	stack: string;
	json: boolean;
	refresh?: boolean;
}

/** `pulumi preview`, property by property with secrets masked by the engine; then what it means for what runs. */
export async function run({ stack, json, refresh }: Options): Promise<number> {
	await ensureStack(stack);
	const rest = ["--stack", stack, ...(refresh ? ["--refresh"] : [])];
	if (json) return (await pulumi(["preview", "--json", ...rest], { show: true })).code;
	const folder = await mkdtemp(join(tmpdir(), "holdfast-preview-"));
	try {
		const log = join(folder, "events");
		const { code } = await pulumi(["preview", "--diff", "--suppress-outputs", "--event-log", log, ...rest], {
			show: true,
		});
		if (code !== 0) return code;
		const lines = await hints(log);
		if (lines.length > 0)
			console.log(`\nWhat up would do to what runs, in this order:\n${lines.map((line) => `  ${line}`).join("\n")}`);
		return 0;
	} finally {
		await rm(folder, { recursive: true });
	}
}
