import { sha256 } from "../sha256.ts";
import { VERSION } from "../version.ts";
import type { Reached } from "./checkpoint.ts";
import type { MigrationRecord } from "./ledger.ts";
import { proofOf } from "./proof.ts";
import { type GroupReport, type Report, type SignedReport, signReport, totals } from "./report.ts";
import type { Difference, Transfer } from "./transfer.ts";
import { MOST_DIFFERENCES, shortened } from "./verifyRuns.ts";
import type { Counts, Partition, VerifyCount } from "./work.ts";

type Grouping = Pick<Transfer, "ends" | "groupOf">;
interface Facts {
	record: MigrationRecord;
	/** Of the map as it is now: it may have grown since the migration began. */
	mapHash: string;
	readTime?: string;
	began: Date;
}
interface Part {
	partition: Partition;
	counts: Counts<VerifyCount>;
	carry?: string;
}

/** The report of a comparison of everything. */
export function fullReport(
	transfer: Grouping,
	facts: Facts & {
		run: number;
		parts: { partition: Partition; reached: Reached }[];
		extras: Part[];
		differences: Difference[];
	},
): SignedReport {
	const parts = facts.parts.map(({ partition, reached: { counts, carry } }) => ({
		partition,
		counts: counts as Counts<VerifyCount>,
		...(carry !== undefined && { carry }),
	}));
	const groups = groupsOf(transfer, parts, facts.extras).map((group) => ({
		...group,
		digests: digestsOf(parts.filter(({ partition }) => group.target === groupOf(transfer, partition).target)),
	}));
	return signed(transfer, facts, groups, facts.differences, { run: facts.run });
}

/** The report of a quick look; it is number 0 and stays out of the ledger. */
export const sampleReport = (
	transfer: Grouping,
	facts: Facts,
	{ size, looked }: { size: number; looked: Part[] },
	differences: Difference[],
): SignedReport => {
	const groups = groupsOf(transfer, looked, looked.map(extraOnly));
	return signed(transfer, facts, groups, differences.slice(0, MOST_DIFFERENCES).map(shortened), {
		run: 0,
		sample: size,
	});
};

const extraOnly = ({ partition, counts: { extra = 0 } }: Part): Part => ({ partition, counts: { extra } });

const groupOf = ({ ends, groupOf: known }: Grouping, partition: Partition) => known?.(partition) ?? ends;

function signed(
	{ ends }: Grouping,
	{ record, mapHash, readTime, began }: Facts,
	groups: GroupReport[],
	differences: Difference[],
	{ run, sample }: { run: number; sample?: number },
): SignedReport {
	const sums = totals(groups);
	const wrong = sums.different + sums.missing + sums.extra;
	const completed = new Date();
	const times = { ...(record.readTime && { loadedAt: record.readTime }), ...(readTime && { readTime }) };
	const size = sample === undefined ? {} : { sample };
	const report: Report = {
		format: "holdfast-verification-1",
		...{ migration: record._id, run, ends, mapHash, rulesHash: record.rulesHash, ...times, ...size },
		...{ tool: VERSION, began: began.toISOString(), completed: completed.toISOString() },
		seconds: (completed.getTime() - began.getTime()) / 1000,
		...{ groups, differences, omitted: Math.max(0, wrong - differences.length) },
		verdict: wrong === 0 ? "equal" : "different",
		proves: proofOf({ ...times, ...size, equal: wrong === 0, excused: sums.excused }),
	};
	return signReport(report);
}

/** Sums by target, sorted by its name. */
function groupsOf(transfer: Grouping, parts: readonly Part[], extras: readonly Part[]): GroupReport[] {
	const groups = new Map<string, GroupReport>();
	const at = (partition: Partition): GroupReport => {
		const { source, target } = groupOf(transfer, partition);
		const none = { source: 0, equal: 0, different: 0, missing: 0, extra: 0, excused: 0 };
		const group = groups.get(target) ?? { target, sources: [], ...none };
		if (source !== "" && !group.sources.includes(source)) group.sources.push(source);
		groups.set(target, group);
		return group;
	};
	for (const { partition, counts } of parts) {
		const group = at(partition);
		group.source += counts.read ?? 0;
		for (const name of ["equal", "different", "missing", "excused"] as const) group[name] += counts[name] ?? 0;
	}
	for (const { partition, counts } of extras) at(partition).extra += counts.extra ?? 0;
	return [...groups.values()].sort((a, b) => (a.target < b.target ? -1 : 1));
}

/** Over the rolling digests of the partitions, in their order. */
function digestsOf(parts: readonly Part[]): { source: string; target: string } {
	const sorted = parts.toSorted((a, b) => a.partition.index - b.partition.index);
	const side = (which: 0 | 1) => sha256(sorted.map(({ carry = "" }) => carry.split(":")[which] ?? "").join("\n"));
	return { source: side(0), target: side(1) };
}
