import { execFile } from "node:child_process";
import { readdirSync, realpathSync } from "node:fs";
import { delimiter, dirname, isAbsolute, join, sep } from "node:path";
import { promisify } from "node:util";
import { compareVersions } from "../../runtime/tools.ts";
import { executable } from "./record.cjs";
import type { Found, Range, Tool } from "./tool.ts";

const PROBE_MS = 15_000;
/** Sources that are this machine's own, as against what set-up made. */
export const PATH = "PATH";
export const PACKAGES = "system packages";

/** Whether a version lies in a range: from the first, below the second. */
export function inRange(version: string, range: Range): boolean {
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
	const missing = [...tool.beside, ...(tool.family?.programs ?? [])].filter((name) => !executable(join(folder, name)));
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

/** The folders of a pattern with one `*`, the highest number first. */
export function matchingFolders(pattern: string): string[] {
	const [before = "", after = ""] = pattern.split("*");
	const parent = before.endsWith(sep) ? before : dirname(before);
	let names: string[];
	try {
		names = readdirSync(parent);
	} catch {
		return [];
	}
	return names
		.map((name) => join(parent, name))
		.filter((path) => path.startsWith(before))
		.sort((a, b) => b.localeCompare(a, "en", { numeric: true }))
		.map((path) => path + after);
}

/** The programs of this machine that will do, those of PATH first, and why the others do not. */
export async function onMachine(
	tool: Tool,
	range: Range,
	searchPath: string,
	excluded: readonly string[],
): Promise<{ found: Found[]; reasons: string[] }> {
	const found: Found[] = [];
	const reasons: string[] = [];
	const packages = (tool.family?.folders ?? []).flatMap(matchingFolders);
	const ofPath = candidates(tool.name, searchPath, excluded).length;
	const everywhere = [searchPath, ...packages].join(delimiter);
	for (const [index, path] of candidates(tool.name, everywhere, excluded).entries()) {
		try {
			const version = await probe(tool, path);
			if (!inRange(version, range)) {
				throw new Error(`${path} is ${version}, not ${range.from} or newer and older than ${range.below}`);
			}
			checkBeside(tool, path);
			// What belongs to a build lies in its own folder, of which PATH may hold no more than links.
			const own = tool.family === undefined ? path : realpathSync(path);
			const source = index < ofPath ? PATH : PACKAGES;
			found.push({ path: own, version, source, beside: besideVersions(tool, version) });
		} catch (error) {
			reasons.push((error as Error).message);
		}
	}
	if (found.length === 0 && reasons.length === 0) reasons.push("not there");
	return { found, reasons };
}
