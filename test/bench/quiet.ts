import { setTimeout as sleep } from "node:timers/promises";
import { termOf } from "../support/mongo.ts";
import { TestStack } from "../support/stack.ts";
import { Writers } from "../support/writers.ts";

const MINUTES = Number(process.env.HOLDFAST_QUIET_MINUTES ?? 10);
const users = { app: { database: "users", roles: [{ role: "readWrite", db: "workflows" }] } };

/** Load without faults at the quick election time-out: nobody may be elected meanwhile. */
export async function quiet(): Promise<void> {
	const stack = await TestStack.create("bench", { users, electionTimeoutMillis: 2000 });
	process.env.HOLDFAST_HOME = stack.home;
	await stack.must("up");
	const before = await termOf(stack.record());
	const writers = new Writers(await stack.uri("app"));
	await writers.progress(100);
	writers.mark();
	await sleep(MINUTES * 60_000);
	const report = await writers.stop();
	const elections = (await termOf(stack.record())) - before;
	const gap = (report.longestGapMs / 1000).toFixed(2);
	console.log(`\n## ${MINUTES} quiet minutes of load at electionTimeoutMillis 2000\n`);
	console.log("| elections | acknowledged | errors | longest gap | median write |\n| --- | --- | --- | --- | --- |");
	console.log(
		`| ${elections} | ${report.acknowledged.length} | ${report.errors.length} | ${gap} s | ${report.medianMs.toFixed(1)} ms |`,
	);
	await stack.destroy();
}
