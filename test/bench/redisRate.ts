import { removeRedises, startRedises } from "../support/redisServers.ts";
import { KEYS, managerRival, naiveRival, type Rival, webdisRival } from "./redisRivals.ts";
import { fire, type Hit } from "./redisShot.ts";
import { median } from "./stats.ts";

const ROUNDS = Number(process.env.HOLDFAST_ROUNDS ?? 5);
const WARM_UP_SECONDS = 5;

type Verb = "get" | "set";
type Figures = Record<string, Record<Verb, Hit[]>>;

/** The manager against the naive design and webdis on the same three nodes, each with keys of its own, in turn. */
export async function redisRate(): Promise<void> {
	const servers = await startRedises(3);
	const rivals = [await managerRival(servers), await naiveRival(servers), await webdisRival(servers[0]!)];
	const figures: Figures = Object.fromEntries(rivals.map(({ name }) => [name, { get: [], set: [] }]));
	for (const rival of rivals) await warmUp(rival);
	for (let round = 1; round <= ROUNDS; round++) {
		for (const verb of ["set", "get"] as const)
			for (const rival of rivals) figures[rival.name]![verb].push(await fire(rival[verb]));
		console.error(`round ${round} of ${ROUNDS} done`);
	}
	show(figures);
	for (const rival of rivals) await rival.end();
	await removeRedises();
}

/** Every key there is, and all that is compiled late. */
export async function warmUp(rival: Rival): Promise<void> {
	await fire({ ...rival.set, seconds: WARM_UP_SECONDS });
	// Keys are drawn by chance: a GET of one that is not there would fail the measurement.
	const { url, method, path, headers, body, prefix } = rival.set;
	for (let from = 0; from < KEYS; from += 100) {
		const all = Array.from({ length: 100 }, (_, i) => `${prefix}${from + i}`);
		await Promise.all(
			all.map(async (key) => {
				const sent = { method, headers, body: body!.replace("{key}", key) };
				const answer = await fetch(url + path.replace("{key}", key), sent);
				await answer.arrayBuffer();
			}),
		);
	}
	await fire({ ...rival.get, seconds: WARM_UP_SECONDS });
}

const AIMS: Record<string, { get: string; set: string }> = {
	naive: { get: "at least 1.5", set: "at least 0.9" },
	webdis: { get: "at least 0.33", set: "at least 0.33" },
};

function show(figures: Figures): void {
	const of = (name: string, verb: Verb, what: "perSecond" | "p50" | "p99") =>
		figures[name]![verb].map((hit) => hit[what]);
	console.log("\n## Redis: requests per second, three nodes, 100-byte values, 50 connections\n");
	console.log("| what | requests/s, median (range) | p50 | p99 | manager against it | aim | p99 against it |");
	console.log("| --- | --- | --- | --- | --- | --- | --- |");
	for (const verb of ["get", "set"] as const) {
		for (const name of Object.keys(figures)) {
			const rates = of(name, verb, "perSecond");
			const range = `${median(rates).toFixed(0)} (${Math.min(...rates).toFixed(0)} to ${Math.max(...rates).toFixed(0)})`;
			const [p50, p99] = [median(of(name, verb, "p50")), median(of(name, verb, "p99"))];
			const ratio = median(of("manager", verb, "perSecond")) / median(rates);
			const slower = median(of("manager", verb, "p99")) / p99;
			const against =
				name === "manager" ? " | | " : `${ratio.toFixed(2)} | ${AIMS[name]![verb]} | ${slower.toFixed(2)}`;
			console.log(`| ${name}, ${verb === "get" ? "GET" : "write"} | ${range} | ${p50} ms | ${p99} ms | ${against} |`);
		}
	}
}
