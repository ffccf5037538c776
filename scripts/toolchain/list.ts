import { home } from "../../runtime/home.ts";
import { compareVersions } from "../../runtime/tools.ts";
import { catalogue } from "./catalogue.ts";
import { ensureTools, openWorkshop, recordOf } from "./ensure.ts";
import { probe } from "./probe.ts";
import { writeRecord } from "./record.cjs";

export interface ListedTool {
	name: string;
	/** As it tells now: a package manager may have changed it since set-up. */
	version: string;
	source: string;
	path: string;
	/** Other builds on this machine that a program can name. */
	builds: { path: string; version: string }[];
	warnings: string[];
}

/** First release of each series without CVE-2025-14847 (unauthenticated reads of memory through zlib). */
const FIXED: Record<string, string> = { "6.0": "6.0.27", "7.0": "7.0.28", "8.0": "8.0.17" };

/** What an operator should know about a version; empty when there is nothing to say. */
export function warningsOf(name: string, version: string): string[] {
	if (name !== "mongod") return [];
	const series = version.split(".").slice(0, 2).join(".");
	const warnings: string[] = [];
	if (compareVersions(version, "7.0") < 0) {
		warnings.push(`MongoDB ${series} is out of support: put mongod 7.0 or 8.0 on PATH for data that matters`);
	}
	const fixed = FIXED[series];
	if (fixed !== undefined && compareVersions(version, fixed) < 0) {
		warnings.push(`CVE-2025-14847 is fixed in ${fixed}: until then leave zlib out of the compressors`);
	}
	return warnings;
}

/**
 * Every program, as `holdfast doctor` prints it. Sets up what is missing and looks again for other builds on PATH
 * and in the cache, which it records.
 */
export async function toolList(root: string, env: NodeJS.ProcessEnv = process.env): Promise<ListedTool[]> {
	const record = await ensureTools(root, env);
	const workshop = openWorkshop(root, env);
	const listed: ListedTool[] = [];
	const again: typeof record.tools = {};
	for (const tool of catalogue) {
		const known = record.tools[tool.name]!;
		const { path, source } = known;
		let version = known.version;
		const problems: string[] = [];
		try {
			version = await probe(tool, path);
		} catch (error) {
			problems.push((error as Error).message);
		}
		const beside = Object.fromEntries(tool.beside.map((name) => [name, record.tools[name]!.version]));
		for (const [name, entry] of await recordOf(tool, { path, version, source, beside }, workshop)) {
			again[name] = entry;
			const warnings = [...(name === tool.name ? problems : []), ...warningsOf(name, entry.version)];
			listed.push({ ...entry, name, warnings });
		}
	}
	writeRecord(home(), { lock: record.lock, tools: again });
	return listed;
}
