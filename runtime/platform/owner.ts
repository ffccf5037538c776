import { chmod, readdir, rm, rmdir } from "node:fs/promises";
import { join } from "node:path";
import { HoldfastError } from "../errors.ts";
import { readJson, writeJson } from "../files.ts";
import { privateFolder } from "../home.ts";
import type { MemberInputs } from "./model.ts";

/** `owner.json`, the first thing written into a member's folder and the last one deleted: whose data this is. */
export interface Owner {
	/** Id of the host record of the stack that made the folder. */
	hostId: string;
	stack: string;
	cluster: string;
	member: string;
}

const RECORD = "owner.json";

export const readOwner = (folder: string): Promise<Owner | undefined> => readJson<Owner>(join(folder, RECORD));

/**
 * Whose folder this is: `absent` (nothing there), `ours` (by the host id of the inputs or of our state) or `foreign`.
 * Only looks.
 */
export async function ownership(
	inputs: Pick<MemberInputs, "hostId" | "cluster" | "name">,
	folder: string,
	previousHostId?: string,
): Promise<"absent" | "ours" | "foreign"> {
	const owner = await readOwner(folder);
	if (!owner) return (await isEmpty(folder)) ? "absent" : "foreign";
	const proved = owner.hostId === inputs.hostId || owner.hostId === previousHostId;
	return proved && owner.cluster === inputs.cluster && owner.member === inputs.name ? "ours" : "foreign";
}

export async function writeOwner(inputs: MemberInputs, folder: string): Promise<void> {
	const { hostId, stack, cluster, name: member } = inputs;
	await privateFolder(folder);
	await chmod(folder, 0o700);
	await writeJson(join(folder, RECORD), { hostId, stack, cluster, member } satisfies Owner);
}

/** The refusal to touch a folder that is not ours. */
export async function foreign(member: string, folder: string, next: string): Promise<HoldfastError> {
	const owner = await readOwner(folder);
	const whose = owner
		? `belongs to member ${owner.member} of cluster ${owner.cluster} of stack ${owner.stack} (host ${owner.hostId})`
		: "holds files, and no record says whose they are";
	return new HoldfastError("HF_FOREIGN", `member ${member}: the folder ${folder} ${whose}`, { next });
}

/** Deletes a member's folder; its owner record goes last, so that an interrupted run can go on. */
export async function deleteFolder(folder: string): Promise<void> {
	const entries = await readdir(folder).catch(() => []);
	for (const entry of entries) {
		if (entry !== RECORD) await rm(join(folder, entry), { recursive: true, force: true });
	}
	await rm(join(folder, RECORD), { force: true });
	await rmdir(folder).catch((error: NodeJS.ErrnoException) => {
		if (error.code !== "ENOENT") throw error;
	});
}

/** Whether a folder is missing or empty; what an interrupted first write left does not count. */
export async function isEmpty(folder: string): Promise<boolean> {
	const entries = await readdir(folder).catch(() => []);
	return entries.every((entry) => entry.startsWith(`.${RECORD}.`));
}
