import { ManagerProcess } from "../support/managerProcess.ts";
import { pipe, prepared } from "../support/redisLoad.ts";
import { type RedisServer, removeRedises, startRedis, startRedises } from "../support/redisServers.ts";
import { until } from "../support/until.ts";
import { median, spread, timed } from "./stats.ts";

const ROUNDS = Number(process.env.HOLDFAST_ROUNDS ?? 5);
const KEYS = Number(process.env.HOLDFAST_KEYS ?? 1_000_000);

/** An empty node is filled by the manager, against redis-cli --pipe loading the same data into one; in turn. */
export async function redisSync(): Promise<void> {
	const servers = await startRedises(3);
	const manager = await ManagerProcess.start(servers.map(({ name }) => name));
	await manager.whole(3);
	const records = prepared({ count: KEYS });
	for (const server of servers) await pipe(server, records);
	await manager.client.sync();
	const target = await startRedis();
	const [piped, filled, ready]: [number[], number[], number[]] = [[], [], []];
	for (let round = 1; round <= ROUNDS; round++) {
		await emptied(target);
		piped.push(await timed(() => pipe(target, records)));
		await emptied(servers[2]!);
		const begin = performance.now();
		await until("the node to be full", 600_000, async () => (await size(servers[2]!)) >= KEYS);
		filled.push(performance.now() - begin);
		await until("the node to be read", 600_000, async () => {
			const report = (await manager.client.nodes()).find(({ node }) => node === servers[2]!.name)!;
			return report.reads && report.state === "ready";
		});
		ready.push(performance.now() - begin);
		console.error(`round ${round} of ${ROUNDS} done`);
	}
	console.log(`\n## Redis: an empty node gets ${KEYS} keys of 100 bytes\n`);
	console.log("| what | median (range) | keys/s | against --pipe |\n| --- | --- | --- | --- |");
	const row = (what: string, ms: number[], more: string) =>
		console.log(`| ${what} | ${spread(ms)} | ${((KEYS / median(ms)) * 1000).toFixed(0)} | ${more} |`);
	const ratio = (ms: number[]) => (median(piped) / median(ms)).toFixed(2);
	row("redis-cli --pipe", piped, "1");
	row("manager: from the start of the empty node until all is there", filled, `${ratio(filled)} (aim 0.3)`);
	row("manager: until it was compared and is read again", ready, ratio(ready));
	await manager.remove();
	await removeRedises();
}

async function emptied(server: RedisServer): Promise<void> {
	await server.wipe();
	await server.start();
}

const size = async (server: RedisServer): Promise<number> => Number(await server.cli("DBSIZE"));
