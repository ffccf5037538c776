import { randomUUID } from "node:crypto";
import { readdir, readlink, rm, rmdir } from "node:fs/promises";
import { join } from "node:path";
import { HoldfastError } from "../errors.ts";
import { readJson, writeJson } from "../files.ts";
import { home, privateFolder, stackFolder } from "../home.ts";
import type { Kind, Observation } from "../kind.ts";
import { endDaemon, ensureDaemon, withSupervisor } from "./daemon.ts";
import { layout } from "./layout.ts";
import type { HostInputs, HostOutputs } from "./model.ts";
import { isEmpty, readOwner } from "./owner.ts";
import { processesOf } from "./staging.ts";
import { readAlive } from "./started.ts";
import { answers } from "./supervisor.ts";

/** `host.json`: the stack's identity on this machine. */
interface HostRecord {
	id: string;
	stack: string;
	home: string;
}

/** The supervisord of a stack, and the record by which folders and processes are proved to be the stack's. */
export const hostKind: Kind<HostInputs, HostOutputs> = {
	id: ({ stack }) => stack,
	ensure,
	observe,
	remove,
};

async function ensure(inputs: HostInputs, previous?: HostInputs & HostOutputs): Promise<HostOutputs> {
	await privateFolder(stackFolder(inputs.stack));
	const hostId = await withSupervisor(inputs.stack, "identify the host", () => identify(inputs, previous?.hostId));
	await ensureDaemon(inputs.stack);
	return { hostId };
}

/** The host's id: from our state, from the record of an interrupted create, adopted, or new. */
async function identify({ stack, adopt }: HostInputs, known: string | undefined): Promise<string> {
	const record = await readRecord(stack);
	const folders = await foldersWithData(stack);
	const disputed = known === undefined ? folders.length > 0 : record !== undefined && record.id !== known;
	if (disputed && !adopt) throw lost(stack, folders);
	const id = record?.id ?? known ?? (await commonOwner(folders)) ?? randomUUID();
	if (!record) await writeJson(layout.hostRecord(stack), { id, stack, home: home() } satisfies HostRecord);
	return id;
}

const readRecord = (stack: string): Promise<HostRecord | undefined> => readJson<HostRecord>(layout.hostRecord(stack));

function lost(stack: string, folders: string[]): HoldfastError {
	const what = folders.length > 0 ? `members with data (${folders.join(", ")})` : "another host record";
	return new HoldfastError("HF_FOREIGN", `stack ${stack} already has ${what} here that its state knows nothing of`, {
		next: "if the state was lost, adopt what is there; otherwise choose another stack name",
	});
}

/** The host id that all folders agree on: a lost host record is restored from it. */
async function commonOwner(folders: string[]): Promise<string | undefined> {
	const owners = new Set(await Promise.all(folders.map(async (folder) => (await readOwner(folder))?.hostId)));
	return owners.size === 1 ? [...owners][0] : undefined;
}

/** Folders of members of this stack, wherever they lie, whose data folder is not empty. */
async function foldersWithData(stack: string): Promise<string[]> {
	const folders = await memberFolders(stack);
	const full = await Promise.all(folders.map(async (folder) => !(await isEmpty(join(folder, "data")))));
	return folders.filter((_, index) => full[index]);
}

async function memberFolders(stack: string): Promise<string[]> {
	const links = join(layout.supervisor(stack), "folders");
	const linked = await readdir(links).catch(() => []);
	const targets = await Promise.all(linked.map((name) => readlink(join(links, name))));
	const local = await readdir(layout.members(stack)).catch(() => []);
	return [...new Set([...targets, ...local.map((name) => join(layout.members(stack), name))])];
}

async function observe(_id: string, { stack }: HostInputs): Promise<Observation<HostInputs, HostOutputs> | undefined> {
	const record = await readRecord(stack);
	if (!record) return undefined;
	return { inputs: { run: (await answers(stack)) ? "running" : "stopped" }, outputs: { hostId: record.id } };
}

async function remove(_id: string, { stack, hostId }: HostInputs & HostOutputs): Promise<void> {
	const record = await readRecord(stack);
	if (!record) return;
	if (record.id !== hostId) throw lost(stack, []);
	await withSupervisor(stack, "remove the host", async () => {
		await checkIdle(stack);
		await endDaemon(stack);
		await rm(layout.supervisor(stack), { recursive: true, force: true });
		await rmdirIfEmpty(layout.members(stack));
		// Last, so that an interrupted run can go on.
		await rm(layout.hostRecord(stack), { force: true });
		await rm(layout.lock(stack), { force: true });
	});
	await rmdirIfEmpty(stackFolder(stack));
}

/** supervisord is not taken from under running members. */
async function checkIdle(stack: string): Promise<void> {
	for (const folder of await memberFolders(stack)) {
		for (const { name } of await processesOf(folder)) {
			const alive = await readAlive(folder, name);
			if (!alive) continue;
			throw new HoldfastError("HF_UNSAFE", `stack ${stack}: process ${alive.pid} (${name} in ${folder}) still runs`, {
				next: "remove the members first",
			});
		}
	}
}

async function rmdirIfEmpty(path: string): Promise<void> {
	await rmdir(path).catch((error: NodeJS.ErrnoException) => {
		if (!["ENOTEMPTY", "ENOENT", "EEXIST"].includes(error.code ?? "")) throw error;
	});
}
