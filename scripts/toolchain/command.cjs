// Runs one external program with its output in a log and a deadline. CommonJS for scripts/bootstrap.mjs.
const { spawn } = require("node:child_process");
const fs = require("node:fs");
const path = require("node:path");

const running = new Set();
let guarded = false;

/** Children have process groups of their own, so that a deadline reaches all of them; Ctrl-C is passed on here. */
function guard() {
	if (guarded) return;
	guarded = true;
	process.on("exit", () => {
		for (const child of running) stop(child, "SIGKILL");
	});
	for (const [signal, code] of [
		["SIGINT", 130],
		["SIGTERM", 143],
		["SIGHUP", 129],
	]) {
		// Not once: a terminal and a parent may both send it, and the second must not end us before the children.
		process.on(signal, () => process.exit(code));
	}
}

function stop(child, signal) {
	try {
		process.kill(-child.pid, signal);
	} catch {
		child.kill(signal);
	}
}

/** The line of the end of a log that most likely says what went wrong. */
function reason(log, from) {
	const lines = fs
		.readFileSync(log)
		.subarray(from)
		.toString()
		.split("\n")
		.map((line) => line.trim())
		.filter((line) => line !== "");
	const telling = lines.filter((line) => /error|cannot|could not|denied|fail|no such|not found|no space/i.test(line));
	return (telling.at(-1) ?? lines.at(-1) ?? "it said nothing").slice(0, 300);
}

/**
 * Resolves when the program ends with exit code 0; otherwise rejects with its last telling line and the log's path.
 * Output is appended to `log`.
 */
function run(program, args, { cwd, env, log, deadlineMs }) {
	guard();
	fs.mkdirSync(path.dirname(log), { recursive: true });
	const output = fs.openSync(log, "a", 0o600);
	const from = fs.fstatSync(output).size;
	const name = path.basename(program);
	return new Promise((resolve, reject) => {
		const child = spawn(program, args, { cwd, env, stdio: ["ignore", output, output], detached: true });
		fs.closeSync(output);
		running.add(child);
		let late = false;
		const timer = setTimeout(() => {
			late = true;
			stop(child, "SIGKILL");
		}, deadlineMs);
		const settle = (error) => {
			clearTimeout(timer);
			running.delete(child);
			if (error) reject(error);
			else resolve();
		};
		child.once("error", (error) => settle(new Error(`${name} could not be started: ${error.code ?? error.message}`)));
		child.once("close", (code, signal) => {
			if (code === 0) return settle();
			const how = late ? `not finished after ${deadlineMs / 1000} s` : reason(log, from);
			settle(new Error(`${name} ended with ${signal ?? code}: ${how} (log: ${log})`));
		});
	});
}

module.exports = { run };
