import { codes, HoldfastError } from "../../runtime/errors.ts";
import { clock } from "../../runtime/migrate/eta.ts";
import type { Migration } from "../../runtime/migrate/model.ts";
import { type MigrationPlan, planMigration } from "../../runtime/migrate/survey.ts";
import { count } from "../progressBar.ts";
import { table } from "../table.ts";
import type { MigrateOptions } from "./options.ts";

export async function plan(declaration: Migration, options: MigrateOptions): Promise<number> {
	const { count: processes, concurrency } = options;
	const found = await planMigration(declaration, {
		count: processes,
		...(concurrency !== undefined && { concurrency }),
	});
	console.log(options.json ? JSON.stringify(found, null, 2) : textOf(found));
	const { refusal } = found;
	if (!refusal) return 0;
	if (options.json) return codes[refusal.code].exit;
	throw new HoldfastError(refusal.code, `${declaration.name}: ${refusal.message}`, { next: refusal.next });
}

/** The plan for people. */
export function textOf(found: MigrationPlan): string {
	const { migration, state, ends, map, readTime, expiresAt, groups, items, looked, problems, indexes } = found;
	const rows = [
		["source", "target", "items", "partitions", "there already"],
		...groups.map(({ name, target, items: of, partitions, present }) => [
			...[name, target, count(of), String(partitions), present === undefined ? "?" : count(present)],
		]),
	];
	const aside = problems.map(
		({ group, code, items: of, example }) => `  ${group}: ${count(of)} ${code}, e.g. ${example}`,
	);
	const wanted = indexes.map(({ kind, keys, reason }) => `  ${kind} ${JSON.stringify(keys)}: ${reason}`);
	return [
		`migration ${migration} (${state}): ${ends.source} -> ${ends.target}`,
		`id map ${map.hash}, ${count(map.count)} ids (${map.format})`,
		readTime === undefined ? "read as it is now" : `read at ${readTime}, served until ${expiresAt ?? "?"}`,
		table(rows),
		`${count(items)} items in all; ${durationOf(found)}`,
		...(looked > 0 && aside.length === 0 ? [`of ${count(looked)} that were looked at, none would be put aside`] : []),
		...(aside.length > 0 ? [`of ${count(looked)} that were looked at, a load would put aside:`, ...aside] : []),
		...(wanted.length > 0
			? ["indexes that the source has, to be declared in the rules where they are needed:", ...wanted]
			: []),
		...found.notes.map((note) => `note: ${note}`),
	].join("\n");
}

function durationOf({ estimate }: MigrationPlan): string {
	if (!estimate) return "no estimate of the duration";
	const { seconds, rate, bound, assumption } = estimate;
	return `about ${clock(seconds)} at ${count(rate)}/s, bound by the ${bound}: ${assumption}`;
}
