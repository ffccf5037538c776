import { setTimeout as sleep } from "node:timers/promises";
import { FaultCluster, type Leader, type Strike } from "../support/postgresFaults.ts";
import type { PostgresWriters } from "../support/postgresWriters.ts";
import { spread } from "./stats.ts";

const ROUNDS = Number(process.env.HOLDFAST_ROUNDS ?? 5);
type Harm = (writers: PostgresWriters, before: Leader) => Promise<void>;

/** Four writers; the longest time without an acknowledged row, profile `fast` (ttl 20, loopWait 5, retryTimeout 6). */
export async function postgresFailover(): Promise<void> {
	console.log("\n## PostgreSQL: four writers, and the leader fails (profile fast, durability as said)\n");
	console.log(
		"| fault | durability | longest write gap, median (range) | aim | back to full redundancy | errors | acknowledged | lost | superseded |",
	);
	console.log("| --- | --- | --- | --- | --- | --- | --- | --- | --- |");
	for (const durability of ["quorum", "strict", "async"]) {
		const cluster = await FaultCluster.create("bench", { durability });
		try {
			const crash: Harm = async (writers, before) => {
				await cluster.fell(before.slot, ["patroni", "postgres"]);
				await cluster.successor(before);
				await writers.progress(50);
				await cluster.revive(before.slot);
			};
			await series(cluster, durability, "node crash", "25 s", crash);
			if (durability === "quorum") await planned(cluster);
		} finally {
			await cluster.stack.destroy();
		}
	}
}

async function planned(cluster: FaultCluster): Promise<void> {
	await series(cluster, "quorum", "switchover", "median 5 s, worst 8 s", async (writers) => {
		await cluster.stack.must("switchover", "pg0");
		await writers.progress(50);
	});
	await series(cluster, "quorum", "postmaster killed", "10 s", async (writers, { slot }) => {
		await cluster.kill(slot, ["postgres"]);
		await sleep(1000);
		await writers.progress(50);
	});
	await series(cluster, "quorum", "Patroni killed", "1 s", async (writers, { slot }) => {
		await cluster.kill(slot, ["patroni"]);
		await sleep(3000);
		await writers.progress(50);
	});
}

async function series(cluster: FaultCluster, durability: string, fault: string, aim: string, harm: Harm) {
	const strikes: Strike[] = [];
	for (let round = 1; round <= ROUNDS; round++) strikes.push(await cluster.strike(`${fault} ${round}`, harm));
	const sum = (key: "errors" | "acknowledged" | "lost" | "superseded") => strikes.reduce((n, one) => n + one[key], 0);
	const gaps = spread(strikes.map(({ longestGapMs }) => longestGapMs));
	const back = spread(strikes.map(({ redundantMs }) => redundantMs));
	console.log(
		`| ${fault} | ${durability} | ${gaps} | ${aim} | ${back} | ${sum("errors")} | ${sum("acknowledged")} | ${sum("lost")} | ${sum("superseded")} |`,
	);
}
