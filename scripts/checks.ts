import { execFile } from "node:child_process";
import { access, constants, readFile, stat, statfs } from "node:fs/promises";
import { freemem, totalmem } from "node:os";
import { promisify } from "node:util";
import { home } from "../runtime/home.ts";
import { leftovers } from "./leftovers.ts";
import { isRunning, lockHolders } from "./lockfile.ts";

export interface Check {
	name: string;
	level: "ok" | "warn" | "fail";
	detail: string;
	/** What to do about it. */
	fix?: string;
}

const ok = (name: string, detail: string): Check => ({ name, level: "ok", detail });
const warn = (name: string, detail: string, fix: string): Check => ({ name, level: "warn", detail, fix });
const failed = (name: string, detail: string, fix: string): Check => ({ name, level: "fail", detail, fix });
const GB = 1024 ** 3;

/** Facts of this machine that databases depend on. */
export async function machineChecks(stack: string): Promise<Check[]> {
	const checks = [
		nodeVersion,
		flock,
		openFiles,
		diskSpace,
		memory,
		hugePages,
		memoryMaps,
		privacy,
		() => locks(stack),
		orphans,
	];
	return Promise.all(checks.map((check) => check()));
}

async function nodeVersion(): Promise<Check> {
	const { node } = process.versions;
	return Number.parseInt(node, 10) >= 24
		? ok("node", node)
		: failed("node", node, "run through npm, which brings Node 24");
}

/** Locks of supervisord and of clusters are the kernel's, taken through this program. */
async function flock(): Promise<Check> {
	const { stdout } = await promisify(execFile)("flock", ["--version"]).catch(() => ({ stdout: "" }));
	return stdout ? ok("flock", stdout.trim()) : failed("flock", "not on PATH", "install util-linux");
}

async function openFiles(): Promise<Check> {
	const limits = await readFile("/proc/self/limits", "utf8").catch(() => "");
	const [, , hard] = /Max open files\s+(\d+|unlimited)\s+(\d+|unlimited)/.exec(limits) ?? [];
	const most = hard === undefined || hard === "unlimited" ? Number.POSITIVE_INFINITY : Number(hard);
	if (most < 20_000)
		return failed("open files", `at most ${hard}`, "raise the hard limit to 64000 (ulimit -Hn, limits.conf)");
	if (most < 64_000) return warn("open files", `at most ${hard}`, "raise the hard limit to 64000 for busy members");
	return ok("open files", `at most ${hard ?? "unknown"}`);
}

async function diskSpace(): Promise<Check> {
	const { bavail, bsize } = await statfs(home());
	const free = (bavail * bsize) / GB;
	const detail = `${free.toFixed(1)} GB free at ${home()}`;
	if (free < 1) return failed("disk", detail, "free space: members stop writing on a full disk");
	return free < 10
		? warn("disk", detail, "members and their oplogs need about 2 GB each before any data")
		: ok("disk", detail);
}

async function memory(): Promise<Check> {
	const detail = `${(freemem() / GB).toFixed(1)} of ${(totalmem() / GB).toFixed(1)} GB free`;
	return totalmem() < 2 * GB ? warn("memory", detail, "run fewer members, or lower cacheSizeGB") : ok("memory", detail);
}

async function hugePages(): Promise<Check> {
	const text = await readFile("/sys/kernel/mm/transparent_hugepage/enabled", "utf8").catch(() => "");
	const mode = /\[(\w+)\]/.exec(text)?.[1] ?? "unknown";
	if (mode !== "always") return ok("huge pages", mode);
	return warn(
		"huge pages",
		mode,
		"MongoDB before 8.0 wants transparent huge pages off: echo madvise > /sys/kernel/mm/transparent_hugepage/enabled",
	);
}

async function memoryMaps(): Promise<Check> {
	const maps = Number(await readFile("/proc/sys/vm/max_map_count", "utf8").catch(() => "0"));
	if (maps === 0 || maps >= 102_400) return ok("memory maps", String(maps || "unknown"));
	return warn("memory maps", String(maps), "sysctl vm.max_map_count=128000 for more than a few thousand connections");
}

async function privacy(): Promise<Check> {
	const at = home();
	const { mode } = await stat(at);
	if ((mode & 0o077) !== 0) return failed("privacy", `${at} can be entered by others`, `chmod 700 ${at}`);
	await access(at, constants.W_OK);
	return ok("privacy", `${at} belongs to its owner alone`);
}

async function locks(stack: string): Promise<Check> {
	const [holder] = await lockHolders(stack);
	if (!holder) return ok("lock", "free");
	if (await isRunning(holder)) return ok("lock", `held by process ${holder.pid}, which runs`);
	return warn("lock", `held by process ${holder.pid}, which is dead`, "the next up releases it");
}

async function orphans(): Promise<Check> {
	const pids = await leftovers();
	if (pids.length === 0) return ok("leftovers", "none");
	return warn("leftovers", `processes ${pids.join(", ")} of an interrupted run`, "the next up or down ends them");
}
