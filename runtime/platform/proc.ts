import { readdir, readFile, readlink } from "node:fs/promises";

/** One process, told apart from a later one that got the same pid. */
export interface ProcessIdentity {
	pid: number;
	/** Start time in clock ticks since boot (/proc/<pid>/stat, field 22), as text. */
	born: string;
	/** /proc/sys/kernel/random/boot_id */
	boot: string;
}

export async function bootId(): Promise<string> {
	return (await readFile("/proc/sys/kernel/random/boot_id", "utf8")).trim();
}

/** Start time of a live process in clock ticks since boot; `undefined` when it is gone or only waits to be reaped. */
export async function born(pid: number): Promise<string | undefined> {
	const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => undefined);
	// The second field is the program's name in parentheses and may hold anything, spaces and parentheses too.
	const fields = stat?.slice(stat.lastIndexOf(")") + 2).split(" ");
	if (!fields || fields[0] === "Z" || fields[0] === "X") return undefined;
	return fields[19];
}

export async function identify(pid: number): Promise<ProcessIdentity | undefined> {
	const [ticks, boot] = await Promise.all([born(pid), bootId()]);
	return ticks === undefined ? undefined : { pid, born: ticks, boot };
}

export async function isAlive(identity: ProcessIdentity): Promise<boolean> {
	const now = await identify(identity.pid);
	return now !== undefined && now.born === identity.born && now.boot === identity.boot;
}

/** The command line of a process as one line, at most 200 characters; `undefined` when it cannot be read. */
export async function commandOf(pid: number): Promise<string | undefined> {
	const text = await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "");
	return text === "" ? undefined : text.split("\0").join(" ").trim().slice(0, 200);
}

export async function parentOf(pid: number): Promise<number | undefined> {
	const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => undefined);
	const parent = Number(stat?.slice(stat.lastIndexOf(")") + 2).split(" ")[1]);
	return parent > 0 ? parent : undefined;
}

/** Pids that listen on `port`, on any address, as far as this user may look; empty when nobody listens. */
export async function listenersOf(port: number): Promise<number[]> {
	const inodes = await listeningInodes(port);
	if (inodes.size === 0) return [];
	const found = await Promise.all((await pids()).map(async (pid) => ((await holdsAny(pid, inodes)) ? [pid] : [])));
	return found.flat();
}

/** Whether this process itself listens on `port`. */
export async function listensOn(pid: number, port: number): Promise<boolean> {
	const inodes = await listeningInodes(port);
	return inodes.size > 0 && holdsAny(pid, inodes);
}

/** Pids that work in `folder` or have files open below it, as far as this user may look. */
export async function usersOf(folder: string): Promise<number[]> {
	const found = await Promise.all((await pids()).map(async (pid) => ((await uses(pid, folder)) ? [pid] : [])));
	return found.flat();
}

/** Whether a process works in `folder` or has files open below it. */
export async function uses(pid: number, folder: string): Promise<boolean> {
	const inside = (path: string) => path === folder || path.startsWith(`${folder}/`);
	if (inside(await readlink(`/proc/${pid}/cwd`).catch(() => ""))) return true;
	return (await descriptors(pid)).some(inside);
}

/** Pids of all processes that can be seen from here. */
export async function pids(): Promise<number[]> {
	return (await readdir("/proc")).filter((name) => /^\d+$/.test(name)).map(Number);
}

async function descriptors(pid: number): Promise<string[]> {
	const names = await readdir(`/proc/${pid}/fd`).catch(() => []);
	return Promise.all(names.map((name) => readlink(`/proc/${pid}/fd/${name}`).catch(() => "")));
}

async function holdsAny(pid: number, inodes: Set<string>): Promise<boolean> {
	return (await descriptors(pid)).some((target) => inodes.has(target));
}

/** `socket:[inode]` of every listening TCP socket on `port`. */
async function listeningInodes(port: number): Promise<Set<string>> {
	const tables = await Promise.all(
		["/proc/net/tcp", "/proc/net/tcp6"].map((path) => readFile(path, "utf8").catch(() => "")),
	);
	return new Set(tables.flatMap((table) => parseListeners(table, port)));
}

/** Rows of /proc/net/tcp{,6} in state LISTEN (0A) with that local port. */
export function parseListeners(table: string, port: number): string[] {
	const rows = table
		.split("\n")
		.slice(1)
		.map((line) => line.trim().split(/\s+/));
	const wanted = rows.filter((row) => row[3] === "0A" && Number.parseInt(row[1]!.split(":")[1]!, 16) === port);
	return wanted.map((row) => `socket:[${row[9]}]`);
}
