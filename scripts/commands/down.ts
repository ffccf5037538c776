import { existsSync } from "node:fs";
import { rm, rmdir } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline/promises";
import { clustersOf } from "../../runtime/clusters.ts";
import { HoldfastError } from "../../runtime/errors.ts";
import { stackFolder } from "../../runtime/home.ts";
import { clearInterrupted } from "../interrupted.ts";
import { stopLeftovers } from "../leftovers.ts";
import { pulumi, pulumiOutput, requireConfig, stateFile } from "../pulumi.ts";

interface Options {
	stack: string;
	json: boolean;
	deleteData?: string;
}

/** Stops everything and deletes the data, after the stack was named; nothing begins before that is checked. */
export async function run({ stack, json, deleteData }: Options): Promise<number> {
	requireConfig(stack);
	if (!existsSync(stateFile(stack))) {
		if (!json) console.log(`stack ${stack}: nothing to take down`);
		return 0;
	}
	const clusters = (await clustersOf(stack)).map(({ access }) => access.cluster);
	await confirm(stack, clusters, deleteData);
	await clearInterrupted(stack);
	await pulumiOutput(["state", "unprotect", "--all", "--yes", "--stack", stack]);
	const format = json ? ["--json"] : ["--suppress-outputs"];
	const { code } = await pulumi(["destroy", "--yes", "--skip-preview", "--stack", stack, ...format], { show: true });
	if (code !== 0) return code;
	await pulumiOutput(["stack", "rm", "--yes", "--preserve-config", "--stack", stack]);
	await stopLeftovers();
	// Every member and host removed its own; what is left are empty folders and the log of a stack that is no more.
	for (const rest of ["clusters", "holdfast.log"])
		await rm(join(stackFolder(stack), rest), { recursive: true, force: true });
	await rmdir(stackFolder(stack)).catch(() => {});
	return 0;
}

async function confirm(stack: string, clusters: string[], named?: string): Promise<void> {
	const what = `down deletes the data of ${clusters.length > 0 ? clusters.join(", ") : `stack ${stack}`}`;
	const answer = named ?? (await ask(`${what}. Type the stack's name to go on: `));
	if (answer === stack) return;
	throw new HoldfastError("HF_PROTECTED", `${what} and was not confirmed by the stack's name`, {
		next: `npm run holdfast -- down --stack ${stack} --delete-data ${stack}`,
	});
}

async function ask(question: string): Promise<string | undefined> {
	if (!process.stdin.isTTY) return undefined;
	const terminal = createInterface({ input: process.stdin, output: process.stderr });
	try {
		return (await terminal.question(question)).trim();
	} finally {
		terminal.close();
	}
}
