import { rm } from "node:fs/promises";
import { readText, writeText } from "../files.ts";
import { processFiles } from "./layout.ts";
import { identify, isAlive, type ProcessIdentity } from "./proc.ts";

/** `run/<process>.started`: written by hold just before it becomes the program, so the pid is the program's. */
export interface StartRecord extends ProcessIdentity {
	/** Seconds since 1970. */
	since: number;
	/** Hash of conf/ when it started. */
	staged: string;
}

export async function readStarted(folder: string, process: string): Promise<StartRecord | undefined> {
	const [pid, born, boot, since, staged] = (await readText(processFiles.started(folder, process)))?.split("\n") ?? [];
	if (!pid || !born || !boot || !since || staged === undefined) return undefined;
	return { pid: Number(pid), born, boot, since: Number(since), staged };
}

/** The record of a process that is alive: started by this supervisord or left by an earlier one. */
export async function readAlive(folder: string, process: string): Promise<StartRecord | undefined> {
	const record = await readStarted(folder, process);
	return record && (await isAlive(record)) ? record : undefined;
}

/** Puts a process on record that somebody else started, as if it had been started with what is staged. */
export async function recordStarted(folder: string, process: string, pid: number, staged: string): Promise<void> {
	const identity = await identify(pid);
	if (!identity) return;
	const lines = [identity.pid, identity.born, identity.boot, Math.floor(Date.now() / 1000), staged];
	await writeText(processFiles.started(folder, process), `${lines.join("\n")}\n`);
}

/** Starts since the last calm one, and when the next is due (milliseconds since 1970) while hold waits. */
export async function readStarts(folder: string, process: string): Promise<{ starts: number; due?: number }> {
	const starts = Number((await readText(processFiles.starts(folder, process))) ?? 0);
	const waiting = await readText(processFiles.waiting(folder, process));
	return { starts, ...(waiting ? { due: Number(waiting) * 1000 } : {}) };
}

/** Forgets earlier failed starts: a waiting hold starts the process within a second. Works on a full disk. */
export async function forgetStarts(folder: string, process: string): Promise<void> {
	await rm(processFiles.starts(folder, process), { force: true });
}
