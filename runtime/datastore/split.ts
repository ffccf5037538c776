import { HoldfastError } from "../errors.ts";
import { decodeKey } from "../migrate/oldKey.ts";
import type { DatastoreSource, KeyPage, KeyRange } from "./source.ts";

/** Samples asked for per division: the more, the more alike the ranges (as Apache Beam's splitter does). */
const SAMPLES = 32;
/** With fewer per division the ranges would differ too much; so few samples also tell of a kind that is soon counted. */
const ENOUGH = 4;
/** Keys that a walk remembers per range: ranges differ by at most a part of this. */
const MARKS = 64;
/** Keys that a walk asks for at once. */
const WALK = 1_000;

export interface SplitOptions {
	/** How many ranges are wanted. */
	partitions: number;
	/** Entities for which a range of their own is worth while. @default 100 */
	least?: number;
	/** Encoded keys at which to divide, instead of looking for some. */
	at?: readonly Buffer[];
}

export interface Split {
	/** In key order, disjoint, together the whole kind. Plain data: to be frozen, as another split may differ. */
	ranges: KeyRange[];
	/** Entities of each range, where the split counted them. */
	totals: number[] | undefined;
	/** `whole`: not divided, as one range was wanted or the kind has too few entities for more. */
	by: "scatter" | "walk" | "list" | "whole";
	/** For people: why there are fewer ranges than wanted. */
	note?: string;
}

/**
 * Divides a kind: by the samples that the service keeps of it (`__scatter__`), or where it has none, or few, by a walk
 * over all keys, which also counts them. Fewer ranges than wanted are told, never silent.
 */
export async function splitKind(
	source: DatastoreSource,
	namespace: string,
	kind: string,
	{ partitions, least = 100, at }: SplitOptions,
): Promise<Split> {
	const whole = { namespace, kind };
	if (at) return { ranges: between(whole, listed(whole, at)), totals: undefined, by: "list" };
	if (partitions <= 1) return { ranges: [whole], totals: undefined, by: "whole" };
	const samples = await source.scatter(namespace, kind, (partitions - 1) * SAMPLES);
	if (samples.length < (partitions - 1) * ENOUGH) return walked(source, whole, partitions, least);
	return { ranges: between(whole, atEqualDistances(samples, partitions)), totals: undefined, by: "scatter" };
}

const fewer = (found: number, wanted: number): { note?: string } =>
	found < wanted ? { note: `${found} of ${wanted} ranges: it has too few entities for more` } : {};

/** The ranges that sorted keys divide a kind into. */
function between({ namespace, kind }: KeyRange, keys: readonly Buffer[]): KeyRange[] {
	const bounds = [undefined, ...keys, undefined];
	return bounds.slice(1).map((to, index) => {
		const from = bounds[index];
		return { namespace, kind, ...(from && { from }), ...(to && { to }) };
	});
}

/** Of sorted samples those that stand at equal distances, from each other and from both ends. */
const atEqualDistances = (samples: readonly Buffer[], partitions: number): Buffer[] =>
	Array.from({ length: partitions - 1 }, (_, at) => samples[Math.floor(((at + 1) * samples.length) / partitions)]!);

function listed({ namespace, kind }: KeyRange, keys: readonly Buffer[]): Buffer[] {
	const sorted = keys.toSorted(Buffer.compare).filter((key, at, all) => at === 0 || !key.equals(all[at - 1]!));
	if (sorted.some((key) => decodeKey(key).namespace !== namespace))
		throw new HoldfastError("HF_SETTING", `keys at which to divide ${kind} are of another namespace`);
	return sorted;
}

/** Every n-th key and how many there are, with a bounded number of keys in memory. */
async function walked(source: DatastoreSource, whole: KeyRange, partitions: number, least: number): Promise<Split> {
	let [marks, stride, total]: [Buffer[], number, number] = [[], 1, 0];
	for (let page: KeyPage | undefined; !page?.done; ) {
		page = await source.keys(whole, page?.keys.at(-1), WALK);
		for (const key of page.keys) {
			if (total++ % stride !== 0) continue;
			marks.push(key);
			if (marks.length < 2 * MARKS * partitions) continue;
			marks = marks.filter((_, at) => at % 2 === 0);
			stride *= 2;
		}
	}
	const ranges = Math.max(1, Math.min(partitions, Math.floor(total / least)));
	const firsts = Array.from({ length: ranges - 1 }, (_, at) => Math.round(((at + 1) * total) / ranges / stride));
	const bounds = [0, ...firsts.map((mark) => mark * stride), total];
	return {
		ranges: between(
			whole,
			firsts.map((mark) => marks[mark]!),
		),
		totals: bounds.slice(1).map((end, at) => end - bounds[at]!),
		by: ranges === 1 ? "whole" : "walk",
		...fewer(ranges, partitions),
	};
}
