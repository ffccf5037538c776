import type { Code } from "../errors.ts";
import { type Estimate, estimate, type Fit, fitOf, processesFor } from "./estimate.ts";
import { clock } from "./eta.ts";
import type { IdFormat } from "./idmap/idMap.ts";
import type { Migration } from "./model.ts";
import { type Parts, type Session, withSession } from "./session.ts";
import type { Survey, Trial } from "./transfer.ts";

/** What a run would do. Made by looking only. */
export interface MigrationPlan {
	migration: string;
	kind: Migration["kind"];
	state: "new" | "loading" | "complete";
	ends: { source: string; target: string };
	map: { hash: string; count: number; format: IdFormat };
	/** Absent where the source cannot be pinned. */
	readTime?: string;
	expiresAt?: string;
	/** `present`: documents that the target holds already. */
	groups: (Survey["groups"][number] & { present?: number })[];
	items: number;
	bytes?: number;
	/** Of the items that were looked at, those that a load would put aside. */
	problems: Trial["problems"];
	/** How many were looked at. */
	looked: number;
	indexes: Trial["indexes"];
	estimate?: Estimate;
	fit: Fit;
	notes: string[];
	/** Why it should not be run like this. */
	refusal?: { code: Code; message: string; next: string };
}

/** Milliseconds for looking at samples. */
const BUDGET_MS = 5000;

export interface PlanOptions {
	/** Processes that share the load. @default 1 */
	count?: number;
	/** @default the declaration's */
	concurrency?: number;
	budgetMs?: number;
}

/** Surveys both ends and estimates the load. Changes nothing. HF_FROZEN when it was begun with something else. */
export const planMigration = (
	declaration: Migration,
	options: PlanOptions = {},
	parts?: Parts,
): Promise<MigrationPlan> => withSession(declaration, {}, (session) => planIn(session, declaration, options), parts);

async function planIn(
	{ transfer, map, record }: Session,
	declaration: Migration,
	{ count: processes = 1, concurrency = declaration.concurrency, budgetMs = BUDGET_MS }: PlanOptions,
): Promise<MigrationPlan> {
	const { groups, bytes, notes } = await transfer.survey();
	const trial = await transfer.trying?.(budgetMs);
	const items = groups.reduce((sum, group) => sum + group.items, 0);
	const load = trial && { items, sampled: trial.sampled, concurrency, processes };
	const found = load && estimate(load);
	const { readTime, expiresAt } = transfer;
	const fit = fitOf(found?.seconds, expiresAt, Date.now());
	const more = load && expiresAt ? processesFor(load, (Date.parse(expiresAt) - Date.now()) / 1000) : undefined;
	const refusal = refusalOf(fit, { ...(found && { estimate: found }), ...(more && { processes: more }) });
	const present = trial?.present ?? {};
	return {
		...{ migration: declaration.name, kind: declaration.kind },
		state: record?.state ?? "new",
		...{ ends: transfer.ends, map: { hash: map.hash, count: map.count, format: map.format } },
		...(readTime !== undefined && { readTime }),
		...(expiresAt !== undefined && { expiresAt }),
		groups: groups.map((group) => ({
			...group,
			...(present[group.target] !== undefined && { present: present[group.target]! }),
		})),
		...{ items, ...(bytes !== undefined && { bytes }) },
		...{ problems: trial?.problems ?? [], looked: trial?.sampled.entities ?? 0, indexes: trial?.indexes ?? [] },
		...(found && { estimate: found }),
		...{
			fit,
			notes: [...notes, ...(trial?.notes ?? []), ...presentNotes(present, record !== undefined), ...tight(fit)],
		},
		...(refusal && { refusal }),
	};
}

const presentNotes = (present: Record<string, number>, begun: boolean): string[] =>
	begun || Object.values(present).every((documents) => documents === 0)
		? []
		: [
				"targets hold documents already: those with the same id and other contents would be conflicts, never overwritten",
			];

const tight = (fit: Fit): string[] =>
	fit === "tight" ? ["the load would take more than half of the time that the source serves the read time"] : [];

function refusalOf(fit: Fit, { estimate: found, processes }: { estimate?: Estimate; processes?: number }) {
	if (fit === "expired")
		return {
			code: "HF_EXPIRED" as const,
			message: "the source does not serve the read time any more",
			next: "begin another migration, with a read time of its own",
		};
	if (fit !== "exceeds") return undefined;
	const share = processes === undefined ? "" : `, or share it among ${processes} processes or more (--index, --count)`;
	return {
		code: "HF_UNSAFE" as const,
		message: `the load would take about ${clock(found!.seconds)}, longer than the source serves the read time`,
		next: `enable point-in-time recovery on the source and set retentionHours to 168${share}`,
	};
}
