import { HoldfastError } from "../../runtime/errors.ts";
import { cached, make, openCache } from "./cache.ts";
import { onMachine } from "./probe.ts";
import { type Found, platform, type Tool, type Workshop, wanted } from "./tool.ts";

/** One source that did not work, and why. */
export interface Attempt {
	source: string;
	reason: string;
}

/** No source gave a program. */
export class NoSource extends Error {
	readonly tool: Tool;
	readonly attempts: readonly Attempt[];
	constructor(tool: Tool, attempts: readonly Attempt[]) {
		super(`no ${tool.name} (${attempts.map(({ source, reason }) => `${source}: ${reason}`).join("; ")})`);
		this.tool = tool;
		this.attempts = attempts;
	}
}

/**
 * A program from the first source that works: this machine in a wanted version, the cache, then each source in order;
 * with `cacheFirst` the cache comes before the machine. NoSource, with the reason of every source, when none does.
 */
export async function select(tool: Tool, workshop: Workshop, cacheFirst = false): Promise<Found> {
	const earlier = cached(workshop.cache, tool);
	if (earlier && cacheFirst) return earlier;
	const { found, reasons } = await onMachine(tool, wanted(tool), workshop.env.PATH ?? "", [workshop.cache]);
	if (found[0]) return found[0];
	if (earlier) return earlier;
	await openCache(workshop.cache);
	const attempts: Attempt[] = [{ source: "PATH", reason: reasons.join("; ") }];
	for (const source of tool.sources) {
		try {
			return await make(tool, source, workshop);
		} catch (error) {
			attempts.push({ source: source.name, reason: (error as Error).message });
		}
	}
	throw new NoSource(tool, attempts);
}

/** One error for all programs that could not be had: every source tried with its reason, and what a person can do. */
export function failure(missing: readonly NoSource[]): HoldfastError {
	const tried = missing.map(({ tool, attempts }) => {
		const lines = attempts.map(({ source, reason }) => `    ${source}: ${reason}`);
		const { from, below } = wanted(tool);
		return [`  ${tool.name} ${from} or newer, below ${below}; tried:`, ...lines].join("\n");
	});
	const advice = missing.map(({ tool }) => tool.advice).join("; ");
	return new HoldfastError("HF_TOOL", `programs are missing on ${platform}\n${tried.join("\n")}`, {
		next: `make one of these sources work, or ${advice}; then run the command again`,
	});
}
