import { clock } from "../../runtime/migrate/eta.ts";
import type { Migration } from "../../runtime/migrate/model.ts";
import { type MigrationStatus, type PartitionStatus, statusOf } from "../../runtime/migrate/status.ts";
import { count } from "../progressBar.ts";
import { table } from "../table.ts";
import type { MigrateOptions } from "./options.ts";

export async function status(declaration: Migration, { json }: MigrateOptions): Promise<number> {
	const found = await statusOf(declaration);
	console.log(json ? JSON.stringify(found, null, 2) : textOf(found));
	return 0;
}

/** The status for people. Partitions that are through, or were not begun, are only counted. */
export function textOf(found: MigrationStatus): string {
	const { migration, state, partitions, readTime, expiresAt, conflicts } = found;
	if (state === "absent") return `migration ${migration} was not begun`;
	const of = (one: PartitionStatus["state"]) => partitions.filter((partition) => partition.state === one);
	const shares = (["done", "working", "stopped", "waiting"] as const).map((one) => `${of(one).length} ${one}`);
	const open = [...of("working"), ...of("stopped")];
	const letters = Object.entries(found.deadLetters).map(([code, number]) => `${count(number)} ${code}`);
	return [
		`migration ${migration}: ${state}, ${far(found)}`,
		...(readTime === undefined ? [] : [`read at ${readTime}, served until ${expiresAt}`]),
		`partitions: ${shares.join(", ")}`,
		...(open.length > 0 ? [table([["partition", "state", "done", "owner", "last sign"], ...open.map(row)])] : []),
		...Object.entries(found.counts).map(([name, number = 0]) => `  ${count(number)} ${name}`),
		`dead letters: ${letters.join(", ") || "none"}; conflicts: ${count(conflicts)}`,
		...found.verifications.map(
			({ run, state: how, verdict, readTime: at, sha256 }) =>
				`verification ${run}${at ? ` at ${at}` : ""}: ${verdict ?? how}${sha256 ? `, report ${sha256}` : ""}`,
		),
	].join("\n");
}

const row = (one: PartitionStatus): string[] => [
	...[one.label, one.state, far(one)],
	one.owner ? `${one.owner.host} ${one.owner.pid}` : "",
	one.heartbeat ?? "",
];

function far({ done, total, rate, eta }: { done: number; total?: number; rate: number; eta?: number }): string {
	const of = total === undefined ? "" : ` of ${count(total)}`;
	return `${count(done)}${of}${rate > 0 ? `, ${count(rate)}/s` : ""}${eta === undefined ? "" : `, ${clock(eta)} left`}`;
}
