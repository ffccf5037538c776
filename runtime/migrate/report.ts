import { HoldfastError } from "../errors.ts";
import { sha256 } from "../sha256.ts";
import { sortedJson } from "./digest.ts";
import type { Difference } from "./transfer.ts";

/** Of one collection (or bucket) of the target, and what goes there. */
export interface GroupReport {
	target: string;
	/** Kinds, with `namespace!` before those of another namespace; or the bucket. */
	sources: string[];
	/** Items of the source that were compared. */
	source: number;
	equal: number;
	different: number;
	missing: number;
	extra: number;
	/** Put aside by the load as dead letters, and not in the target. */
	excused: number;
	/** SHA-256 (hex) over the partitions' rolling digests; the two are the same when all is equal. */
	digests?: { source: string; target: string };
}

/** What a verification found. Values never stand in it, keys do. */
export interface Report {
	/** For programs that read it. */
	format: "holdfast-verification-1";
	migration: string;
	/** Number of the verification of this migration, from 1. */
	run: number;
	ends: { source: string; target: string };
	/** Of the map that it was compared by: the one the migration was begun with, or what that has grown to. */
	mapHash: string;
	rulesHash: string;
	/** What the load read at; absent where the source could not be pinned. */
	loadedAt?: string;
	/** What this verification read at. */
	readTime?: string;
	tool: string;
	began: string;
	completed: string;
	seconds: number;
	/** Absent for a full comparison: so many items of each group were looked at. */
	sample?: number;
	groups: GroupReport[];
	/** At most 1,000. */
	differences: Difference[];
	/** How many more there are. */
	omitted: number;
	verdict: "equal" | "different";
	/** In words: what it proves, and what it does not. */
	proves: string;
}

/** A report with the SHA-256 (hex) over the JSON of all the rest, without spaces and with sorted fields. */
export type SignedReport = Report & { sha256: string };

export const signReport = (report: Report): SignedReport => ({ ...report, sha256: sha256(sortedJson(report)) });

/** The report in `text`, as `--report` wrote it. HF_DAMAGED when it was altered; `name` is for people. */
export function checkReport(text: string, name: string): SignedReport {
	const report = parse(text, name);
	const { sha256: told, ...rest } = report;
	if (told === sha256(sortedJson(rest))) return report;
	throw new HoldfastError("HF_DAMAGED", `the report ${name} was altered: its SHA-256 is not the one it names`, {
		next: "restore it from a copy, or verify again",
	});
}

function parse(text: string, name: string): SignedReport {
	try {
		const found = JSON.parse(text);
		if (found?.format === "holdfast-verification-1" && typeof found.sha256 === "string") return found;
	} catch {
		// Said below.
	}
	throw new HoldfastError("HF_DAMAGED", `${name} is cut off, or no report of a verification`);
}

/** Sums over all groups. */
export function totals(groups: readonly GroupReport[]): Omit<GroupReport, "target" | "sources" | "digests"> {
	const sum = (of: (group: GroupReport) => number) => groups.reduce((all, group) => all + of(group), 0);
	return {
		source: sum((group) => group.source),
		equal: sum((group) => group.equal),
		different: sum((group) => group.different),
		missing: sum((group) => group.missing),
		extra: sum((group) => group.extra),
		excused: sum((group) => group.excused),
	};
}
