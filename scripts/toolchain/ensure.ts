import { realpathSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { HoldfastError } from "../../runtime/errors.ts";
import { home } from "../../runtime/home.ts";
import type { Build, RecordedTool, ToolRecord } from "../../runtime/tools.ts";
import { allCached, cacheRoot } from "./cache.ts";
import { catalogue, go } from "./catalogue.ts";
import { onMachine, PACKAGES, PATH } from "./probe.ts";
import { Progress } from "./progress.cjs";
import { isCurrent, lockOf, readRecord, writeRecord } from "./record.cjs";
import { failure, NoSource, select } from "./select.ts";
import type { Found, Tool, Workshop } from "./tool.ts";

/** What sources share during one set-up of the checkout at `root`. */
export function openWorkshop(root: string, env: NodeJS.ProcessEnv, progress = new Progress()): Workshop {
	let toolchain: Promise<Found> | undefined;
	const workshop: Workshop = {
		root,
		cache: cacheRoot(env),
		env,
		progress,
		go: () => {
			toolchain ??= select(go, workshop);
			return toolchain;
		},
	};
	return workshop;
}

/**
 * Makes every program of the catalogue available and writes `<home>/tools.json`; does nothing while that is current.
 * HF_TOOL when a program has no source or a folder cannot be written.
 */
export async function ensureTools(root: string, env: NodeJS.ProcessEnv = process.env): Promise<ToolRecord> {
	const lock = lockOf(root);
	const previous = readRecord(home());
	if (isCurrent(previous, lock)) return previous;
	await openHome();
	const workshop = openWorkshop(root, env);
	const results = await Promise.allSettled(
		catalogue.map(async (tool) => recordOf(tool, await select(tool, workshop, fromCache(previous, tool)), workshop)),
	);
	const errors = results.filter((result) => result.status === "rejected").map(({ reason }) => reason as unknown);
	const other = errors.find((error) => !(error instanceof NoSource));
	if (other !== undefined) throw other;
	if (errors.length > 0) throw failure(errors as NoSource[]);
	const entries = results.flatMap((result) => (result.status === "fulfilled" ? result.value : []));
	const record: ToolRecord = { lock, tools: Object.fromEntries(entries) };
	writeRecord(home(), record);
	return record;
}

async function openHome(): Promise<void> {
	try {
		await mkdir(home(), { recursive: true, mode: 0o700 });
	} catch (cause) {
		const { code } = cause as NodeJS.ErrnoException;
		throw new HoldfastError("HF_TOOL", `the folder ${home()} cannot be written (${code})`, {
			next: "run as the owner of this checkout, or set HOLDFAST_HOME to a folder of your own",
			cause,
		});
	}
}

/** A program that came from the cache stays with it: one installed since must not take over a data folder by itself. */
function fromCache(previous: ToolRecord | undefined, tool: Tool): boolean {
	const source = previous?.tools[tool.name]?.source;
	return source !== undefined && source !== PATH && source !== PACKAGES;
}

/** The record of a program and of those beside it. */
export async function recordOf(tool: Tool, found: Found, workshop: Workshop): Promise<[string, RecordedTool][]> {
	const { version, source, needs } = found;
	const { path, tls } = await described(tool, found);
	const builds = await otherBuilds(tool, path, workshop);
	const folder = dirname(realpathSync(path));
	const beside = Object.entries(found.beside).map(([name, besideVersion]): [string, RecordedTool] => [
		name,
		{ path: join(folder, name), version: besideVersion, source: `beside ${tool.name}`, builds: [] },
	]);
	return [[tool.name, { path, version, tls, source, builds, needs }], ...beside];
}

async function otherBuilds(tool: Tool, chosen: string, workshop: Workshop): Promise<Build[]> {
	const { found } = await onMachine(tool, tool.range, workshop.env.PATH ?? "", [workshop.cache]);
	const others = [...found, ...allCached(workshop.cache, tool)].filter(({ path }) => path !== chosen);
	return Promise.all(others.map((build) => described(tool, build)));
}

/** A build as the record has it. One that does not run keeps its TLS to itself. */
async function described({ family }: Tool, { path, version }: Build): Promise<Build> {
	return { path, version, tls: await family?.tls(path).catch(() => undefined) };
}
