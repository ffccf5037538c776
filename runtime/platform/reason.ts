import { open, stat } from "node:fs/promises";
import { join } from "node:path";
import { explainExit } from "./contract.ts";
import { layout, processFiles } from "./layout.ts";
import type { ProcessSpec } from "./model.ts";
import { commandOf, listenersOf } from "./proc.ts";
import { programName } from "./supervisorConfig.ts";

const TAIL_BYTES = 64 * 1024;
const LINE = 300;

/** How a process last ended by itself, with the meaning of the code; from supervisord's log, which may be full. */
export async function lastExit(
	stack: string,
	member: string,
	{ name, program }: Pick<ProcessSpec, "name" | "program">,
): Promise<string | undefined> {
	const log = await tail(join(layout.supervisor(stack), "supervisord.log"));
	const how = parseLastExit(log, programName(member, name));
	return how === undefined ? undefined : explainExit(program, how);
}

/** "exit status 48" or "terminated by SIGKILL (core dumped)": supervisord's words for the last end of `name`. */
export function parseLastExit(log: string, name: string): string | undefined {
	const mark = ` exited: ${name} (`;
	const line = log.split("\n").findLast((text) => text.includes(mark));
	return line?.slice(line.indexOf(mark) + mark.length).replace(/; (not )?expected\)$/, "");
}

/** What the process last said of its failure: the newest error in its log, else the last line it printed. */
export async function lastWords(folder: string, process: string): Promise<string | undefined> {
	const candidates = [processFiles.log(folder, process), processFiles.out(folder, process)];
	const found = await Promise.all(
		candidates.map(async (path) => ({ path, time: (await stat(path).catch(() => undefined))?.mtimeMs ?? 0 })),
	);
	// The log is opened only once the configuration was understood: what is newer tells which one to read.
	for (const { path } of found.sort((a, b) => b.time - a.time)) {
		const words = pickReason(await tail(path));
		if (words) return words;
	}
	return undefined;
}

/** The last line of severity fatal or error among the last 50, else the last lines; structured lines shortened. */
export function pickReason(text: string): string | undefined {
	const lines = text
		.split("\n")
		.map((line) => line.trim())
		.filter((line) => line !== "")
		.slice(-50);
	const failure = lines.findLast((line) => /"s":"[FE]"/.test(line) && !line.includes("aborting after fassert"));
	if (failure) return shorten(failure);
	return lines.slice(-2).map(shorten).join(" ") || undefined;
}

function shorten(line: string): string {
	try {
		const { msg, attr } = JSON.parse(line) as { msg?: string; attr?: { error?: unknown } };
		const error = attr?.error as { errmsg?: string } | string | undefined;
		const detail = typeof error === "string" ? error : error?.errmsg;
		if (msg) return [msg, detail].filter(Boolean).join(": ").slice(0, LINE);
	} catch {
		// Not a structured line.
	}
	return line.slice(0, LINE);
}

/** "port 27017 is in use by process 12 (command)", when somebody else than `own` listens there. */
export async function busyPort(port: number, own?: number): Promise<string | undefined> {
	const others = (await listenersOf(port)).filter((pid) => pid !== own);
	if (others.length === 0) return undefined;
	return `port ${port} is in use by process ${others[0]} (${(await commandOf(others[0]!)) ?? "unknown"})`;
}

async function tail(path: string): Promise<string> {
	const file = await open(path, "r").catch(() => undefined);
	if (!file) return "";
	try {
		const { size } = await file.stat();
		const start = Math.max(0, size - TAIL_BYTES);
		const { buffer, bytesRead } = await file.read(Buffer.alloc(TAIL_BYTES), 0, TAIL_BYTES, start);
		return buffer.toString("utf8", 0, bytesRead);
	} finally {
		await file.close();
	}
}
