import { readdir } from "node:fs/promises";
import { join } from "node:path";
import type { Access } from "./access.ts";
import { stackFolder } from "./home.ts";

/** The clusters that this host knows of a stack. */
export async function clustersOf(stack: string): Promise<Access[]> {
	const files = await readdir(join(stackFolder(stack), "clusters")).catch(() => []);
	return files
		.filter((file) => file.endsWith(".json"))
		.map((file) => ({ stack, cluster: file.slice(0, -".json".length) }))
		.sort((a, b) => a.cluster.localeCompare(b.cluster));
}
