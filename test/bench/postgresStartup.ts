import { TestStack } from "../support/stack.ts";
import { emptyProgram } from "./empty.ts";
import { postgresMinimal } from "./postgresMinimal.ts";
import { pulumiUp } from "./pulumi.ts";
import { median, spread, timed } from "./stats.ts";

const ROUNDS = Number(process.env.HOLDFAST_ROUNDS ?? 5);

/** From nothing to three members as durable as declared (profile `fast`); each kind once a round, in turn. */
export async function postgresStartup(): Promise<void> {
	const figures = { streaming: [], ready: [], empty: [], up: [], again: [], emptyAgain: [] } as Record<
		string,
		number[]
	>;
	for (let round = 1; round <= ROUNDS; round++) {
		await oneRound(figures);
		console.error(`round ${round} of ${ROUNDS} done`);
	}
	const of = (name: string) => figures[name]!;
	const up = of("up").map((ms, i) => ms - of("empty")[i]!);
	console.log("\n## PostgreSQL: from nothing to three members, as durable as declared\n");
	console.log("| what | median (range) | against | ratio |\n| --- | --- | --- | --- |");
	console.log(`| minimal script until both standbys stream | ${spread(of("streaming"))} | | |`);
	console.log(`| minimal script until one is synchronous (baseline) | ${spread(of("ready"))} | | 1 |`);
	console.log(`| an empty program's first up | ${spread(of("empty"))} | | |`);
	console.log(`| the whole up | ${spread(of("up"))} | | |`);
	const ratio = median(up) / median(of("ready"));
	console.log(`| the whole up without the empty one | ${spread(up)} | baseline | ${ratio.toFixed(2)} (aim 1.5) |`);
	console.log(`| an empty program's second up | ${spread(of("emptyAgain"))} | | 1 |`);
	const repeat = median(of("again")) / median(of("emptyAgain"));
	console.log(`| up with no changes | ${spread(of("again"))} | empty | ${repeat.toFixed(2)} |`);
}

async function oneRound(figures: Record<string, number[]>): Promise<void> {
	const stack = await TestStack.createPostgres("bench");
	process.env.HOLDFAST_HOME = stack.home;
	const base = stack.basePort;
	const ports = { postgres: base, patroni: base + 5, etcdClient: base + 10, etcdPeer: base + 11 };
	const { streamingMs, readyMs, clean } = await postgresMinimal(ports);
	await clean();
	figures.streaming!.push(streamingMs);
	figures.ready!.push(readyMs);
	const empty = emptyProgram(stack.home);
	await empty.init();
	// Compiled code is kept between runs: both programs have run once before they are timed.
	await empty.preview();
	figures.empty!.push(await timed(empty.up));
	figures.emptyAgain!.push(await timed(empty.up));
	await stack.must("preview");
	figures.up!.push(await timed(() => pulumiUp(stack)));
	figures.again!.push(await timed(() => pulumiUp(stack)));
	await stack.destroy();
	empty.clean();
}
