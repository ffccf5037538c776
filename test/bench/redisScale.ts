import { removeRedises, startRedises } from "../support/redisServers.ts";
import { warmUp } from "./redisRate.ts";
import { managerRival, type Rival } from "./redisRivals.ts";
import { fire, type Hit } from "./redisShot.ts";
import { median } from "./stats.ts";

const ROUNDS = Number(process.env.HOLDFAST_ROUNDS ?? 3);
const NODES = [3, 5, 9];
const MANAGERS = [1, 2];

/** How figures grow with nodes and manager processes. Load generators take part of the machine, one for each manager. */
export async function redisScale(): Promise<void> {
	console.log("\n## Redis: more nodes, more managers\n");
	console.log("| nodes | managers | writes/s | p99 | GET/s | p99 |\n| --- | --- | --- | --- | --- | --- |");
	for (const nodes of NODES) {
		const servers = await startRedises(nodes);
		for (const count of MANAGERS) {
			const rivals: Rival[] = [];
			for (let i = 0; i < count; i++) rivals.push(await managerRival(servers));
			for (const rival of rivals) await warmUp(rival);
			const row: string[] = [];
			for (const verb of ["set", "get"] as const) {
				const hits: Hit[] = [];
				for (let round = 0; round < ROUNDS; round++) hits.push(await together(rivals.map((rival) => rival[verb])));
				row.push(median(hits.map(({ perSecond }) => perSecond)).toFixed(0), `${median(hits.map(({ p99 }) => p99))} ms`);
			}
			console.log(`| ${nodes} | ${count} | ${row.join(" | ")} |`);
			for (const rival of rivals) await rival.end();
		}
		await removeRedises();
	}
}

/** The same clients in all, whatever the number of managers. */
async function together(shots: Rival["get"][]): Promise<Hit> {
	const connections = Math.floor(shots[0]!.connections / shots.length);
	const hits = await Promise.all(shots.map((shot) => fire({ ...shot, connections })));
	const sum = (what: keyof Hit) => hits.reduce((total, hit) => total + hit[what], 0);
	return {
		perSecond: sum("perSecond"),
		failed: sum("failed"),
		p50: sum("p50") / hits.length,
		p99: Math.max(...hits.map(({ p99 }) => p99)),
	};
}
