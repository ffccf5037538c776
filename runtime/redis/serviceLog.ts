import { type Logger, pino } from "pino";

/** Hidden should anyone log an object that has them; nobody does so on purpose. */
const HIDDEN = ["password", "apiKey", "key", "keys", "value", "payload", "record", "headers", "body"];

export interface ServiceLog {
	log: Logger;
	/** Begins the file anew, after it was moved away. */
	reopen(): void;
}

/** The log of a manager, JSON lines: to `file` (0600), else standard output. Written at once, so that a killed process leaves its last line. */
export function serviceLog({ level, file, app }: { level: string; file?: string; app?: string }): ServiceLog {
	const dest = pino.destination({ dest: file ?? 1, sync: true, mkdir: file !== undefined, mode: 0o600 });
	const redact = HIDDEN.flatMap((name) => [name, `*.${name}`]);
	const log = pino(
		{ level, base: { pid: process.pid, ...(app && { app }) }, redact, timestamp: pino.stdTimeFunctions.isoTime },
		dest,
	);
	return { log, reopen: () => file !== undefined && dest.reopen() };
}

/** What is told of a defect: the message may hold anything, the stack's own lines say where it happened. */
export function defect(error: unknown): { error: string; code?: string; at: string[] } {
	if (!(error instanceof Error)) return { error: typeof error, at: [] };
	const at = (error.stack ?? "")
		.split("\n")
		.map((line) => line.trim())
		.filter((line) => line.startsWith("at "))
		.slice(0, 8);
	return { error: error.name, code: (error as NodeJS.ErrnoException).code, at };
}
