import { execFile } from "node:child_process";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { compareVersions } from "../../runtime/tools.ts";
import { run } from "./command.cjs";
import type { Bench, Workshop } from "./tool.ts";

const PIP_MS = 15 * 60_000;
const OLDEST = "3.8";

/** Absolute path of a Python that is new enough. Behind a version manager's shim: the interpreter itself. */
export async function python(): Promise<string> {
	const ask = "import sys; print(sys.executable, '%d.%d.%d' % sys.version_info[:3], sep='\\n')";
	let said: string;
	try {
		said = (await promisify(execFile)("python3", ["-c", ask], { timeout: 30_000 })).stdout;
	} catch (cause) {
		throw new Error(`Python ${OLDEST} or newer is needed: install python3`, { cause });
	}
	const [path, version] = said.trim().split("\n");
	if (path === undefined || version === undefined || compareVersions(version, OLDEST) < 0) {
		throw new Error(`python3 is ${version}: install Python ${OLDEST} or newer`);
	}
	return path;
}

/**
 * Installs the wheels of one requirements file into `<into>/lib`, each checked against its pinned hash.
 * A folder of its own instead of a virtual environment: it can be renamed, and outlives an upgrade of Python.
 */
export async function installWheels(manifest: string, { into, log }: Bench, workshop: Workshop): Promise<string> {
	const interpreter = await python();
	const env = { ...workshop.env, PIP_USER: "0", PIP_REQUIRE_VIRTUALENV: "0", PIP_NO_INPUT: "1" };
	const scratch = join(into, ".pip");
	const pip = await withPip(interpreter, scratch, log, env);
	const args = ["-m", "pip", "install", "--disable-pip-version-check", "--require-hashes", "--no-deps"];
	const what = ["--only-binary", ":all:", "--target", join(into, "lib"), "-r", join(workshop.root, manifest)];
	await run(pip, [...args, ...what], { log, env, deadlineMs: PIP_MS });
	await rm(scratch, { recursive: true, force: true });
	return interpreter;
}

/** A Python that has pip: the one given, or a virtual environment made from it (Debian keeps pip out of python3). */
async function withPip(interpreter: string, scratch: string, log: string, env: NodeJS.ProcessEnv): Promise<string> {
	try {
		await promisify(execFile)(interpreter, ["-m", "pip", "--version"], { timeout: 30_000, env });
		return interpreter;
	} catch {
		try {
			await run(interpreter, ["-m", "venv", scratch], { log, env, deadlineMs: 5 * 60_000 });
		} catch (cause) {
			const message = `${interpreter} has neither pip nor venv: install python3-venv or python3-pip (log: ${log})`;
			throw new Error(message, { cause });
		}
		return join(scratch, "bin", "python3");
	}
}
