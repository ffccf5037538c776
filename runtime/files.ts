import { randomUUID } from "node:crypto";
import { open, readFile, rename, rm, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { HoldfastError } from "./errors.ts";

/**
 * Replaces a file as a whole and makes it last: a reader sees the old text or the new one, also after a power cut.
 * The temporary file is hidden and lies in the same folder. `mode` counts for replaced files too.
 */
export async function writeText(path: string, text: string, mode = 0o600): Promise<void> {
	const temporary = join(dirname(path), `.${basename(path)}.${randomUUID()}`);
	try {
		const file = await open(temporary, "wx", mode);
		try {
			await file.writeFile(text);
			await file.sync();
		} finally {
			await file.close();
		}
		await rename(temporary, path);
	} catch (error) {
		await rm(temporary, { force: true });
		throw error;
	}
	await syncFolder(dirname(path));
}

/** As `writeText`, of a value as JSON. */
export async function writeJson(path: string, value: object): Promise<void> {
	await writeText(path, `${JSON.stringify(value, null, "\t")}\n`);
}

/** The text of a file; `undefined` when there is none. */
export async function readText(path: string): Promise<string | undefined> {
	return readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
		if (error.code === "ENOENT" || error.code === "ENOTDIR") return undefined;
		throw error;
	});
}

/** What `writeJson` wrote; `undefined` when there is no file. */
export async function readJson<T>(path: string): Promise<T | undefined> {
	const text = await readText(path);
	if (text === undefined) return undefined;
	try {
		return JSON.parse(text) as T;
	} catch {
		// Without the parser's words: they quote the text, which may hold a secret.
		throw new HoldfastError("HF_REJECTED", `${path} is not valid JSON`, { next: "restore the file from a backup" });
	}
}

/** Deletes a file; a missing one is fine. */
export async function removeFile(path: string): Promise<void> {
	await rm(path, { force: true });
}

/** Whether a file or folder is there. */
export const isThere = (path: string): Promise<boolean> =>
	stat(path).then(
		() => true,
		() => false,
	);

async function syncFolder(path: string): Promise<void> {
	const folder = await open(path, "r");
	try {
		await folder.sync();
	} finally {
		await folder.close();
	}
}
