import { spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { copyFile } from "node:fs/promises";
import { join } from "node:path";
import { LineCounter, parseDocument } from "yaml";
import { HoldfastError } from "../runtime/errors.ts";
import { home } from "../runtime/home.ts";
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
	child.stdout?.on("data", (chunk) => {
		read.stdout += chunk;
	});
	child.stderr?.on("data", (chunk) => {
		read.stderr += chunk;
	});
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
	const config = configFile(stack);
	if (!existsSync(join(home(), "passphrase"))) refuseForeignSalt(config);
	requireConfig(stack);
	await ensureHome();
	if (!existsSync(config)) await copyFile(exampleFile(stack), config);
	if (existsSync(stateFile(stack))) return;
	await pulumiOutput(["stack", "init", stack, "--secrets-provider", "passphrase", "--no-select"]);
}

const exampleFile = (stack: string): string => join(root, "stacks", "config", `Pulumi.${stack}.example.yaml`);

/** A stack whose configuration can be read. The parser's own words would quote the file, which may hold secrets. */
export function requireConfig(stack: string): void {
	requireStack(stack);
	const config = configFile(stack);
	if (!existsSync(config)) return;
	const lines = new LineCounter();
	const [error] = parseDocument(readFileSync(config, "utf8"), { lineCounter: lines, prettyErrors: false }).errors;
	if (!error) return;
	const { line, col } = lines.linePos(error.pos[0]);
	throw new HoldfastError("HF_SETTING", `${config} is not valid YAML: line ${line}, column ${col} (${error.code})`, {
		next: "correct that line",
	});
}

/** A stack without a configuration is a slip of the pen. */
export function requireStack(stack: string): void {
	const config = configFile(stack);
	if (existsSync(config) || existsSync(exampleFile(stack)) || existsSync(stateFile(stack))) return;
	throw new HoldfastError("HF_SETTING", `there is no stack ${stack}: ${config} does not exist`, {
		next: "correct --stack, or write that file, e.g. as a copy of stacks/config/Pulumi.local.example.yaml",
	});
}

/** Secrets in the configuration were closed with a passphrase that is not here: a new one would not open them. */
function refuseForeignSalt(config: string): void {
	if (!existsSync(config) || !/^encryptionsalt:/m.test(readFileSync(config, "utf8"))) return;
	throw new HoldfastError(
		"HF_CREDENTIALS",
		`${config} was encrypted with a passphrase that is not here: ${join(home(), "passphrase")} is missing`,
		{
			next: "restore that file; if it is lost, remove the line encryptionsalt and every secure value from the configuration, and give the secrets anew",
		},
	);
}

/** The stack's state in the file backend. */
export function stateFile(stack: string): string {
	return join(home(), "state", ".pulumi", "stacks", "holdfast", `${stack}.json`);
}
