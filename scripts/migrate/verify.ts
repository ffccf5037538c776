import { codes } from "../../runtime/errors.ts";
import { writeJson } from "../../runtime/files.ts";
import type { Migration } from "../../runtime/migrate/model.ts";
import { type SignedReport, totals } from "../../runtime/migrate/report.ts";
import { type VerifyOptions, verifyMigration } from "../../runtime/migrate/verify.ts";
import { fileNamed } from "../declarationFile.ts";
import { count } from "../progressBar.ts";
import { stoppable } from "../stopSignal.ts";
import { table } from "../table.ts";
import { check } from "./check.ts";
import type { MigrateOptions } from "./options.ts";
import { Watch } from "./watch.ts";

/** Differences that are printed; a report has more. */
const SHOWN = 20;

export async function verify(declaration: Migration, options: MigrateOptions): Promise<number> {
	if (options.check !== undefined) return check(options, declaration);
	const watch = await Watch.open(declaration.name, options);
	try {
		const { report, open } = await stoppable((signal) =>
			verifyMigration(declaration, { ...settings(options), ...hooks(watch), signal }),
		);
		await watch.end();
		if (!report) {
			console.log(
				options.json
					? JSON.stringify({ open })
					: `this process's share is compared; ${open} partitions are left to others`,
			);
			return 0;
		}
		if (options.report !== undefined) await writeJson(fileNamed(options.report), report);
		console.log(options.json ? JSON.stringify(report, null, 2) : textOf(report));
		return report.verdict === "equal" ? 0 : codes.HF_DIFFERENT.exit;
	} finally {
		await watch.end();
	}
}

const settings = ({ index, count, concurrency, takeOver, sample, readTime }: MigrateOptions): VerifyOptions => ({
	...{ index, count, takeOver },
	...(concurrency !== undefined && { concurrency }),
	...(sample !== undefined && { sample }),
	...(readTime !== undefined && { readTime }),
});

const hooks = (watch: Watch): VerifyOptions => ({
	onBegin: ({ phase, partitions, expiresAt }) => watch.begin(phase, partitions, expiresAt),
	onProgress: (phase, progress) => watch.progressed(phase, progress),
	onNote: (note) => watch.note(note),
});

/** The report for people. */
export function textOf(report: SignedReport): string {
	const { migration, run, readTime, groups, differences, omitted, verdict, proves, sha256 } = report;
	const columns = ["source", "equal", "different", "missing", "extra", "excused"] as const;
	const row = (name: string, of: Record<(typeof columns)[number], number>) => [
		name,
		...columns.map((one) => count(of[one])),
	];
	const rows = [
		["target", ...columns],
		...groups.map((group) => row(group.target, group)),
		row("in all", totals(groups)),
	];
	const shown = differences.slice(0, SHOWN).map(({ kind, source, target, paths }) => {
		const what = [source, target].filter((name) => name !== undefined).join(" -> ");
		return `  ${kind}: ${what}${paths ? ` (${paths.join("; ")})` : ""}`;
	});
	const more = differences.length - shown.length + omitted;
	return [
		`migration ${migration}, ${run === 0 ? "quick look" : `verification ${run}`}${readTime ? ` at ${readTime}` : ""}: ${verdict.toUpperCase()}`,
		table(rows),
		...shown,
		...(more > 0 ? [`  … and ${count(more)} more`] : []),
		proves,
		`SHA-256 of the report: ${sha256}`,
	].join("\n");
}
