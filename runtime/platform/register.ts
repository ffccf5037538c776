import { rename, rm, symlink } from "node:fs/promises";
import { Deadline } from "../deadline.ts";
import { readText, removeFile, writeText } from "../files.ts";
import { contracts } from "./contract.ts";
import { withSupervisor } from "./daemon.ts";
import { layout, memberFolder } from "./layout.ts";
import type { ProcessSpec } from "./model.ts";
import { processesOf } from "./staging.ts";
import { answers, callTolerating, faults, type SupervisedProcess, supervised } from "./supervisor.ts";
import { memberConf, programName } from "./supervisorConfig.ts";

const ENDED = ["STOPPED", "EXITED", "FATAL"];
/** By then a process has certainly become what it runs, also on a busy machine. */
const YOUNG_MS = 1000;
const ORDER_MS = 30_000;

type Supervised = Pick<ProcessSpec, "name" | "program">;

/**
 * Makes supervisord know a member, which also starts it. A changed list of processes is taken up once the member
 * is stopped: until then nothing of it is touched.
 */
export async function register(stack: string, member: string, folder: string): Promise<void> {
	await withSupervisor(stack, `register member ${member}`, async () => {
		await link(stack, member, folder);
		const section = memberConf(member, { processes: await processesOf(folder) });
		const path = layout.section(stack, member);
		if ((await readText(path)) !== section) await writeText(path, section);
		const [[added, changed]] = (await callTolerating([], stack, "reloadConfig")) as [[string[], string[], string[]]];
		if (changed.includes(member) && (await isStopped(stack, member))) {
			await callTolerating([faults.BAD_NAME], stack, "removeProcessGroup", member);
			added.push(member);
		}
		if (added.includes(member)) await callTolerating([faults.ALREADY_ADDED], stack, "addProcessGroup", member);
	});
}

export async function link(stack: string, member: string, folder: string): Promise<void> {
	const path = layout.link(stack, member);
	await removeFile(`${path}.new`);
	await symlink(folder, `${path}.new`);
	await rename(`${path}.new`, path);
}

async function isStopped(stack: string, member: string): Promise<boolean> {
	const known = await callTolerating([], stack, "getAllProcessInfo");
	const own = (known as unknown as { group: string; statename: string }[]).filter(({ group }) => group === member);
	return own.every(({ statename }) => ENDED.includes(statename));
}

/** Makes supervisord forget a stopped member. Does not need supervisord to run. */
export async function unregister(stack: string, member: string): Promise<void> {
	const [folder, section] = [await memberFolder(stack, member), await readText(layout.section(stack, member))];
	// Also where the stack's folder is gone altogether: then there is not even a place for the lock.
	if (folder === undefined && section === undefined) return;
	await withSupervisor(stack, `remove member ${member}`, async () => {
		await removeFile(layout.section(stack, member));
		if (await answers(stack)) {
			await callTolerating([], stack, "reloadConfig");
			await callTolerating([faults.BAD_NAME], stack, "removeProcessGroup", member);
		}
		await rm(layout.link(stack, member), { force: true });
	});
}

/** Starts a registered process unless supervisord runs it or its hold already. */
export async function startProcess(stack: string, member: string, process: string): Promise<void> {
	const tolerated = [faults.ALREADY_STARTED, faults.SPAWN_ERROR];
	await callTolerating(tolerated, stack, "startProcess", fullName(member, process), false);
}

/**
 * Asks supervisord to end a process, until that is certain: one that has just ended by itself is about to be started
 * again, and a signal that comes between fork and exec is lost in supervisord's own handler. Whether the process has
 * ended is for the caller to see.
 */
export async function stopProcess(stack: string, member: string, process: Supervised): Promise<void> {
	const name = fullName(member, process.name);
	const deadline = new Deadline(`the order to end ${name}`, ORDER_MS);
	for (let tries = 0; ; tries++) {
		await callTolerating([faults.NOT_RUNNING, faults.BAD_NAME], stack, "stopProcess", name, false);
		const found = await supervised(stack, name);
		if (!found || isFinal(found, tries)) return;
		await deadline.pause(YOUNG_MS, `${name}, which is ${found.statename}`);
		if (found.statename !== "STOPPING") continue;
		const { stopSignal } = contracts[process.program];
		await callTolerating([faults.NOT_RUNNING, faults.BAD_NAME], stack, "signalProcess", name, stopSignal);
		return;
	}
}

/** Whether it cannot come back by itself; an end that still stands after another look was the last one. */
function isFinal({ statename, start, now }: SupervisedProcess, tries: number): boolean {
	if (statename === "STOPPING") return (now - start) * 1000 > YOUNG_MS;
	return statename === "STOPPED" || statename === "FATAL" || (statename === "EXITED" && tries > 0);
}

export const fullName = (member: string, process: string): string => `${member}:${programName(member, process)}`;

/** Whether supervisord has a process of its own for it: the program, or a hold that waits or stands in. */
export async function isHeld(stack: string, member: string, process: string): Promise<boolean> {
	const state = (await supervised(stack, fullName(member, process)))?.statename;
	return state !== undefined && !ENDED.includes(state);
}
