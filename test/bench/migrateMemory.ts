import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { root } from "../support/node.ts";
import { startReplicaSet } from "../support/replicaSet.ts";

const SIZES = (process.env.HOLDFAST_SIZES ?? "100000,300000,1000000").split(",").map(Number);

interface Memory {
	/** MiB. */
	peak: number;
	/** Median of the last half of the run. */
	settled: number;
	seconds: number;
}

/** Resident memory of a process that moves so many entities: it must not grow with them. */
export async function memoryBench(): Promise<void> {
	const set = await startReplicaSet(1);
	const env = { ...process.env, HOLDFAST_BENCH_TARGET: set.uri };
	const file = join(root, "test/bench/migrateMemoryRun.ts");
	console.log("\n## Migration: resident memory of the process\n");
	console.log("| entities | peak | median of the second half | s |\n| --- | --- | --- | --- |");
	for (const size of SIZES) {
		const { stdout } = await promisify(execFile)(process.execPath, [file, String(size)], { cwd: root, env });
		const { peak, settled, seconds }: Memory = JSON.parse(stdout);
		console.log(`| ${size} | ${peak.toFixed(0)} MiB | ${settled.toFixed(0)} MiB | ${seconds.toFixed(0)} |`);
	}
	await set.stop();
}
