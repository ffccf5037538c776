import { spawn } from "node:child_process";
import { type FileHandle, open, stat } from "node:fs/promises";
import { Deadline } from "./deadline.ts";
import { HoldfastError } from "./errors.ts";
import { bootId, born } from "./platform/proc.ts";

/** Written into the lock file for people; what excludes is the kernel's lock on the file. */
interface Owner {
	pid: number;
	/** Clock ticks since boot. */
	born?: string;
	boot: string;
	what: string;
	/** ISO 8601 */
	since: string;
}

const queues = new Map<string, Promise<unknown>>();
const POLL_MS = 100;

/**
 * Runs `fn` while no other process runs anything under the same lock file; callers of this process queue.
 * The lock is the kernel's (flock), so it ends with its owner whatever killed it and cannot be stale or stolen.
 * The file stays: deleting it under the lock is allowed, later takers notice. Its folder must exist.
 * After `waitMs` behind a live owner: HF_LOCKED with its pid, what it does and since when.
 */
export async function withLock<T>(
	path: string,
	what: string,
	options: { waitMs: number },
	fn: () => Promise<T>,
): Promise<T> {
	const deadline = Date.now() + options.waitMs;
	const before = queues.get(path) ?? Promise.resolve();
	const turn = before.then(() => locked(path, what, Math.max(0, deadline - Date.now()), fn));
	const settled = turn.catch(() => undefined);
	queues.set(path, settled);
	try {
		return await turn;
	} finally {
		if (queues.get(path) === settled) queues.delete(path);
	}
}

async function locked<T>(path: string, what: string, waitMs: number, fn: () => Promise<T>): Promise<T> {
	const file = await acquire(path, what, waitMs);
	try {
		await sign(file, what);
		return await fn();
	} finally {
		await file.close();
	}
}

async function acquire(path: string, what: string, waitMs: number): Promise<FileHandle> {
	const deadline = new Deadline(what, waitMs);
	while (true) {
		const file = await open(path, "a+", 0o600);
		try {
			if ((await flock(file)) && (await isCurrent(file, path))) return file;
		} catch (error) {
			await file.close();
			throw error;
		}
		const owner = await readOwner(file);
		await file.close();
		if (deadline.left() === 0) throw busy(path, owner);
		await deadline.pause(POLL_MS, "the lock");
	}
}

/** Locks the open file description that this process shares with the child: it stays locked until we close it. */
async function flock(file: FileHandle): Promise<boolean> {
	const child = spawn("flock", ["-x", "-n", "3"], { stdio: ["ignore", "ignore", "ignore", file.fd] });
	const code = await new Promise<number | null>((resolve, reject) => {
		child.once("error", reject).once("exit", resolve);
	}).catch((cause) => {
		throw new HoldfastError("HF_TOOL", "the program flock cannot be run", { next: "install util-linux", cause });
	});
	return code === 0;
}

/** Whether the file is still the one at `path`: a former owner may have deleted it. */
async function isCurrent(file: FileHandle, path: string): Promise<boolean> {
	const [ours, there] = await Promise.all([file.stat(), stat(path).catch(() => undefined)]);
	return there !== undefined && ours.ino === there.ino && ours.dev === there.dev;
}

async function sign(file: FileHandle, what: string): Promise<void> {
	const [ticks, boot] = await Promise.all([born(process.pid), bootId()]);
	const owner: Owner = { pid: process.pid, born: ticks, boot, what, since: new Date().toISOString() };
	// The record only serves the message of who has to wait: a full disk must not stop the work.
	await file
		.truncate(0)
		.then(() => file.write(JSON.stringify(owner)))
		.catch(() => undefined);
}

async function readOwner(file: FileHandle): Promise<Owner | undefined> {
	try {
		const { buffer, bytesRead } = await file.read(Buffer.alloc(4096), 0, 4096, 0);
		return JSON.parse(buffer.toString("utf8", 0, bytesRead)) as Owner;
	} catch {
		return undefined;
	}
}

function busy(path: string, owner: Owner | undefined): HoldfastError {
	const who = owner ? `process ${owner.pid} (${owner.what}, since ${owner.since})` : "another process";
	return new HoldfastError("HF_LOCKED", `${path} is held by ${who}`);
}
