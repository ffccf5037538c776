import { join } from "node:path";
import { readText } from "../files.ts";
import { memberFolder } from "../platform/layout.ts";
import { born, commandOf } from "../platform/proc.ts";
import { readAlive } from "../platform/started.ts";
import { DATA_FOLDER } from "./patroniYml.ts";

/** Pid of a member's postmaster that runs while its Patroni does not: nobody would stop it from taking writes. */
export async function orphanOf(stack: string, member: string): Promise<number | undefined> {
	const folder = await memberFolder(stack, member);
	if (folder === undefined || (await readAlive(folder, "patroni"))) return undefined;
	const pid = Number((await readText(join(folder, DATA_FOLDER, "postmaster.pid")))?.split("\n")[0]);
	if (!(pid > 0) || (await born(pid)) === undefined) return undefined;
	return (await commandOf(pid))?.includes(folder) ? pid : undefined;
}
