import { readdir, rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { HoldfastError } from "../errors.ts";
import { isThere } from "../files.ts";
import { commandOf, usersOf } from "./proc.ts";

/** Below data/ only, one or more names, none hidden. */
const PATH = /^data(\/[A-Za-z0-9_][A-Za-z0-9._-]*)+$/;

/**
 * Renames a folder of a member's data to `<path>.aside-<UTC time>`, and returns that name (relative to the member's folder):
 * data that has to give way is never deleted at once. Of those set aside earlier only the new one is kept. Refuses
 * while a process has files of it open.
 */
export async function setAside(member: string, folder: string, path: string): Promise<string | undefined> {
	if (!PATH.test(path)) throw new HoldfastError("HF_INTERNAL", `member ${member}: ${path} is not below data/`);
	const from = join(folder, path);
	if (!(await isThere(from))) return undefined;
	await refuseUsed(member, from);
	const mark = `${basename(path)}.aside-`;
	const earlier = (await readdir(dirname(from))).filter((name) => name.startsWith(mark));
	const name = `${mark}${new Date().toISOString().replaceAll(/[-:]|\.\d+/g, "")}`;
	await rename(from, join(dirname(from), name));
	for (const old of earlier.filter((other) => other !== name))
		await rm(join(dirname(from), old), { recursive: true, force: true });
	return join(dirname(path), name);
}

async function refuseUsed(member: string, path: string): Promise<void> {
	const [pid] = await usersOf(path);
	if (pid === undefined) return;
	const who = `process ${pid} (${(await commandOf(pid)) ?? "unknown"})`;
	throw new HoldfastError("HF_UNSAFE", `member ${member}: ${who} has files of ${path} open`, {
		next: "end that process first",
	});
}
