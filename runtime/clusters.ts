import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { type Access, readRecord } from "./access.ts";
import { stackFolder } from "./home.ts";

export type System = "mongo" | "postgres" | "redis";

export interface KnownCluster {
	access: Access;
	/** What it runs. */
	system: System;
}

/** The clusters that this host knows of a stack. */
export async function clustersOf(stack: string): Promise<KnownCluster[]> {
	const files = await readdir(join(stackFolder(stack), "clusters")).catch(() => []);
	const names = files.filter((file) => file.endsWith(".json")).map((file) => file.slice(0, -".json".length));
	return Promise.all(names.sort((a, b) => a.localeCompare(b)).map((cluster) => known({ stack, cluster })));
}

/** Records of replica sets are older than the word. */
async function known(access: Access): Promise<KnownCluster> {
	const record = await readRecord<{ system?: System }>(access);
	return { access, system: record?.system ?? "mongo" };
}
