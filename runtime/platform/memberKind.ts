import { join } from "node:path";
import { describe, HoldfastError, NotReady } from "../errors.ts";
import type { Kind, Observation } from "../kind.ts";
import { ensureDaemon, findDaemon } from "./daemon.ts";
import { memberFolder, wantedFolder } from "./layout.ts";
import { localHost, stopProcesses } from "./local.ts";
import type { MemberInputs, MemberOutputs } from "./model.ts";
import { deleteFolder, foreign, isEmpty, ownership, writeOwner } from "./owner.ts";
import { checkFree, findOccupant } from "./ports.ts";
import { commandOf, usersOf } from "./proc.ts";
import { link, unregister } from "./register.ts";
import { checkFile, processesOf, readStaged, stage, stagedHash } from "./staging.ts";
import { readAlive, recordStarted } from "./started.ts";
import { memberStatus } from "./status.ts";

/** A member of a group as real processes of this machine. Never replaced: its folder is data. */
export const memberKind: Kind<MemberInputs, MemberOutputs> = {
	id: ({ stack, name }) => `${stack}/${name}`,
	ensure,
	observe,
	remove,
};

async function ensure(inputs: MemberInputs, previous?: MemberInputs & MemberOutputs): Promise<MemberOutputs> {
	const folder = wantedFolder(inputs);
	for (const file of [...Object.keys(inputs.files), ...Object.keys(inputs.birthFiles)]) checkFile(inputs.name, file);
	await checkPlace(inputs, folder);
	const whose = await ownership(inputs, folder, previous?.hostId);
	if (whose === "foreign" && !inputs.adopt) {
		throw await foreign(inputs.name, folder, "adopt it by name, or choose another dataRoot or name");
	}
	const occupants = whose === "foreign" ? await occupantsOf(inputs, folder) : new Map<string, number>();
	if (!previous) await checkPorts(inputs, folder, occupants);
	await writeOwner(inputs, folder);
	await stage(inputs, folder);
	const staged = (await stagedHash(folder))!;
	for (const [name, pid] of occupants) await recordStarted(folder, name, pid, (await stagedHash(folder, name))!);
	await start(inputs, folder, staged);
	return { staged };
}

/** A changed dataRoot would leave the data behind and begin anew beside it. */
async function checkPlace({ stack, name }: MemberInputs, folder: string): Promise<void> {
	// The folder's name is put into configuration files, whose quoting is not known here.
	if (/["\\\p{Cc}]/u.test(folder)) {
		throw new HoldfastError(
			"HF_SETTING",
			`member ${name}: the folder ${JSON.stringify(folder)} has a quote or backslash`,
			{
				next: "choose another dataRoot or HOLDFAST_HOME",
			},
		);
	}
	const registered = await memberFolder(stack, name);
	if (registered === undefined || registered === folder || (await isEmpty(registered))) return;
	throw new HoldfastError("HF_SETTING", `member ${name} has its data in ${registered}, not in ${folder}`, {
		next: "restore dataRoot; to move the data, stop the stack, move the folder, and run holdfast up",
	});
}

/** Processes that run on a folder about to be adopted, by the name they get. */
async function occupantsOf(inputs: MemberInputs, folder: string): Promise<Map<string, number>> {
	const daemon = await findDaemon(inputs.stack);
	const occupants = new Map<string, number>();
	for (const { name, port } of inputs.processes) {
		const pid = port === undefined ? undefined : await findOccupant(folder, port, daemon);
		if (pid !== undefined) occupants.set(name, pid);
	}
	return occupants;
}

async function checkPorts(inputs: MemberInputs, folder: string, occupants: Map<string, number>): Promise<void> {
	for (const { name, port, ports = [] } of inputs.processes) {
		if (occupants.has(name) || (await readAlive(folder, name))) continue;
		for (const one of [...(port === undefined ? [] : [port]), ...ports])
			await checkFree(inputs.name, { host: inputs.address.host, port: one });
	}
}

/** Starts what does not run. From here on the member exists, so a start that fails leaves it half-done. */
async function start(inputs: MemberInputs, folder: string, staged: string): Promise<void> {
	const { stack, name } = inputs;
	try {
		await ensureDaemon(stack);
		await link(stack, name, folder);
		await localHost(stack).start(name);
	} catch (cause) {
		const next = cause instanceof HoldfastError ? cause.next : undefined;
		throw new NotReady(memberKind.id(inputs), { staged }, describe(cause), { next, cause });
	}
}

async function observe(
	_id: string,
	state: MemberInputs & MemberOutputs,
): Promise<Observation<MemberInputs, MemberOutputs> | undefined> {
	const folder = await placeOf(state);
	if ((await ownership(state, folder)) !== "ours") return undefined;
	const files: Record<string, string> = {};
	for (const file of Object.keys(state.files)) {
		const text = await readStaged(state.name, folder, file);
		if (text !== undefined) files[file] = text;
	}
	const { state: run } = await memberStatus(state.stack, state.name);
	return { inputs: { run, files }, outputs: { staged: (await stagedHash(folder)) ?? "" } };
}

const placeOf = async (state: MemberInputs): Promise<string> =>
	(await memberFolder(state.stack, state.name)) ?? wantedFolder(state);

async function remove(_id: string, state: MemberInputs & MemberOutputs): Promise<void> {
	const { stack, name } = state;
	const folder = await placeOf(state);
	const whose = await ownership(state, folder);
	if (whose === "foreign") throw await foreign(name, folder, "take it out of the state with pulumi state delete");
	if (whose === "ours") {
		const known = await processesOf(folder);
		await stopProcesses(stack, name, folder, known.length > 0 ? known : state.processes);
	}
	await unregister(stack, name);
	await checkUnused(name, folder);
	await deleteFolder(folder);
}

/** Data is never deleted under a process, whoever started it. */
async function checkUnused(name: string, folder: string): Promise<void> {
	const data = join(folder, "data");
	const [pid] = await usersOf(data);
	if (pid === undefined) return;
	const who = `process ${pid} (${(await commandOf(pid)) ?? "unknown"})`;
	throw new HoldfastError("HF_UNSAFE", `member ${name}: ${who} has files of ${data} open`, {
		next: "end that process first",
	});
}
