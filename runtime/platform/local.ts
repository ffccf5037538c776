import { join } from "node:path";
import { Deadline } from "../deadline.ts";
import { HoldfastError } from "../errors.ts";
import { isThere, writeText } from "../files.ts";
import { setAside } from "./aside.ts";
import { contracts } from "./contract.ts";
import { ensureDaemon } from "./daemon.ts";
import type { Host, MemberStatus } from "./host.ts";
import { memberFolder, processFiles } from "./layout.ts";
import { isHeld, register, startProcess, stopProcess } from "./register.ts";
import { launchText, type ProcessRecord, processesOf, readStaged, writeStaged } from "./staging.ts";
import { forgetStarts, readAlive } from "./started.ts";
import { memberStatus } from "./status.ts";

const POLL_MS = 100;
/** For supervisord to note what has happened, beyond what the contract allows the program. */
const MARGIN_MS = 5_000;

/** Members as real processes of this machine, under the stack's supervisord. */
export function localHost(stack: string): Host {
	return {
		start: (member, process) => start(stack, member, process),
		stop: (member, process) => stop(stack, member, process),
		async restart(member, process) {
			await stop(stack, member, process);
			await start(stack, member, process);
		},
		async release(member, process, args) {
			await release(await folderOf(stack, member), member, process, args);
			await start(stack, member, process);
		},
		status: (member) => memberStatus(stack, member),
		read: async (member, file) => readStaged(member, await folderOf(stack, member), file),
		write: async (member, file, text) => writeStaged(member, await folderOf(stack, member), file, text),
		exists: async (member, path) => isThere(join(await folderOf(stack, member), path)),
		setAside: async (member, path) => setAside(member, await folderOf(stack, member), path),
	};
}

async function folderOf(stack: string, member: string): Promise<string> {
	const folder = await memberFolder(stack, member);
	if (folder !== undefined) return folder;
	throw new HoldfastError("HF_REJECTED", `stack ${stack} has no member ${member} on this machine`, {
		next: "run holdfast up, which creates what is missing",
	});
}

type Processes = ProcessRecord["processes"];

/** The processes that are meant, in their order: that of the name, or all. */
async function chosen(member: string, folder: string, process: string | undefined): Promise<Processes> {
	const all = await processesOf(folder);
	const found = process === undefined ? all : all.filter(({ name }) => name === process);
	if (found.length > 0 || process === undefined) return found;
	throw new HoldfastError("HF_INTERNAL", `member ${member} has no process ${process}`);
}

async function release(folder: string, member: string, name: string, args?: readonly string[]): Promise<void> {
	const [process] = (await chosen(member, folder, name)) as [Processes[number]];
	const launch = args ? await launchText(folder, process, args) : "";
	await writeText(processFiles.released(folder, name), launch);
}

/**
 * Starts what does not run and waits until all ports answer. HF_PROCESS with the reason when a configuration is
 * wrong, or when the contract's grace is over: the processes go on being started then. What is held stays so.
 */
async function start(stack: string, member: string, process?: string): Promise<void> {
	const folder = await folderOf(stack, member);
	await ensureDaemon(stack);
	const processes = await chosen(member, folder, process);
	for (const { name } of processes) if (!(await readAlive(folder, name))) await forgetStarts(folder, name);
	await register(stack, member, folder);
	for (const { name } of processes) await startProcess(stack, member, name);
	const grace = Math.max(...processes.map(({ program }) => contracts[program].startGrace)) * 1000;
	await untilRunning(stack, member, process, grace);
}

async function untilRunning(stack: string, member: string, only: string | undefined, grace: number): Promise<void> {
	const end = Date.now() + grace;
	while (true) {
		const status = await memberStatus(stack, member);
		const processes = status.processes.filter(({ name }) => only === undefined || name === only);
		if (processes.every(({ state }) => state === "running" || state === "held")) return;
		if (processes.some(({ state }) => state === "fatal") || Date.now() > end)
			throw notRunning({ ...status, processes });
		await new Deadline(`the start of ${member}`, grace).pause(POLL_MS, "its ports");
	}
}

function notRunning({ member, state, processes }: MemberStatus): HoldfastError {
	const reasons = processes.filter((process) => process.state !== "running");
	const words = reasons.map(({ name, detail }) => (detail ? `${name}: ${detail}` : name)).join("; ");
	return new HoldfastError("HF_PROCESS", `member ${member} is ${state} (${words})`);
}

async function stop(stack: string, member: string, process?: string): Promise<void> {
	const folder = await folderOf(stack, member);
	await stopProcesses(stack, member, folder, await chosen(member, folder, process));
}

/** Ends processes of a member cleanly, whoever started them, the last first, and waits until they are gone. */
export async function stopProcesses(
	stack: string,
	member: string,
	folder: string,
	processes: ProcessRecord["processes"],
): Promise<void> {
	for (const process of processes.toReversed()) await end(stack, member, folder, process);
}

async function end(stack: string, member: string, folder: string, process: ProcessRecord["processes"][number]) {
	const { name, program } = process;
	const { stopSignal, stopWait } = contracts[program];
	await stopProcess(stack, member, process).catch(ignoreSilence);
	if (await isGone(stack, member, folder, name, stopWait * 1000 + MARGIN_MS, `SIG${stopSignal}`)) return;
	if (await isGone(stack, member, folder, name, MARGIN_MS * 2, "SIGKILL")) return;
	throw new HoldfastError("HF_PROCESS", `process ${name} of member ${member} does not end`);
}

/** Without supervisord nobody starts the process again, and it is signalled directly. */
function ignoreSilence(error: unknown): void {
	if (!(error instanceof HoldfastError && error.code === "HF_UNREACHABLE")) throw error;
}

function send(pid: number, signal: NodeJS.Signals): void {
	try {
		process.kill(pid, signal);
	} catch (error) {
		// It ended while we looked.
		if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
	}
}

/**
 * Waits for the end of a process and of its hold. As soon as no supervisord keeps it (none runs, or its hold ended
 * before it could pass the signal on) it gets `signal` from here, once.
 */
async function isGone(
	stack: string,
	member: string,
	folder: string,
	name: string,
	ms: number,
	signal: NodeJS.Signals,
): Promise<boolean> {
	const deadline = new Deadline(`the end of ${name} of ${member}`, ms);
	for (let signalled = false; ; ) {
		const [alive, held] = await Promise.all([readAlive(folder, name), isHeld(stack, member, name)]);
		if (!alive && !held) return true;
		if (deadline.left() === 0) return false;
		if (alive && !signalled && (!held || signal === "SIGKILL")) {
			send(alive.pid, signal);
			signalled = true;
		}
		await deadline.pause(POLL_MS, "its end");
	}
}
