import { readdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { readJson } from "../files.ts";
import { layout, memberFolder } from "./layout.ts";

/** Names of the members of a cluster that this machine runs, by slot. */
export async function membersOf(stack: string, cluster: string): Promise<string[]> {
	const names = await readdir(dirname(layout.link(stack, "x"))).catch(() => []);
	const owned = await Promise.all(
		names.map(async (name) => {
			const folder = await memberFolder(stack, name);
			const owner = folder === undefined ? undefined : await readJson<{ cluster: string }>(join(folder, "owner.json"));
			return owner?.cluster === cluster ? [name] : [];
		}),
	);
	return owned.flat().sort((a, b) => a.localeCompare(b, "en", { numeric: true }));
}
