import { setTimeout as sleep } from "node:timers/promises";
import { primaryOf } from "../support/mongo.ts";
import { TestStack } from "../support/stack.ts";
import { lostWrites, Writers } from "../support/writers.ts";
import { spread } from "./stats.ts";

const ROUNDS = Number(process.env.HOLDFAST_ROUNDS ?? 5);
const users = { app: { database: "users", roles: [{ role: "readWrite", db: "workflows" }] } };

type Fault = "SIGKILL" | "clean stop";

/** Four writers with `w: majority, j: true`; the longest time without an acknowledged write when the primary goes. */
export async function failover(): Promise<void> {
	const stack = await TestStack.create("bench", { users });
	process.env.HOLDFAST_HOME = stack.home;
	console.log("\n## Four writers, and the primary goes away\n");
	console.log(
		"| fault | electionTimeoutMillis | longest gap, median (range) | errors that reached the application | acknowledged | lost |",
	);
	console.log("| --- | --- | --- | --- | --- | --- |");
	try {
		for (const electionTimeoutMillis of [10_000, 2_000]) {
			stack.configure({ electionTimeoutMillis });
			await stack.must("up");
			await series(stack, electionTimeoutMillis, "SIGKILL");
		}
		stack.configure({ electionTimeoutMillis: 10_000 });
		await stack.must("up");
		await series(stack, 10_000, "clean stop");
	} finally {
		await stack.destroy();
	}
}

async function series(stack: TestStack, timeout: number, fault: Fault): Promise<void> {
	const gaps: number[] = [];
	let [errors, acknowledged, lost] = [0, 0, 0];
	for (let round = 1; round <= ROUNDS; round++) {
		const figures = await oneFault(stack, fault, `acks${timeout}${round}${fault.length}`);
		gaps.push(figures.gap);
		errors += figures.errors;
		acknowledged += figures.acknowledged;
		lost += figures.lost;
	}
	console.log(
		`| ${fault} | ${timeout} | ${spread(gaps)} | ${errors} in ${ROUNDS} faults | ${acknowledged} | ${lost} |`,
	);
}

async function oneFault(stack: TestStack, fault: Fault, collection: string) {
	await stack.whole();
	const record = stack.record();
	const slot = record.hosts.indexOf(await primaryOf(record));
	const pid = stack.pid(slot);
	const writers = new Writers(await stack.uri("app"), { collection });
	await writers.progress(500);
	writers.mark();
	process.kill(pid, fault === "SIGKILL" ? "SIGKILL" : "SIGTERM");
	await sleep(2000);
	await writers.progress(500);
	const report = await writers.stop();
	await stack.whole();
	const lost = await lostWrites(record, record.hosts, report.acknowledged, { collection });
	return {
		gap: report.longestGapMs,
		errors: report.errors.length,
		acknowledged: report.acknowledged.length,
		lost: Object.values(lost).flat().length,
	};
}
