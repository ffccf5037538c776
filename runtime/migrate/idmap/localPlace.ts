import { randomUUID } from "node:crypto";
import { link, mkdir, open, rm, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { failpoint } from "../../failpoint.ts";
import { isThere, readText } from "../../files.ts";
import { segmentName } from "./manifest.ts";
import type { MapPlace } from "./place.ts";

/** A folder of this machine. Files get their names by `link`, which never replaces one. */
export function localPlace(location: string): MapPlace {
	const folder = resolve(location);
	const at = (segment: number, suffix: string) => join(folder, `${segmentName(segment)}.${suffix}`);
	return {
		name: folder,
		async workshop() {
			await mkdir(folder, { recursive: true });
			return folder;
		},
		manifest: (segment) => readText(at(segment, "json")),
		file: async ({ segment }) => at(segment, "ids"),
		unfinished: async (segment) => ((await isThere(at(segment, "ids"))) ? at(segment, "ids") : undefined),
		async put(segment, path) {
			const isFirst = await linked(path, at(segment, "ids"));
			if (isFirst) await syncFolder(folder);
			await failpoint("idmap/renamed");
			return isFirst;
		},
		async putManifest(segment, text) {
			const temporary = join(folder, `.${segmentName(segment)}.${randomUUID()}`);
			try {
				await writeFile(temporary, text, { mode: 0o444, flag: "wx", flush: true });
				await linked(temporary, at(segment, "json"));
			} finally {
				await rm(temporary, { force: true });
			}
			await syncFolder(folder);
		},
		close: async () => {},
	};
}

/** Whether the file has that name now; false when another has it. */
async function linked(path: string, name: string): Promise<boolean> {
	try {
		await link(path, name);
		return true;
	} catch (error) {
		if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
		throw error;
	}
}

async function syncFolder(path: string): Promise<void> {
	const folder = await open(path, "r");
	try {
		await folder.sync();
	} finally {
		await folder.close();
	}
}
