import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { copyFile } from "node:fs/promises";
import { join } from "node:path";
import { HoldfastError } from "../runtime/errors.ts";
import { configFile, ensureHome, pulumiEnvironment, root } from "./environment.ts";

interface Options {
	/** Show Pulumi's own output instead of collecting it. */
	show?: boolean;
	/** Text for standard input. */
	input?: string;
}

export interface Result {
	code: number;
	stdout: string;
	stderr: string;
}

/** Runs the Pulumi CLI in this checkout with the right environment. A failure is a result, not an exception. */
export function pulumi(args: readonly string[], { show = false, input }: Options = {}): Promise<Result> {
	const stdio = show ? ("inherit" as const) : ("pipe" as const);
	const child = spawn("pulumi", args, { cwd: root, env: { ...process.env, ...pulumiEnvironment() }, stdio });
	const read = { stdout: "", stderr: "" };
	child.stdout?.on("data", (chunk) => (read.stdout += chunk));
	child.stderr?.on("data", (chunk) => (read.stderr += chunk));
	child.stdin?.end(input);
	// Ctrl-C goes to the whole foreground group: Pulumi finishes its step and says so; we only outlive it.
	const ignore = () => {};
	process.on("SIGINT", ignore);
	return new Promise((resolve, reject) => {
		child.once("error", (cause) => reject(new HoldfastError("HF_TOOL", "cannot run pulumi", { cause })));
		child.once("close", (code, signal) => {
			process.off("SIGINT", ignore);
			resolve({ code: code ?? (signal === "SIGINT" ? 130 : 255), ...read });
		});
	});
}

/** As `pulumi`, but a failure is an error that carries what Pulumi said. */
export async function pulumiOutput(args: readonly string[], options: Options = {}): Promise<string> {
	const { code, stdout, stderr } = await pulumi(args, options);
	if (code === 0) return stdout;
	throw new HoldfastError("HF_REJECTED", `pulumi ${args[0]} failed (${code}): ${(stderr || stdout).trim()}`);
}

/** Makes home, passphrase, the stack's configuration and the stack itself where they are missing. */
export async function ensureStack(stack: string): Promise<void> {
	await ensureHome();
	const config = configFile(stack);
	if (!existsSync(config)) {
		const example = join(root, "stacks", "config", `Pulumi.${stack}.example.yaml`);
		if (!existsSync(example)) {
			throw new HoldfastError("HF_SETTING", `stack ${stack} has no configuration: ${config} does not exist`, {
				next: "write it, e.g. as a copy of stacks/config/Pulumi.local.example.yaml",
			});
		}
		await copyFile(example, config);
	}
	if (existsSync(stateFile(stack))) return;
	await pulumiOutput(["stack", "init", stack, "--secrets-provider", "passphrase", "--no-select"]);
}

/** The stack's state in the file backend. */
export function stateFile(stack: string): string {
	const backend = pulumiEnvironment().PULUMI_BACKEND_URL!.slice("file://".length);
	return join(backend, ".pulumi", "stacks", "holdfast", `${stack}.json`);
}
