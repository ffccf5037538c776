// The npm packages of the checkout, Node 24 among them. Plain JavaScript: it runs under any Node from 18 on.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { run } from "./command.cjs";
import { withLock } from "./lock.cjs";
import { Progress } from "./progress.cjs";
import { executable } from "./record.cjs";

const INSTALL_MS = 20 * 60_000;
const NEEDED_NODE = 24;

const major = (version) => Number(version.replace(/^v/, "").split(".")[0]);

function json(path) {
	try {
		return JSON.parse(readFileSync(path, "utf8"));
	} catch {
		return undefined;
	}
}

function markerOf(root) {
	const hash = createHash("sha256").update(readFileSync(join(root, "package-lock.json")));
	return { lock: hash.digest("hex"), platform: `${process.platform}-${process.arch}` };
}

const markerFile = (root) => join(root, "node_modules", ".holdfast.json");

/** Whether what was installed last is what the lock file asks for, and its top level is still there. */
function installed(root) {
	const marker = json(markerFile(root));
	const wanted = markerOf(root);
	if (marker?.lock !== wanted.lock || marker.platform !== wanted.platform) return false;
	return complete(root, marker.node);
}

function complete(root, node) {
	if (node !== undefined && !executable(node)) return false;
	const { dependencies, devDependencies } = json(join(root, "package.json"));
	const names = Object.keys({ ...dependencies, ...devDependencies });
	return names.every((name) => existsSync(join(root, "node_modules", name, "package.json")));
}

/** Whether somebody ran `npm ci` by hand: npm's own record then lists the very packages of the lock file. */
function installedByHand(root) {
	const wanted = json(join(root, "package-lock.json"))?.packages;
	const present = json(join(root, "node_modules", ".package-lock.json"))?.packages;
	if (wanted === undefined || present === undefined || !complete(root)) return false;
	const extra = Object.keys(present).filter((name) => wanted[name]?.integrity !== present[name].integrity);
	const missing = Object.keys(wanted).filter((name) => name !== "" && !present[name] && !wanted[name].optional);
	return extra.length === 0 && missing.length === 0;
}

/** npm as it runs us, under the Node that runs us; else the one on PATH. */
function npm() {
	const cli = process.env.npm_execpath;
	if (cli !== undefined && /npm-cli\.[cm]?js$/.test(cli)) return { program: process.execPath, first: [cli] };
	return { program: "npm", first: [] };
}

async function install(root) {
	const log = join(root, ".holdfast", "logs", "npm.log");
	const end = new Progress().start("installing npm packages", "once for each change of package-lock.json");
	const options = [
		"--ignore-scripts",
		"--prefer-offline",
		"--include=dev",
		"--include=optional",
		"--no-audit",
		"--no-fund",
	];
	const { program, first } = npm();
	try {
		await run(program, [...first, "ci", ...options, "--loglevel=error"], { cwd: root, log, deadlineMs: INSTALL_MS });
	} catch (error) {
		end("failed");
		if (/ENOENT/.test(error.message) && program === "npm") {
			throw new Error(
				"npm is not on PATH. Next: install it (it comes with Node; on Debian it is a package of its own)",
			);
		}
		throw new Error(
			`npm ci failed: ${error.message}. Next: see the log; without a network, npm's cache must hold the packages`,
		);
	}
	end("done");
}

/** The Node that runs TypeScript: the one npm installed, else ours if it is new enough. Runs it once to be sure. */
function findNode(root) {
	const own = join(root, "node_modules", ".bin", "node");
	if (!executable(own)) {
		if (major(process.version) >= NEEDED_NODE) return undefined;
		throw new Error(
			`no Node package is published for ${process.platform}-${process.arch}, and this is Node ${process.version}. ` +
				`Next: put Node ${NEEDED_NODE} or newer on PATH`,
		);
	}
	const { status, stdout, error } = spawnSync(own, ["--version"], { encoding: "utf8", timeout: 30_000 });
	if (status !== 0 || major(stdout) < NEEDED_NODE) {
		throw new Error(
			`${own} does not run as Node ${NEEDED_NODE} on this system (${error?.code ?? (stdout || `exit ${status}`)}). ` +
				"Next: use a Linux with glibc, or remove node_modules and report it",
		);
	}
	return own;
}

/** Installs the npm packages unless they are in place. Returns the Node to run TypeScript with. */
export async function ensureDependencies(root) {
	if (!installed(root)) {
		const folder = join(root, ".holdfast");
		mkdirSync(folder, { recursive: true, mode: 0o700 });
		const waiting = ({ pid }) => {
			const end = new Progress().start(`waiting for process ${pid}, which installs npm packages here`);
			return () => end("done");
		};
		await withLock(
			join(folder, "npm.lock"),
			"installing npm packages",
			{ waiting, deadlineMs: INSTALL_MS },
			async () => {
				if (installed(root)) return;
				if (!installedByHand(root)) await install(root);
				writeFileSync(markerFile(root), JSON.stringify({ ...markerOf(root), node: findNode(root) }));
			},
		);
	}
	const own = json(markerFile(root)).node;
	return own ?? findNode(root) ?? process.execPath;
}
