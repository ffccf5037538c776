import { home } from "../../runtime/home.ts";
import type { RecordedTool } from "../../runtime/tools.ts";
import { catalogue } from "./catalogue.ts";
import { ensureTools, openWorkshop, recordOf } from "./ensure.ts";
import { probe } from "./probe.ts";
import { writeRecord } from "./record.cjs";
import { warningsOf } from "./warnings.ts";

/** A recorded program; its version as it tells now: a package manager may have changed it since set-up. */
export interface ListedTool extends RecordedTool {
	name: string;
	warnings: string[];
}

/**
 * Every program, as `holdfast doctor` prints it. Sets up what is missing and looks again for other builds on this
 * machine and in the cache, which it records.
 */
export async function toolList(root: string, env: NodeJS.ProcessEnv = process.env): Promise<ListedTool[]> {
	const record = await ensureTools(root, env);
	const workshop = openWorkshop(root, env);
	const listed: ListedTool[] = [];
	const again: typeof record.tools = {};
	for (const tool of catalogue) {
		const known = record.tools[tool.name]!;
		const { path, source, needs } = known;
		let version = known.version;
		const problems: string[] = [];
		try {
			version = await probe(tool, path);
		} catch (error) {
			problems.push((error as Error).message);
		}
		const beside = Object.fromEntries(tool.beside.map((name) => [name, record.tools[name]!.version]));
		for (const [name, entry] of await recordOf(tool, { path, version, source, beside, needs }, workshop)) {
			again[name] = entry;
			const warnings = [...(name === tool.name ? problems : []), ...warningsOf(name, entry)];
			listed.push({ ...entry, name, warnings });
		}
	}
	writeRecord(home(), { lock: record.lock, tools: again });
	return listed;
}
