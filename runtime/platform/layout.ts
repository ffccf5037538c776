import { readlink } from "node:fs/promises";
import { join, resolve } from "node:path";
import { stackFolder } from "../home.ts";

/** Where things of a stack lie. Nothing here touches the disk but `memberFolder`. */
export const layout = {
	hostRecord: (stack: string) => join(stackFolder(stack), "host.json"),
	/** Held while supervisord is started, changed or stopped. */
	lock: (stack: string) => join(stackFolder(stack), "supervisor.lock"),
	/** supervisord's working folder: its configuration names everything relative to it. */
	supervisor: (stack: string) => join(stackFolder(stack), "supervisor"),
	/** supervisord's section of one member. */
	section: (stack: string, member: string) => join(stackFolder(stack), "supervisor", "members", `${member}.conf`),
	/** Symbolic link to the member's folder, wherever that is. */
	link: (stack: string, member: string) => join(stackFolder(stack), "supervisor", "folders", member),
	members: (stack: string) => join(stackFolder(stack), "members"),
};

/** The folder a member has by its settings. */
export function wantedFolder(member: { stack: string; name: string; dataRoot?: string }): string {
	return join(member.dataRoot === undefined ? layout.members(member.stack) : resolve(member.dataRoot), member.name);
}

/** The folder a member is registered with; `undefined` when the stack knows no such member. */
export async function memberFolder(stack: string, member: string): Promise<string | undefined> {
	return readlink(layout.link(stack, member)).catch(() => undefined);
}

/** Files of a process in its member's folder. */
export const processFiles = {
	/** One argument a line, the program first. */
	launch: (folder: string, process: string) => join(folder, "conf", `${process}.launch`),
	/** There while the process is one that its cluster lets start: the path that is proof of an earlier start, or nothing. */
	held: (folder: string, process: string) => join(folder, "conf", `${process}.held`),
	/** The leave to start: what to run, one argument a line; empty where that is `launch`. */
	released: (folder: string, process: string) => join(folder, "run", `${process}.released`),
	/** Number of starts since the last calm one; deleting it asks for a start now. */
	starts: (folder: string, process: string) => join(folder, "run", `${process}.starts`),
	/** Epoch seconds of the next start. */
	waiting: (folder: string, process: string) => join(folder, "run", `${process}.waiting`),
	/** What runs: see `StartRecord`. */
	started: (folder: string, process: string) => join(folder, "run", `${process}.started`),
	/** Signal that makes the process open its log anew. */
	rotate: (folder: string, process: string) => join(folder, "run", `${process}.rotate`),
	log: (folder: string, process: string) => join(folder, "log", `${process}.log`),
	/** What the program printed before it had opened its log. */
	out: (folder: string, process: string) => join(folder, "log", `${process}.out`),
};
