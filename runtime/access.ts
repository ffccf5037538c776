import { join } from "node:path";
import { HoldfastError } from "./errors.ts";
import { readJson, removeFile, writeJson } from "./files.ts";
import { privateFolder, stackFolder } from "./home.ts";
import { withLock } from "./lock.ts";
import type { Access } from "./platform/model.ts";

export type { Access };

async function recordPath({ stack, cluster }: Access): Promise<string> {
	return join(await privateFolder(join(stackFolder(stack), "clusters")), `${cluster}.json`);
}

/** The cluster's record on this host (0600): addresses, identity, credentials. `undefined` before the first build. */
export async function readRecord<T>(access: Access): Promise<T | undefined> {
	return readJson<T>(await recordPath(access));
}

/** The record of a cluster that must exist. */
export async function requireRecord<T>(access: Access): Promise<T> {
	const record = await readRecord<T>(access);
	if (record) return record;
	throw new HoldfastError(
		"HF_UNREACHABLE",
		`nothing is known here about cluster ${access.cluster} of stack ${access.stack}`,
		{
			next: "run holdfast up, or adopt the running cluster",
		},
	);
}

export async function writeRecord<T extends object>(access: Access, record: T): Promise<void> {
	await writeJson(await recordPath(access), record);
}

export async function removeRecord(access: Access): Promise<void> {
	await removeFile(await recordPath(access));
}

/** Runs one verb on a cluster at a time: an interrupted run's provider may still be finishing. */
export async function withCluster<T>(access: Access, what: string, fn: () => Promise<T>): Promise<T> {
	const path = `${await recordPath(access)}.lock`;
	return withLock(path, `${what} of cluster ${access.cluster}`, { waitMs: 120_000 }, fn);
}
