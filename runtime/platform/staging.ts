import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { HoldfastError } from "../errors.ts";
import { readJson, readText, writeJson, writeText } from "../files.ts";
import { privateFolder } from "../home.ts";
import { toolPath } from "../tools.ts";
import { contracts } from "./contract.ts";
import { processFiles } from "./layout.ts";
import { FOLDER, type MemberInputs, type ProcessSpec } from "./model.ts";

/** `processes.json` of a member: what `status` and `stop` need to know. */
export interface ProcessRecord {
	processes: Pick<ProcessSpec, "name" | "program" | "port">[];
}

/** Files below conf/ only: that is what the hash of a start covers. No hidden files, no way out of the folder. */
const FILE = /^conf(\/[A-Za-z0-9_][A-Za-z0-9._-]*)+$/;

export function checkFile(member: string, file: string): string {
	if (FILE.test(file) && !file.endsWith(".launch")) return file;
	throw new HoldfastError("HF_SETTING", `member ${member}: the file name ${JSON.stringify(file)} is not below conf/`);
}

export const fill = (text: string, folder: string): string => text.replaceAll(FOLDER, folder);
export const unfill = (text: string, folder: string): string => text.replaceAll(folder, FOLDER);

/** Puts on disk what the next start of a member uses; running processes are not touched. */
export async function stage(inputs: MemberInputs, folder: string): Promise<void> {
	for (const name of ["conf", "data", "log", "run"]) await privateFolder(join(folder, name));
	for (const [file, text] of Object.entries(inputs.birthFiles)) {
		if ((await readStaged(inputs.name, folder, file)) === undefined) await writeStaged(inputs.name, folder, file, text);
	}
	for (const [file, text] of Object.entries(inputs.files)) await writeStaged(inputs.name, folder, file, text);
	for (const process of inputs.processes) await stageProcess(folder, process);
	const processes = inputs.processes.map(({ name, program, port }) => ({ name, program, port }));
	await writeJson(join(folder, "processes.json"), { processes } satisfies ProcessRecord);
}

async function stageProcess(folder: string, process: ProcessSpec): Promise<void> {
	const program = await toolPath(process.program, process.build);
	const lines = [program, ...process.args.map((arg) => fill(arg, folder))];
	await replace(processFiles.launch(folder, process.name), `${lines.join("\n")}\n`);
	await replace(processFiles.rotate(folder, process.name), `${contracts[process.program].rotateSignal}\n`);
}

/** Writes only what differs, so that an unchanged `up` does not wait for the disk. */
async function replace(path: string, text: string): Promise<void> {
	if ((await readText(path)) !== text) await writeText(path, text);
}

export async function writeStaged(member: string, folder: string, file: string, text: string): Promise<void> {
	const path = join(folder, checkFile(member, file));
	await privateFolder(dirname(path));
	await replace(path, fill(text, folder));
}

/** Text of a staged file with the folder's name taken out again; `undefined` when it is absent. */
export async function readStaged(member: string, folder: string, file: string): Promise<string | undefined> {
	const text = await readText(join(folder, checkFile(member, file)));
	return text === undefined ? undefined : unfill(text, folder);
}

export async function processesOf(folder: string): Promise<ProcessRecord["processes"]> {
	return (await readJson<ProcessRecord>(join(folder, "processes.json")))?.processes ?? [];
}

/** SHA-256 over the files below conf/, by content and name; the same figure as `staged` in hold.ts. */
export async function stagedHash(folder: string): Promise<string | undefined> {
	const files = await listFiles(folder, "conf");
	if (files === undefined) return undefined;
	const lines = await Promise.all(
		files.map(async (file) => `${sha256(await readFile(join(folder, file)))}  ${file}\n`),
	);
	return sha256(lines.sort().join(""));
}

const sha256 = (content: string | Buffer): string => createHash("sha256").update(content).digest("hex");

async function listFiles(root: string, folder: string): Promise<string[] | undefined> {
	const entries = await readdir(join(root, folder), { withFileTypes: true }).catch(() => undefined);
	if (!entries) return undefined;
	const found: string[] = [];
	for (const entry of entries) {
		const path = `${folder}/${entry.name}`;
		if (entry.isDirectory()) found.push(...((await listFiles(root, path)) ?? []));
		else if (entry.isFile() && !entry.name.startsWith(".")) found.push(path);
	}
	return found;
}
