import { closeSync, openSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { mkdir, rename, rm, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join, resolve } from "node:path";
import { HoldfastError } from "../../runtime/errors.ts";
import type { Build } from "../../runtime/tools.ts";
import { withLock } from "./lock.cjs";
import { besideVersions, checkBeside, probe } from "./probe.ts";
import { executable } from "./record.cjs";
import { type Family, type Found, platform, type Source, type Tool, type Workshop } from "./tool.ts";

const WAIT_MS = 60 * 60_000;

/** `HOLDFAST_CACHE`, else `holdfast` in the user's cache folder. */
export function cacheRoot(env: NodeJS.ProcessEnv): string {
	if (env.HOLDFAST_CACHE) return resolve(env.HOLDFAST_CACHE);
	return resolve(env.XDG_CACHE_HOME || join(env.HOME || homedir(), ".cache"), "holdfast");
}

/** Makes sure that the cache can be written, before anything is downloaded for it. HF_TOOL otherwise. */
export async function openCache(root: string): Promise<void> {
	try {
		await mkdir(root, { recursive: true });
		const trial = join(root, `.trial.${process.pid}`);
		closeSync(openSync(trial, "w"));
		rmSync(trial);
	} catch (cause) {
		const { code } = cause as NodeJS.ErrnoException;
		throw new HoldfastError("HF_TOOL", `the cache of programs ${root} cannot be written (${code})`, {
			next: "set HOLDFAST_CACHE to a folder that you can write, with 2 GB free",
			cause,
		});
	}
}

/** `origin.json` in the folder of a build. */
interface Origin extends Pick<Found, "source" | "beside" | "needs"> {
	/** Builds in the same folder, by path inside it. */
	also?: Family["also"];
}

function folderOf(root: string, tool: Tool, version = tool.pin): string {
	return join(root, tool.name, `${version}-${platform}`);
}

/** The pinned build, if an earlier run of any checkout has made it. */
export function cached(root: string, tool: Tool): Found | undefined {
	const folder = folderOf(root, tool);
	const path = join(folder, tool.program);
	if (!executable(path)) return undefined;
	try {
		const { source, beside, also, needs }: Origin = JSON.parse(readFileSync(join(folder, "origin.json"), "utf8"));
		if (!(needs ?? []).every(executable)) return undefined;
		const builds = also?.map(({ version, program }): Build => ({ version, path: join(folder, program) }));
		return { path, version: tool.pin, source, beside, also: builds, needs };
	} catch {
		return undefined;
	}
}

/** Every build that the cache holds, earlier pins included. */
export function allCached(root: string, tool: Tool): Build[] {
	const folder = join(root, tool.name);
	let names: string[];
	try {
		names = readdirSync(folder);
	} catch {
		return [];
	}
	return names
		.filter((name) => /^\d/.test(name) && name.endsWith(`-${platform}`))
		.map((name) => cached(root, { ...tool, pin: name.slice(0, -platform.length - 1) }))
		.flatMap((found) => (found === undefined ? [] : [found, ...(found.also ?? [])]));
}

/**
 * Lets a source make the pinned build in a folder beside its final one, proves that it runs, and renames it.
 * One process at a time; whoever waited finds the build of the other. The source's error, with its log, otherwise.
 */
export async function make(tool: Tool, source: Source, workshop: Workshop): Promise<Found> {
	const root = workshop.cache;
	const parent = join(root, tool.name);
	await mkdir(parent, { recursive: true });
	const what = `${tool.name} ${tool.pin}`;
	const waiting = ({ pid }: { pid: number }) => {
		const end = workshop.progress.start(`waiting for process ${pid}, which makes ${what}`);
		return () => end("done");
	};
	return withLock(`${folderOf(root, tool)}.lock`, `making ${what}`, { waiting, deadlineMs: WAIT_MS }, async () => {
		const made = cached(root, tool);
		if (made) return made;
		for (const name of readdirSync(parent)) {
			if (name.startsWith(`.${tool.pin}-${platform}.`)) await rm(join(parent, name), { recursive: true, force: true });
		}
		const into = join(parent, `.${tool.pin}-${platform}.${process.pid}`);
		const end = workshop.progress.start(`${source.doing} ${what} (${source.name})`, source.hint);
		try {
			await fill(tool, source, into, workshop);
		} catch (error) {
			await rm(into, { recursive: true, force: true });
			end(`failed: ${(error as Error).message}`);
			throw error;
		}
		end("done");
		return cached(root, tool) as Found;
	});
}

async function fill(tool: Tool, source: Source, into: string, workshop: Workshop): Promise<void> {
	const log = join(workshop.cache, "logs", `${tool.name}-${tool.pin}.log`);
	await mkdir(into);
	const needs: string[] = [];
	await source.make({ into, log, needs }, workshop);
	const also = tool.family?.also;
	for (const { version, program } of [{ version: tool.pin, program: tool.program }, ...(also ?? [])]) {
		const made = await probe(tool, join(into, program));
		if (made !== version) throw new Error(`it made version ${made}`);
		checkBeside(tool, join(into, program));
	}
	const beside = besideVersions(tool, tool.pin, source.beside);
	const origin: Origin = { source: source.name, beside, also, ...(needs.length > 0 && { needs }) };
	await writeFile(join(into, "origin.json"), JSON.stringify(origin));
	const folder = folderOf(workshop.cache, tool);
	// Somebody's damage may be there: a complete build would have been used.
	await rm(folder, { recursive: true, force: true });
	await rename(into, folder);
}
