import type { Bucket } from "../../gcs/bucket.ts";

/** Names from `from` to before `until`, by their UTF-8 bytes; open where absent. */
export interface NameRange {
	from: string;
	until?: string;
}

const FIRST = 0x20;
const LAST = 0x7e;

/** By UTF-8 bytes, as the service and the ledger sort. */
export const compareNames = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b));

/**
 * A text about half-way between two, by the printable characters of ASCII, of which names mostly are. `undefined`: there
 * is none of these between them.
 */
export function between(after: string, before?: string): string | undefined {
	const [low, high] = [[...after], before === undefined ? undefined : [...before]];
	let same = 0;
	while (high !== undefined && same < low.length && low[same] === high[same]) same++;
	const common = low.slice(0, same).join("");
	const from = low[same]?.codePointAt(0) ?? FIRST - 1;
	const to = Math.min(LAST + 1, high?.[same]?.codePointAt(0) ?? LAST + 1);
	const middle = Math.floor((Math.max(from, FIRST - 1) + to) / 2);
	if (middle > from && middle < to) return common + String.fromCodePoint(middle);
	if (low[same] === undefined || from >= to) return undefined;
	const rest = between(low.slice(same + 1).join(""));
	return rest === undefined ? undefined : common + low[same] + rest;
}

interface Half extends NameRange {
	/** No name from here to `until`. */
	bound: string | undefined;
}

/** Looks that are spent on finding ranges. */
const LOOKS = 100;

/**
 * Divides the names below a prefix into ranges that can be listed side by side, by looking which name comes next after
 * half-way texts. One range for what a single page holds. The ranges cover all names, those that come later too.
 */
export async function nameRanges(bucket: Bucket, prefix: string, wanted: number): Promise<NameRange[]> {
	const first = await bucket.list({ prefix });
	const name = first.objects[0]?.name;
	if (first.nextPageToken === undefined || name === undefined) return [{ from: "" }];
	const open: Half[] = [{ from: name, bound: prefix === "" ? undefined : `${prefix}\u{10ffff}` }];
	const closed: Half[] = [];
	for (let looks = 0; open.length > 0 && looks < LOOKS && open.length + closed.length < wanted; looks++) {
		const half = open.shift() as Half;
		const middle = between(half.from, half.bound);
		if (middle === undefined) {
			closed.push(half);
			continue;
		}
		const { objects } = await bucket.list({ prefix, startOffset: middle, endOffset: half.until, maxResults: 1 });
		const found = objects[0]?.name;
		if (found === undefined) open.push({ ...half, bound: middle });
		else open.push({ from: half.from, until: found, bound: middle }, { ...half, from: found });
	}
	return [...open, ...closed].sort((a, b) => compareNames(a.from, b.from)).map(rangeOf);
}

const rangeOf = ({ from, until }: Half, index: number): NameRange => ({
	from: index === 0 ? "" : from,
	...(until !== undefined && { until }),
});
