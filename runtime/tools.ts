import { execFile } from "node:child_process";
import { constants } from "node:fs";
import { access, readFile, stat } from "node:fs/promises";
import { isAbsolute, join } from "node:path";
import { promisify } from "node:util";
import { HoldfastError } from "./errors.ts";
import { home } from "./home.ts";

export type ToolName = "pulumi" | "pulumi-language-nodejs" | "pulumi-resource-pulumi-nodejs" | "mongod" | "supervisord";

export interface Build {
	/** Absolute path of the executable. */
	path: string;
	/** Dotted digits: "6.0.5". */
	version: string;
}

export interface RecordedTool extends Build {
	/** Where it came from, in words. */
	source: string;
	/** Other builds on this machine that `build` can name. */
	builds: Build[];
}

/** `<home>/tools.json`: what set-up chose. */
export interface ToolRecord {
	/** Hash of the manifests, the catalogue and the platform it was made from. */
	lock: string;
	tools: Record<string, RecordedTool>;
}

const RECORD_NEXT = "run npm run holdfast -- doctor, which sets up the programs and shows them";

/** Whether `version` begins with the dotted parts of `wanted`: "6.0.5" is a "6.0", "6.01" is not. */
export function matchesBuild(version: string, wanted: string): boolean {
	const parts = version.split(".");
	return wanted.split(".").every((part, index) => parts[index] === part);
}

/** Negative when `a` is older than `b`; missing parts count as 0. Versions are dotted digits. */
export function compareVersions(a: string, b: string): number {
	const left = a.split(".").map(Number);
	const right = b.split(".").map(Number);
	for (let index = 0; index < Math.max(left.length, right.length); index++) {
		const difference = (left[index] ?? 0) - (right[index] ?? 0);
		if (difference !== 0) return difference;
	}
	return 0;
}

/**
 * Absolute path of a program that set-up recorded. `build` is an absolute path, or a version or its first parts
 * ("7.0"): the default build if it matches, else the newest that does. HF_TOOL when there is none.
 */
export async function toolPath(name: ToolName, build?: string): Promise<string> {
	if (build !== undefined && isAbsolute(build)) return executable(name, build, "correct the setting build");
	const tool = await recorded(name);
	const known = [tool, ...[...tool.builds].sort((a, b) => compareVersions(b.version, a.version))];
	const found = build === undefined ? tool : known.find(({ version }) => matchesBuild(version, build));
	if (found === undefined) {
		const list = known.map(({ version, path }) => `${version} (${path})`).join(", ");
		throw new HoldfastError("HF_TOOL", `no ${name} ${build} is known on this machine, only ${list}`, {
			next: `put ${name} ${build} on PATH and run npm run holdfast -- doctor, or give its absolute path as build`,
		});
	}
	return executable(name, found.path, RECORD_NEXT);
}

async function recorded(name: ToolName): Promise<RecordedTool> {
	const file = join(home(), "tools.json");
	let record: ToolRecord;
	try {
		record = JSON.parse(await readFile(file, "utf8"));
	} catch (cause) {
		throw new HoldfastError("HF_TOOL", `the record of programs ${file} cannot be read`, { next: RECORD_NEXT, cause });
	}
	const tool = record.tools[name];
	if (tool === undefined) throw new HoldfastError("HF_TOOL", `${file} names no ${name}`, { next: RECORD_NEXT });
	return tool;
}

async function executable(name: ToolName, path: string, next: string): Promise<string> {
	try {
		if (!(await stat(path)).isFile()) throw new Error("not a file");
		await access(path, constants.X_OK);
		return path;
	} catch (cause) {
		throw new HoldfastError("HF_TOOL", `${path} is not an executable ${name}`, { next, cause });
	}
}

const versions = new Map<string, Promise<string>>();

/** Version of a mongod binary ("6.0.5"), read once per path and modification time; 15 s at most. HF_TOOL otherwise. */
export async function toolVersion(path: string): Promise<string> {
	await executable("mongod", path, "see holdfast doctor");
	const key = `${path}\0${(await stat(path)).mtimeMs}`;
	const known = versions.get(key) ?? readVersion(path);
	versions.set(key, known);
	try {
		return await known;
	} catch (error) {
		versions.delete(key);
		throw error;
	}
}

async function readVersion(path: string): Promise<string> {
	let said: string;
	try {
		said = (await promisify(execFile)(path, ["--version"], { timeout: 15_000 })).stdout;
	} catch (cause) {
		throw new HoldfastError("HF_TOOL", `${path} --version failed`, { cause });
	}
	const version = /^db version v(\d+\.\d+\.\d+)/m.exec(said)?.[1];
	if (version === undefined) throw new HoldfastError("HF_TOOL", `${path} does not say that it is a mongod`);
	return version;
}
