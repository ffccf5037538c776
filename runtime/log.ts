import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { type Logger, pino } from "pino";
import { stackFolder } from "./home.ts";

const SECRETS = [
	"password",
	"*.password",
	"pwd",
	"*.pwd",
	"keyfile",
	"*.keyfile",
	"keys",
	"*.keys",
	"value",
	"uri",
	"*.uri",
];
const loggers = new Map<string, Logger>();

/**
 * The stack's own log, `<home>/<stack>/holdfast.log`: every change made to a cluster, as JSON lines (0600).
 * Written synchronously, so that a killed run leaves its last step behind.
 */
export function stackLog(stack: string): Logger {
	const known = loggers.get(stack);
	if (known) return known;
	mkdirSync(stackFolder(stack), { recursive: true, mode: 0o700 });
	const dest = pino.destination({ dest: join(stackFolder(stack), "holdfast.log"), sync: true, mode: 0o600 });
	const logger = pino({ base: { pid: process.pid }, redact: SECRETS, timestamp: pino.stdTimeFunctions.isoTime }, dest);
	loggers.set(stack, logger);
	return logger;
}
