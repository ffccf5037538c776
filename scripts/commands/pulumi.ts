import { ensureHome } from "../environment.ts";
import { pulumi } from "../pulumi.ts";

/** The plain CLI; its exit code is ours. */
export async function run({ args }: { args: [string[]] }): Promise<number> {
	await ensureHome();
	const at = process.argv.indexOf("pulumi");
	return (await pulumi(at === -1 ? args[0] : process.argv.slice(at + 1), { show: true })).code;
}
