import { execFile } from "node:child_process";
import { realpathSync } from "node:fs";
import { delimiter, dirname, isAbsolute, join, sep } from "node:path";
import { promisify } from "node:util";
import { compareVersions } from "../../runtime/tools.ts";
import { executable } from "./record.cjs";
import type { Found, Tool } from "./tool.ts";

const PROBE_MS = 15_000;

/** Whether a version lies in a range: from the first, below the second. */
export function inRange(version: string, range: { from: string; below: string }): boolean {
	return compareVersions(version, range.from) >= 0 && compareVersions(version, range.below) < 0;
}

/** Asks a program for its version; throws with what it said instead. */
export async function probe(tool: Tool, path: string): Promise<string> {
	const env = { ...process.env, PULUMI_SKIP_UPDATE_CHECK: "true" };
	let said: string;
	try {
		const { stdout } = await promisify(execFile)(path, tool.probe.args, { timeout: PROBE_MS, env });
		said = stdout;
	} catch (error) {
		const { stderr, message } = error as Error & { stderr?: string };
		throw new Error(`${path} does not run: ${(stderr?.trim() || message).split("\n")[0]}`);
	}
	const version = tool.probe.pattern.exec(said)?.[1];
	if (version === undefined) throw new Error(`${path} does not tell its version`);
	return version;
}

/** Throws unless everything that belongs beside the program is there. */
export function checkBeside(tool: Tool, path: string): void {
	const folder = dirname(realpathSync(path));
	const missing = tool.beside.filter((name) => !executable(join(folder, name)));
	if (missing.length > 0) throw new Error(`${path} has no ${missing.join(" and no ")} beside it`);
}

/** Those beside a program are released with it, unless its source says otherwise. */
export function besideVersions(
	tool: Tool,
	version: string,
	known: Record<string, string> = {},
): Record<string, string> {
	return { ...Object.fromEntries(tool.beside.map((name) => [name, version])), ...known };
}

/** Every executable of that name on a search path, in order, without those under `excluded` folders and repeats. */
export function candidates(name: string, searchPath: string, excluded: readonly string[]): string[] {
	const seen = new Set<string>();
	return searchPath
		.split(delimiter)
		.filter((folder) => isAbsolute(folder))
		.map((folder) => join(folder, name))
		.filter((path) => {
			if (!executable(path)) return false;
			const real = realpathSync(path);
			if (seen.has(real) || excluded.some((folder) => real.startsWith(folder + sep))) return false;
			seen.add(real);
			return true;
		});
}

/** The programs of PATH that will do, in order, and why the others do not. */
export async function onPath(
	tool: Tool,
	searchPath: string,
	excluded: readonly string[],
): Promise<{ found: Found[]; reasons: string[] }> {
	const found: Found[] = [];
	const reasons: string[] = [];
	for (const path of candidates(tool.name, searchPath, excluded)) {
		try {
			const version = await probe(tool, path);
			const { from, below } = tool.range;
			if (!inRange(version, tool.range)) {
				throw new Error(`${path} is ${version}, not ${from} or newer and older than ${below}`);
			}
			checkBeside(tool, path);
			found.push({ path, version, source: "PATH", beside: besideVersions(tool, version) });
		} catch (error) {
			reasons.push((error as Error).message);
		}
	}
	if (found.length === 0 && reasons.length === 0) reasons.push("not there");
	return { found, reasons };
}
