import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";

/** The checkout: npm and the test runner start in it. */
export const root = process.cwd();

/** Runs a TypeScript file with the very Node that runs the product, outside the test runner. */
export async function runNode(
	file: string,
	args: string[] = [],
	env: NodeJS.ProcessEnv = process.env,
): Promise<string> {
	const { stdout } = await promisify(execFile)(process.execPath, [join(root, file), ...args], { cwd: root, env });
	return stdout;
}
