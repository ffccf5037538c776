import type { Survey } from "../transfer.ts";
import type { ObjectEnds } from "./ends.ts";
import type { Named } from "./naming.ts";

const PART = 2000;

/** What a copy would do, by looking at every name of the source. */
export async function surveyObjects({ source, declaration, naming }: ObjectEnds): Promise<Survey> {
	const items = new Map<number, number>();
	const problems = new Map<string, number>();
	let bytes = 0;
	let pageToken: string | undefined;
	do {
		const page = await source.list({ prefix: declaration.source.prefix, pageToken });
		for (const { name, size } of page.objects) {
			const named = naming.of(name);
			items.set(named.rule, (items.get(named.rule) ?? 0) + 1);
			if ("to" in named) bytes += size;
			const what = put(named);
			if (what !== undefined) problems.set(what, (problems.get(what) ?? 0) + 1);
		}
		pageToken = page.nextPageToken;
	} while (pageToken !== undefined);
	const { rules } = declaration;
	const groups = [...items]
		.sort(([a], [b]) => a - b)
		.map(([rule, count]) => ({
			name: rules[rule]?.match ?? "(no rule)",
			target: rules[rule]?.skip ? "(left out)" : (rules[rule]?.to ?? rules[rule]?.match ?? "(their own names)"),
			items: count,
			partitions: Math.ceil(count / PART),
		}));
	const notes = [...problems].map(([what, count]) => `${count} objects ${what}`);
	return { groups, bytes, notes };
}

function put(named: Named): string | undefined {
	if ("skip" in named) return "are left out";
	return "problem" in named ? `would be put aside (${named.problem.code})` : undefined;
}
