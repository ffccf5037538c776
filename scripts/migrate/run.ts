import { codes } from "../../runtime/errors.ts";
import type { Migration } from "../../runtime/migrate/model.ts";
import { retryDeadLetters } from "../../runtime/migrate/retryLetters.ts";
import { type RunOptions, type RunOutcome, runMigration } from "../../runtime/migrate/run.ts";
import { count } from "../progressBar.ts";
import { stoppable } from "../stopSignal.ts";
import type { MigrateOptions } from "./options.ts";
import { Watch } from "./watch.ts";

export const run = (declaration: Migration, options: MigrateOptions): Promise<number> =>
	load(declaration, options, false);

/** As `run`, of a migration that was begun: refuses to begin one. */
export const resume = (declaration: Migration, options: MigrateOptions): Promise<number> =>
	load(declaration, options, true);

async function load(declaration: Migration, options: MigrateOptions, resumeOnly: boolean): Promise<number> {
	const watch = await Watch.open(declaration.name, options);
	try {
		const outcome = await stoppable((signal) =>
			runMigration(declaration, { ...settings(options), ...hooks(watch, options), resumeOnly, signal }),
		);
		await watch.end();
		console.log(options.json ? JSON.stringify(outcome, null, 2) : textOf(declaration.name, outcome, options));
		return 0;
	} finally {
		await watch.end();
	}
}

/** What the command line says of a run. */
const settings = ({
	index,
	count,
	concurrency,
	maxErrors,
	overwrite,
	takeOver,
	acceptDeadLetters,
}: MigrateOptions) => ({
	...{ index, count, overwrite, takeOver, acceptDeadLetters },
	...(concurrency !== undefined && { concurrency }),
	...(maxErrors !== undefined && { maxErrors }),
});

function hooks(watch: Watch, { index, count }: MigrateOptions): Pick<RunOptions, "onBegin" | "onNote" | "onProgress"> {
	return {
		onBegin: ({ record: { partitions }, expiresAt }) => {
			watch.begin(
				"load",
				partitions.filter((partition) => partition.index % count === index),
				expiresAt,
			);
			if (expiresAt !== undefined) watch.note(`the source serves the read time until ${expiresAt}`);
		},
		onNote: (note) => watch.note(note),
		onProgress: (progress) => watch.progressed("load", progress),
	};
}

/** E.g. `migration dyff is complete: 1,200 read, 1,198 written, 2 equal`. */
function textOf(
	name: string,
	{ state, already, counts, open, partitions }: RunOutcome,
	{ index, count: of }: MigrateOptions,
) {
	const done = Object.entries(counts).map(([what, number = 0]) => `${count(number)} ${what}`);
	if (state === "complete")
		return `migration ${name} ${already ? "was complete already" : "is complete"}: ${done.join(", ")}`;
	return `process ${index} of ${of} did its share of migration ${name}; ${open} of ${partitions} partitions are left to others`;
}

/** Tries again what was put aside; exit code 13 while something is left. */
export async function retry(declaration: Migration, { json, overwrite, takeOver }: MigrateOptions): Promise<number> {
	const outcome = await stoppable((signal) => retryDeadLetters(declaration, { overwrite, takeOver, signal }));
	const { tried, passed, left } = outcome;
	const said = `${count(passed)} of ${count(tried)} passed; ${count(left.dead)} dead letters and ${count(left.conflicts)} conflicts are left`;
	console.log(json ? JSON.stringify(outcome, null, 2) : said);
	return left.dead + left.conflicts === 0 ? 0 : codes.HF_INCOMPLETE.exit;
}
