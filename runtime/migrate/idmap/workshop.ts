import { randomUUID } from "node:crypto";
import { mkdir, readdir, rm } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { born } from "../../platform/proc.ts";

const prefix = () => `.build-${hostname()}-`;

/** Runs `fn` with a folder of its own in `parent`, which is taken away after it, with those that killed runs left. */
export async function inWorkshop<T>(parent: string, fn: (folder: string) => Promise<T>): Promise<T> {
	await clearLeftovers(parent);
	const folder = join(parent, `${prefix()}${process.pid}-${await born(process.pid)}-${randomUUID()}`);
	await mkdir(folder, { mode: 0o700 });
	try {
		return await fn(folder);
	} finally {
		await rm(folder, { recursive: true, force: true });
	}
}

/** Folders of this host's dead processes; those of other hosts are left alone. */
async function clearLeftovers(parent: string): Promise<void> {
	for (const name of await readdir(parent)) {
		if (!name.startsWith(prefix())) continue;
		const [pid, ticks] = name.slice(prefix().length).split("-");
		if ((await born(Number(pid))) !== ticks) await rm(join(parent, name), { recursive: true, force: true });
	}
}
