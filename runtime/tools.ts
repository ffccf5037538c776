import { execFile } from "node:child_process";
import { constants } from "node:fs";
import { access, readFile, stat } from "node:fs/promises";
import { dirname, isAbsolute, join } from "node:path";
import { promisify } from "node:util";
import { HoldfastError } from "./errors.ts";
import { home } from "./home.ts";

export type ToolName =
	| "pulumi"
	| "pulumi-language-nodejs"
	| "pulumi-resource-pulumi-nodejs"
	| "mongod"
	| "supervisord"
	| "etcd"
	| "patroni"
	| "patronictl"
	| "postgres"
	| "redis-server";

export interface Build {
	/** Absolute path of the executable. */
	path: string;
	/** Dotted digits: "6.0.5". */
	version: string;
	/** Whether it was built with TLS; said of postgres, unless it did not run. */
	tls?: boolean;
}

export interface RecordedTool extends Build {
	/** Where it came from, in words. */
	source: string;
	/** Other builds on this machine that `build` can name. */
	builds: Build[];
	/** Files elsewhere that it cannot do without, such as the interpreter it is compiled for. */
	needs?: string[];
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
	const [found] = await matching(name, build);
	return executable(name, found.path, RECORD_NEXT);
}

/** That build as it is now: a package manager may have changed it since set-up. HF_TOOL as for the path and version. */
export async function buildOf(name: Versioned, build?: string): Promise<Build> {
	return readBuild(name, await toolPath(name, build));
}

/**
 * The PostgreSQL of a version ("18", "16.14", or the absolute path of `postgres`); with `tls` one that has TLS, where
 * several match. HF_TOOL when there is none.
 */
export async function postgresBuild({ version, tls }: { version: string; tls: boolean }): Promise<Build> {
	const known = isAbsolute(version) ? [await buildOf("postgres", version)] : await matching("postgres", version);
	const found = tls ? known.find((build) => build.tls) : known[0];
	if (found === undefined) {
		const series = isAbsolute(version) ? "" : `-${version.split(".")[0]}`;
		throw new HoldfastError("HF_TOOL", `PostgreSQL ${version} here has no TLS`, {
			next: `install Debian's postgresql${series} or put one with TLS on PATH, and run npm run holdfast -- doctor`,
		});
	}
	return readBuild("postgres", await executable("postgres", found.path, RECORD_NEXT));
}

async function readBuild(name: Versioned, path: string): Promise<Build> {
	const version = await toolVersion(path, name);
	return name === "postgres" ? { path, version, tls: await hasTls(path) } : { path, version };
}

/** The recorded builds that match, in the order of preference. */
async function matching(name: ToolName, wanted: string | undefined): Promise<[Build, ...Build[]]> {
	const tool = await recorded(name);
	if (wanted === undefined) return [tool];
	const known = [tool, ...[...tool.builds].sort((a, b) => compareVersions(b.version, a.version))];
	const [first, ...others] = known.filter(({ version }) => matchesBuild(version, wanted));
	if (first !== undefined) return [first, ...others];
	const list = known.map(({ version, path }) => `${version} (${path})`).join(", ");
	throw new HoldfastError("HF_TOOL", `no ${name} ${wanted} is known on this machine, only ${list}`, {
		next: `put ${name} ${wanted} on PATH and run npm run holdfast -- doctor, or give its absolute path as build`,
	});
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

/** What `--version` says, with the version in the first group. */
export const VERSION = {
	mongod: /^db version v(\d+\.\d+\.\d+)/m,
	etcd: /^etcd Version: (\d+\.\d+\.\d+)/m,
	patroni: /^patroni (\d+\.\d+\.\d+)/m,
	postgres: /^postgres \(PostgreSQL\) (\d+\.\d+)/m,
	"redis-server": /^Redis server v=(\d+\.\d+\.\d+) /m,
};

export type Versioned = keyof typeof VERSION;

/** Version of a binary ("6.0.5"), read once per path and modification time; 15 s at most. HF_TOOL otherwise. */
export async function toolVersion(path: string, name: Versioned = "mongod"): Promise<string> {
	const said = await saying(name, path, ["--version"]);
	const version = VERSION[name].exec(said)?.[1];
	if (version === undefined) throw new HoldfastError("HF_TOOL", `${path} does not say that it is ${name}`);
	return version;
}

/** Whether a PostgreSQL was built with TLS, as it says itself; read like a version. HF_TOOL when it does not run. */
export async function hasTls(path: string): Promise<boolean> {
	// Asked so, it opens no data folder and does not mind being root; it only wants a folder that exists.
	const said = await saying("postgres", path, ["-C", "ssl_library", "-D", dirname(path), "--config-file=/dev/null"]);
	return said.trim() !== "";
}

const answers = new Map<string, Promise<string>>();

async function saying(name: Versioned, path: string, args: readonly string[]): Promise<string> {
	await executable(name, path, "see holdfast doctor");
	const key = [path, (await stat(path)).mtimeMs, ...args].join("\0");
	const answer = answers.get(key) ?? ask(path, args);
	answers.set(key, answer);
	try {
		return await answer;
	} catch (error) {
		answers.delete(key);
		throw error;
	}
}

async function ask(path: string, args: readonly string[]): Promise<string> {
	try {
		return (await promisify(execFile)(path, args, { timeout: 15_000 })).stdout;
	} catch (cause) {
		throw new HoldfastError("HF_TOOL", `${path} ${args.slice(0, 2).join(" ")} failed`, { cause });
	}
}
