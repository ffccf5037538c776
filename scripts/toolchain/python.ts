import { execFile } from "node:child_process";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { compareVersions } from "../../runtime/tools.ts";
import { run } from "./command.cjs";
import { type Bench, platform, type Workshop } from "./tool.ts";

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

/** What to install: the requirements file of a manifest folder, every package with its hashes. */
export interface PythonPackages {
	manifest: string;
	/** Packages that are published as source only, and the manifest of what builds them. */
	built?: { names: readonly string[]; by: string };
	/**
	 * Takes the wheel of this CPython ("3.12") for manylinux_2_28, whichever Python is here: for wheels of which only
	 * binaries are used that are no Python.
	 */
	foreign?: string;
}

/**
 * Installs packages into `<into>/lib`, each checked against its pinned hash. Returns the Python that they are for.
 * A folder of its own instead of a virtual environment: it can be renamed, and outlives an upgrade of Python.
 */
export async function installPackages(packages: PythonPackages, bench: Bench, workshop: Workshop): Promise<string> {
	const interpreter = await python();
	const env = { ...workshop.env, PIP_USER: "0", PIP_REQUIRE_VIRTUALENV: "0", PIP_NO_INPUT: "1" };
	const scratch = join(bench.into, ".pip");
	const pip = await withPip(interpreter, scratch, bench.log, env);
	const install = (manifest: string, target: string, options: readonly string[], more: NodeJS.ProcessEnv = {}) => {
		const args = ["-m", "pip", "install", "--disable-pip-version-check", "--require-hashes", "--no-deps"];
		const what = ["--only-binary", ":all:", ...options, "--target", target, "-r", join(workshop.root, manifest)];
		return run(pip, [...args, ...what], { log: bench.log, env: { ...env, ...more }, deadlineMs: PIP_MS });
	};
	const { manifest, built, foreign } = packages;
	const lib = join(bench.into, "lib");
	if (built === undefined) {
		await install(manifest, lib, foreign === undefined ? [] : foreignOptions(foreign));
	} else {
		// pip would take whatever builds them from the registry unpinned.
		const builder = join(scratch, "builder");
		await install(built.by, builder, []);
		const options = ["--no-binary", built.names.join(","), "--no-build-isolation", "--use-pep517"];
		await install(manifest, lib, options, { PYTHONPATH: builder });
	}
	await rm(scratch, { recursive: true, force: true });
	return interpreter;
}

function foreignOptions(release: string): string[] {
	const machine = { x64: "x86_64", arm64: "aarch64" }[process.arch as string];
	if (process.platform !== "linux" || machine === undefined) throw new Error(`it has no build for ${platform}`);
	const platforms = ["--platform", `manylinux_2_28_${machine}`];
	const exact = ["--implementation", "cp", "--python-version", release, "--ignore-requires-python"];
	return [...platforms, ...exact, "--no-compile"];
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
