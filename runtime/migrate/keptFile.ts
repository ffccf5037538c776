import { rmdir } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { removeFile, writeJson } from "../files.ts";
import { home, privateFolder, stackFolder } from "../home.ts";
import type { Migration } from "./model.ts";

type Named = Pick<Migration, "name" | "mongo">;

const fileOf = ({ name, mongo }: Named): string =>
	join("access" in mongo ? stackFolder(mongo.access.stack) : home(), "migrations", `${name}.json`);

/**
 * Writes a stack's migration as a file for `holdfast migrate`, beside the stack's other records: its verification, its
 * dead letters and its status are asked for by hand. Returns the path.
 */
export async function keepFile(declaration: Migration): Promise<string> {
	const path = fileOf(declaration);
	const { idMap } = declaration;
	const location = idMap.location.startsWith("gs://") ? idMap.location : resolve(idMap.location);
	await privateFolder(dirname(path));
	await writeJson(path, { ...declaration, idMap: { ...idMap, location } });
	return path;
}

export async function dropFile(declaration: Named): Promise<void> {
	const path = fileOf(declaration);
	await removeFile(path);
	await rmdir(dirname(path)).catch(() => {});
}
