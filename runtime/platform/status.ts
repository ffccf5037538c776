import { statfs } from "node:fs/promises";
import { join } from "node:path";
import { isThere } from "../files.ts";
import { backoff, contracts } from "./contract.ts";
import type { MemberStatus, ProcessState, ProcessStatus } from "./host.ts";
import { memberFolder, processFiles } from "./layout.ts";
import { listensOn } from "./proc.ts";
import { busyPort, lastExit, lastWords } from "./reason.ts";
import { fullName } from "./register.ts";
import { type ProcessRecord, processesOf, stagedHash } from "./staging.ts";
import { readAlive, readStarts, type StartRecord } from "./started.ts";
import { type SupervisedProcess, supervised } from "./supervisor.ts";

type Process = ProcessRecord["processes"][number];

/** Of a member's processes the one that is worst off counts. */
const worstFirst: readonly ProcessState[] = [
	"fatal",
	"backing-off",
	"stopped",
	"stopping",
	"starting",
	"running",
	"held",
];

/** What the processes of a member are doing, and whether a restart is pending. Only looks. */
export async function memberStatus(stack: string, member: string): Promise<MemberStatus> {
	const folder = await memberFolder(stack, member);
	const known = folder === undefined ? [] : await processesOf(folder);
	if (folder === undefined || known.length === 0)
		return { member, state: "missing", pendingRestart: false, processes: [] };
	const processes = await Promise.all(known.map((process) => processStatus(stack, member, folder, process)));
	// A process that may not start yet is as it should be: the others tell how the member is.
	const wanted = processes.some(({ state }) => state !== "held") ? processes.filter(isWanted) : processes;
	const state = worstFirst.find((one) => wanted.some((process) => process.state === one))!;
	return { member, state, pendingRestart: wanted.some(({ pendingRestart }) => pendingRestart), processes };
}

const isWanted = ({ state }: ProcessStatus): boolean => state !== "held";

async function processStatus(stack: string, member: string, folder: string, process: Process): Promise<ProcessStatus> {
	const [alive, held] = await Promise.all([
		readAlive(folder, process.name),
		supervised(stack, fullName(member, process.name)),
	]);
	const { starts, due } = await readStarts(folder, process.name);
	if (alive) return aliveStatus(folder, process, alive, held, starts);
	const failures = starts;
	const base = { name: process.name, failures, pendingRestart: false };
	if (process.held && !(await mayStart(folder, process))) return { ...base, state: "held" };
	const state = deadState(process, held, starts);
	if (state === "stopped" || state === "starting") return { ...base, state, ...(held ? {} : { detail: NO_DAEMON }) };
	return { ...base, state, detail: await explain(stack, member, folder, process, due, held) };
}

const NO_DAEMON = "supervisord does not run";

/** As hold sees it: it has the leave to start, or was started before. */
async function mayStart(folder: string, { name, held }: Process): Promise<boolean> {
	const proofs = [processFiles.released(folder, name), ...(held?.evidence ? [join(folder, held.evidence)] : [])];
	return (await Promise.all(proofs.map(isThere))).includes(true);
}

async function aliveStatus(
	folder: string,
	{ name, port }: Process,
	{ pid, since, staged }: StartRecord,
	held: SupervisedProcess | undefined,
	starts: number,
): Promise<ProcessStatus> {
	const calm = Date.now() / 1000 - since >= backoff.calm;
	const pendingRestart = staged !== (await stagedHash(folder, name));
	const base = { name, pid, failures: calm ? 0 : Math.max(0, starts - 1), pendingRestart };
	if (held?.statename === "STOPPING") return { ...base, state: "stopping" };
	const detail = held ? {} : { detail: `${NO_DAEMON}: it would not be started again` };
	if (port === undefined || (await listensOn(pid, port))) return { ...base, state: "running", ...detail };
	const busy = await busyPort(port, pid);
	return { ...base, state: "starting", ...detail, ...(busy ? { detail: busy } : {}) };
}

function deadState({ program }: Process, held: SupervisedProcess | undefined, starts: number): ProcessState {
	if (!held || held.statename === "STOPPED" || held.statename === "STOPPING") return "stopped";
	if (held.statename === "FATAL") return "fatal";
	// The count of starts cannot be written on a full disk: a hold that has not started anything for long waits too.
	const first = starts === 0 && held.now - held.start < 3;
	if (held.statename !== "EXITED") return first ? "starting" : "backing-off";
	// Anything else it ends with is followed by another start.
	return contracts[program].fatal.includes(held.exitstatus) ? "fatal" : "backing-off";
}

/** Exit code and meaning, what it said, who has its port, how full the disk is, when it is started again. */
async function explain(
	stack: string,
	member: string,
	folder: string,
	process: Process,
	due: number | undefined,
	held: SupervisedProcess | undefined,
): Promise<string> {
	const found = await Promise.all([
		lastExit(stack, member, process),
		process.port === undefined ? undefined : busyPort(process.port),
		fullDisk(folder),
		lastWords(folder, process.name),
	]);
	const next = due === undefined ? undefined : `next start in ${Math.max(0, Math.ceil((due - Date.now()) / 1000))} s`;
	return [held?.statename === "BACKOFF" ? held.spawnerr : undefined, ...found, next].filter(Boolean).join("; ");
}

async function fullDisk(folder: string): Promise<string | undefined> {
	const { bavail, bsize } = await statfs(folder);
	return bavail * bsize < 1024 * 1024 ? `the disk of ${folder} is full` : undefined;
}
