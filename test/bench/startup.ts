import { TestStack } from "../support/stack.ts";
import { emptyProgram } from "./empty.ts";
import { minimal } from "./minimal.ts";
import { pulumiUp } from "./pulumi.ts";
import { runtimeAlone } from "./runtime.ts";
import { median, spread, timed } from "./stats.ts";

const ROUNDS = Number(process.env.HOLDFAST_ROUNDS ?? 5);
/** As many as the embedded default declares. */
const users = Object.fromEntries(
	["query-backend", "auth-backend", "workflows-sink"].map((name) => [
		name,
		{ roles: [{ role: "read", db: "workflows" }] },
	]),
);

interface Figures {
	minimal: number[];
	runtime: number[];
	up: number[];
	again: number[];
	empty: number[];
	emptyAgain: number[];
}

/** From process start to three healthy voters, and an `up` that has nothing to do; each kind once a round, in turn. */
export async function startup(): Promise<void> {
	const figures: Figures = { minimal: [], runtime: [], up: [], again: [], empty: [], emptyAgain: [] };
	for (let round = 1; round <= ROUNDS; round++) {
		await oneRound(figures);
		console.error(`round ${round} of ${ROUNDS} done`);
	}
	const m = Object.fromEntries(Object.entries(figures).map(([name, ms]) => [name, median(ms)])) as Record<
		keyof Figures,
		number
	>;
	console.log("\n## From process start to three healthy voters\n");
	console.log("| what | median (range) | against | ratio or rest |\n| --- | --- | --- | --- |");
	console.log(`| minimal script (baseline) | ${spread(figures.minimal)} | | 1 |`);
	console.log(
		`| the runtime alone | ${spread(figures.runtime)} | baseline | ${(m.runtime / m.minimal).toFixed(2)} (aim 1.2) |`,
	);
	console.log(`| an empty program's first up | ${spread(figures.empty)} | | |`);
	const rest = (m.up - m.minimal - m.empty) / 1000;
	console.log(`| the whole up | ${spread(figures.up)} | baseline + empty up | + ${rest.toFixed(2)} s (aim + 3 s) |`);
	console.log(`| an empty program's second up | ${spread(figures.emptyAgain)} | | 1 |`);
	const beyond = (m.again - 1.5 * m.emptyAgain) / 1000;
	console.log(
		`| up with no changes | ${spread(figures.again)} | 1.5 x empty | ${beyond.toFixed(2)} s beyond (aim + 1 s) |`,
	);
}

async function oneRound(figures: Figures): Promise<void> {
	const stack = await TestStack.create("bench", { users });
	process.env.HOLDFAST_HOME = stack.home;
	let clean = async () => {};
	figures.minimal.push(
		await timed(async () => {
			clean = await minimal(stack.basePort);
		}),
	);
	await clean();
	const alone = await runtimeAlone(stack.basePort);
	figures.runtime.push(alone.ms);
	await alone.clean();
	const empty = emptyProgram(stack.home);
	await empty.init();
	// Compiled code is kept between runs: both programs have run once before they are timed.
	await empty.preview();
	figures.empty.push(await timed(empty.up));
	figures.emptyAgain.push(await timed(empty.up));
	// Plain Pulumi for both: what the command line adds around it (status, connection strings) is left out.
	await stack.must("preview");
	figures.up.push(await timed(() => pulumiUp(stack)));
	figures.again.push(await timed(() => pulumiUp(stack)));
	await stack.destroy();
	empty.clean();
}
