import { readdir, readFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { HoldfastError } from "../errors.ts";
import { readJson, readText, removeFile, writeJson, writeText } from "../files.ts";
import { privateFolder } from "../home.ts";
import { sha256 } from "../sha256.ts";
import { postgresBuild, toolPath } from "../tools.ts";
import { contracts } from "./contract.ts";
import { processFiles } from "./layout.ts";
import { FOLDER, type MemberInputs, type ProcessSpec } from "./model.ts";

/** `processes.json` of a member: what `status` and `stop` need to know. */
export interface ProcessRecord {
	processes: Omit<ProcessSpec, "args" | "ports">[];
}

/** Files below conf/, which the hash of a start covers, and live/. No hidden files, no way out of the folder. */
const FILE = /^(conf|live)(\/[A-Za-z0-9_][A-Za-z0-9._-]*)+$/;
const OWN = /\.(launch|held)$/;

export function checkFile(member: string, file: string): string {
	if (FILE.test(file) && !OWN.test(file)) return file;
	const name = JSON.stringify(file);
	throw new HoldfastError("HF_SETTING", `member ${member}: the file name ${name} is not below conf/ or live/`);
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
	const processes = inputs.processes.map(({ args: _, ports: __, ...process }) => process);
	await writeJson(join(folder, "processes.json"), { processes } satisfies ProcessRecord);
}

async function stageProcess(folder: string, process: ProcessSpec): Promise<void> {
	const { name, held } = process;
	await replace(processFiles.launch(folder, name), await launchText(folder, process, process.args));
	await replace(processFiles.rotate(folder, name), `${contracts[process.program].rotateSignal ?? ""}\n`);
	if (held) await replace(processFiles.held(folder, name), `${held.evidence ?? ""}\n`);
	else await removeFile(processFiles.held(folder, name));
}

/** What starts a process: one argument a line. */
export async function launchText(folder: string, process: LaunchSpec, args: readonly string[]): Promise<string> {
	const lines = [...(await commandLine(process)), ...args.map((arg) => fill(arg, folder))];
	return `${lines.join("\n")}\n`;
}

/** Node says at every start that it strips types. */
const QUIET = "--disable-warning=ExperimentalWarning";

type LaunchSpec = Pick<ProcessSpec, "program" | "build" | "finds">;

async function commandLine({ program, build, finds }: LaunchSpec): Promise<string[]> {
	if (program === "guard") return ["/bin/sh"];
	// The checkout that runs this verb is the working folder, as for the home folder.
	if (program === "redis-manager") return [process.execPath, QUIET, resolve("runtime/redis/main.ts")];
	const path = await toolPath(program, build);
	const { postgres } = finds ?? {};
	const folder = postgres && dirname((await postgresBuild({ version: postgres.build, tls: postgres.tls })).path);
	const found = folder === undefined ? [] : ["env", `PATH=${folder}:/usr/local/bin:/usr/bin:/bin`];
	return [...(contracts[program].unprivileged ? await asNobody() : []), ...found, path];
}

/**
 * For root: a user namespace in which root's files belong to somebody else, so that nothing has to change its owner.
 * That user must be known by name: initdb asks.
 */
async function asNobody(): Promise<string[]> {
	if (process.getuid?.() !== 0) return [];
	const users = (await readFile("/etc/passwd", "utf8")).split("\n").map((line) => Number(line.split(":")[2]));
	const uid = users.find((id) => id > 0);
	if (uid === undefined) throw new HoldfastError("HF_TOOL", "/etc/passwd names no user besides root");
	return ["unshare", "--user", `--map-user=${uid}`, `--map-group=${uid}`, "--"];
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

/**
 * SHA-256 over the files below conf/ that count for a process, by content and name: all but those of the member's other
 * processes. The same figure as `staged` in hold.ts. Without `process`: over all of them.
 */
export async function stagedHash(folder: string, process?: string): Promise<string | undefined> {
	const all = await listFiles(folder, "conf");
	if (all === undefined) return undefined;
	const names = all.flatMap((file) => /^conf\/([^/]+)\.launch$/.exec(file)?.[1] ?? []);
	const others = process === undefined ? [] : names.filter((name) => name !== process);
	const files = all.filter((file) => !others.some((other) => isOf(file, other)));
	const lines = await Promise.all(
		files.map(async (file) => `${sha256(await readFile(join(folder, file)))}  ${file}\n`),
	);
	return sha256(lines.sort().join(""));
}

const isOf = (file: string, process: string): boolean =>
	file === `conf/${process}.launch` || file === `conf/${process}.held` || file.startsWith(`conf/${process}/`);

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
