import { spawn } from "node:child_process";
import { once } from "node:events";
import { createWriteStream, mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openIdMap } from "../../runtime/migrate/idmap/open.ts";
import { encodeKey } from "../../runtime/migrate/oldKey.ts";
import { long } from "../support/long.ts";
import { root } from "../support/node.ts";
import { peakOfThis } from "../support/peak.ts";
import { median } from "./stats.ts";

const SIZES = long ? [100_000, 1_000_000, 10_000_000] : [100_000, 1_000_000];
const ROUNDS = Number(process.env.HOLDFAST_ROUNDS ?? 5);
/** Lookups a round, of each size the same. */
const LOOKUPS = 500_000;

/** Names in no order, each once: a number stirred by a multiplication that can be undone. */
const nameOf = (index: number): string => `dataset-${String(Math.imul(index, 2_654_435_761) >>> 0).padStart(10, "0")}`;
const keyOf = (index: number): Buffer => encodeKey({ namespace: "", path: [{ kind: "Dataset", name: nameOf(index) }] });

/** How long an id map takes to build, what it takes of memory, and how many lookups a second it answers, by its size. */
export async function idmapBench(): Promise<void> {
	console.log("\n## Id map: names in no order, hex ids by HMAC, built in a heap of 48 MiB\n");
	console.log("| ids | build | ids/s | peak RSS | again (unchanged) | bytes an id |");
	console.log("| --- | --- | --- | --- | --- | --- |");
	const folder = mkdtempSync(join(tmpdir(), "holdfast-bench-"));
	const lines: string[] = [];
	try {
		for (const size of SIZES) {
			console.log(await buildRow(folder, size));
			lines.push(await lookupRow(join(folder, `map-${size}`), size));
		}
	} finally {
		rmSync(folder, { recursive: true });
	}
	console.log(`\n| ids | in key order | at random | JS Map, in key order | JS Map, at random | open |`);
	console.log(`| --- | --- | --- | --- | --- | --- |\n${lines.join("\n")}`);
}

async function buildRow(folder: string, size: number): Promise<string> {
	const path = join(folder, `ids-${size}`);
	const out = createWriteStream(path);
	for (let i = 0; i < size; i++) if (!out.write(`${nameOf(i)}\n`)) await once(out, "drain");
	out.end();
	await once(out, "close");
	const location = join(folder, `map-${size}`);
	const first = await buildInChild(location, path);
	const again = await buildInChild(location, path);
	rmSync(path);
	const perId = statSync(join(location, "segment-0000.ids")).size / size;
	const seconds = (ms: number) => `${(ms / 1000).toFixed(1)} s`;
	return `| ${size} | ${seconds(first.ms)} | ${((size / first.ms) * 1000).toFixed(0)} | ${first.rss} MiB | ${seconds(again.ms)} | ${perId.toFixed(1)} |`;
}

/** In a process of its own, whose memory is that of the build. */
async function buildInChild(location: string, path: string): Promise<{ ms: number; rss: number }> {
	const inputs = {
		name: "bench",
		location,
		ids: { kind: "deterministic", secret: "a secret of some length" },
		format: "hex",
		sources: [{ kind: "file", path, of: "Dataset" }],
		generation: 1,
	};
	const script = `import { buildIdMap } from ${JSON.stringify(join(root, "runtime/migrate/idmap/build.ts"))};
		const begun = performance.now();
		await buildIdMap(${JSON.stringify(inputs)});
		const ms = performance.now() - begun;
		${peakOfThis}
		console.log(JSON.stringify({ ms, rss: Math.round(peak / 1024) }));`;
	// A heap as small as the build needs: by itself V8 takes more before it collects.
	const heap = ["--max-old-space-size=48", "--max-semi-space-size=2"];
	const child = spawn(process.execPath, [...heap, "--input-type=module", "-e", script], {
		stdio: ["ignore", "pipe", "inherit"],
	});
	const [said] = await once(child.stdout, "data");
	return JSON.parse(String(said));
}

async function lookupRow(location: string, size: number): Promise<string> {
	const begun = performance.now();
	const map = await openIdMap(location);
	const open = performance.now() - begun;
	const count = Math.min(size, LOOKUPS);
	const step = Math.floor(size / count);
	const sorted = Array.from({ length: count }, (_, index) => keyOf(index * step)).sort(Buffer.compare);
	const inOrder = sorted.map((key) => Buffer.from(key));
	const atRandom = shuffled(sorted).map((key) => Buffer.from(key));
	// Warm: every block that is asked for is in memory, and so is the code.
	const ids = new Map(inOrder.map((key) => [key.toString("latin1"), map.lookup(key)!]));
	const perSecond = (keys: Buffer[], find: (key: Buffer) => string | undefined): string => {
		const figures = Array.from({ length: ROUNDS }, () => rate(keys, find));
		return `${(median(figures) / 1e6).toFixed(2)} M/s`;
	};
	const ours = (key: Buffer) => map.lookup(key);
	const theirs = (key: Buffer) => ids.get(key.toString("latin1"));
	const cells = [inOrder, atRandom].map((keys) => perSecond(keys, ours));
	// A Map of all keys and ids does not fit beside the others: it has those that are asked for.
	cells.push(...[inOrder, atRandom].map((keys) => perSecond(keys, theirs)));
	await map.close();
	return `| ${size} | ${cells.join(" | ")} | ${open.toFixed(0)} ms |`;
}

function rate(keys: Buffer[], find: (key: Buffer) => string | undefined): number {
	let found = 0;
	const begun = performance.now();
	for (const key of keys) if (find(key) !== undefined) found++;
	const ms = performance.now() - begun;
	if (found !== keys.length) throw new Error(`${keys.length - found} keys were not found`);
	return (keys.length / ms) * 1000;
}

/** Fisher and Yates, with a generator that gives the same order each time. */
function shuffled(keys: readonly Buffer[]): Buffer[] {
	const result = [...keys];
	for (let i = result.length - 1, state = 1; i > 0; i--) {
		state = (state * 48_271) % 2_147_483_647;
		const other = state % (i + 1);
		[result[i], result[other]] = [result[other]!, result[i]!];
	}
	return result;
}
