import { spawn } from "node:child_process";
import { type FileHandle, open, readlink, realpath } from "node:fs/promises";
import { join } from "node:path";
import { Deadline } from "../deadline.ts";
import { describe, HoldfastError } from "../errors.ts";
import { readText, writeText } from "../files.ts";
import { privateFolder } from "../home.ts";
import { withLock } from "../lock.ts";
import { toolPath } from "../tools.ts";
import { layout } from "./layout.ts";
import { commandOf, parentOf, pids } from "./proc.ts";
import { answers, call } from "./supervisor.ts";
import { supervisorFiles, WORKING_FOLDER } from "./supervisorConfig.ts";

const CONF = `${WORKING_FOLDER}/supervisord.conf`;
/** One that an earlier supervisord left ends by itself within seconds. */
const ROTATE = "/bin/sh rotate ";
const START_MS = 20_000;
const END_MS = 30_000;
/** Nothing else of our environment reaches the members: it holds passphrases and credentials. */
const PASSED_ON = ["PATH", "HOME", "USER", "LANG", "LC_ALL", "TZ", "TMPDIR", "LD_LIBRARY_PATH"];

/** One change of a stack's supervisord at a time: members are created and removed in parallel. */
export function withSupervisor<T>(stack: string, what: string, fn: () => Promise<T>): Promise<T> {
	return withLock(layout.lock(stack), `${what} in stack ${stack}`, { waitMs: 120_000 }, fn);
}

/** Starts the stack's supervisord unless it runs. It outlives this process and adopts what an earlier one left. */
export async function ensureDaemon(stack: string): Promise<void> {
	if (await answers(stack)) return;
	await withSupervisor(stack, "start supervisord", async () => {
		const deadline = new Deadline(`the start of supervisord of stack ${stack}`, START_MS);
		await writeFiles(stack);
		while (!(await answers(stack))) {
			// One that is there but silent is starting, ending or stuck: a second one would take its socket away.
			const pid = await findDaemon(stack);
			if (pid === undefined) await launch(stack, deadline);
			else await waitFor(deadline, stack, pid);
		}
	});
}

async function writeFiles(stack: string): Promise<void> {
	const folder = await privateFolder(layout.supervisor(stack));
	await privateFolder(join(folder, "members"));
	await privateFolder(join(folder, "folders"));
	for (const [name, text] of Object.entries(supervisorFiles)) {
		if ((await readText(join(folder, name))) !== text) await writeText(join(folder, name), text);
	}
}

async function waitFor(deadline: Deadline, stack: string, pid: number): Promise<void> {
	if (deadline.left() > 0) return deadline.pause(100, `process ${pid}`);
	throw new HoldfastError("HF_UNREACHABLE", `supervisord of stack ${stack} (process ${pid}) does not answer`, {
		next: `end it with kill -9 ${pid}, which leaves the members running, and run the command again`,
	});
}

async function launch(stack: string, deadline: Deadline): Promise<void> {
	const folder = layout.supervisor(stack);
	const program = await toolPath("supervisord");
	const out = await open(join(folder, "supervisord.out"), "w", 0o600);
	const env = Object.fromEntries(PASSED_ON.flatMap((name) => (process.env[name] ? [[name, process.env[name]]] : [])));
	const ended = start(program, folder, out, env);
	await out.close();
	while (!(await answers(stack))) {
		const reason = await Promise.race([ended, deadline.pause(50, "its socket")]);
		if (reason !== undefined) throw failed(stack, reason, await readText(join(folder, "supervisord.out")));
	}
}

/** Resolves with the reason when it ends; its life does not hold up ours. */
function start(program: string, cwd: string, out: FileHandle, env: NodeJS.ProcessEnv): Promise<string> {
	const child = spawn(program, ["-c", CONF], { cwd, env, detached: true, stdio: ["ignore", out.fd, out.fd] });
	child.unref();
	return new Promise((resolve) => {
		child.once("error", (error) => resolve(describe(error)));
		child.once("exit", (code, signal) => resolve(`exit ${code ?? signal}`));
	});
}

function failed(stack: string, reason: string, out = ""): HoldfastError {
	const said = out.trim().split("\n").slice(-3).join(" ");
	return new HoldfastError("HF_PROCESS", `supervisord of stack ${stack} did not start (${reason}): ${said}`, {
		next: "see holdfast doctor",
	});
}

/** Pid of the stack's supervisord, whether it answers or not. */
export async function findDaemon(stack: string): Promise<number | undefined> {
	const found = await findWorkers(stack, CONF);
	// A child of it looks the same until it becomes its program.
	for (const pid of found) if (!found.includes((await parentOf(pid)) ?? 0)) return pid;
	return undefined;
}

/** Pids of processes that work in supervisord's folder and whose command line has `mark`. */
async function findWorkers(stack: string, mark: string): Promise<number[]> {
	const folder = await realpath(layout.supervisor(stack)).catch(() => undefined);
	if (folder === undefined) return [];
	const found: number[] = [];
	for (const pid of await pids()) {
		if ((await readlink(`/proc/${pid}/cwd`).catch(() => "")) !== folder) continue;
		if ((await commandOf(pid))?.includes(mark)) found.push(pid);
	}
	return found;
}

/** Ends the stack's supervisord, and waits. The caller holds the lock and has stopped the members. */
export async function endDaemon(stack: string): Promise<void> {
	const deadline = new Deadline(`the end of supervisord of stack ${stack}`, END_MS);
	await call(stack, "shutdown").catch(() => undefined);
	for (let round = 0; ; round++) {
		const [pid, [rotate]] = [await findDaemon(stack), await findWorkers(stack, ROTATE)];
		if (pid === undefined && rotate === undefined) return;
		// It did not listen to its socket: it has nothing left to lose.
		if (pid !== undefined && round === 100) process.kill(pid, "SIGKILL");
		await deadline.pause(100, `process ${pid ?? rotate}`);
	}
}
