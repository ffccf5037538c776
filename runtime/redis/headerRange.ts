import { hexMs } from "./stamp.ts";

/** Which records a round compares: bounds as 12 hex characters, because headers are compared as strings. */
export interface HeaderRange {
	/** Newer stamps are under way to the nodes: they are carried one by one. */
	newest: string;
	/** Beyond it no stamp can be right: such a record is left where it is. */
	possible: string;
	/** Tombstones and expiries up to here are about to vanish from the nodes, from each a moment apart. */
	vanishing: string;
}

export interface RangeOptions {
	/** Milliseconds since 1970 when the round began. */
	at: number;
	graceMs: number;
	maxSkewMs: number;
	/** Milliseconds that a write may be under way. */
	writeMs: number;
	/** Milliseconds that a round may take. */
	roundMs: number;
}

/**
 * What is about to vanish within this time is not compared any more, so a round must not take longer: a tenth of the
 * grace, or 10 s where that is more and the grace allows it.
 */
export const longestRoundMs = ({ graceSeconds }: { graceSeconds: number }): number =>
	Math.min(graceSeconds * 500, Math.max(graceSeconds * 100, 10_000));

export function headerRange({ at, graceMs, maxSkewMs, writeMs, roundMs }: RangeOptions): HeaderRange {
	return {
		newest: hexMs(Math.max(0, at - writeMs)),
		possible: hexMs(at + maxSkewMs + roundMs),
		vanishing: hexMs(Math.max(0, at - graceMs + roundMs)),
	};
}

/** Whether a digest leaves it out. */
export const isOutside = (range: HeaderRange, header: string): boolean =>
	header > range.newest || isVanishing(range, header);

/** Whether it is compared by itself instead. */
export const isRecent = (range: HeaderRange, header: string): boolean =>
	header > range.newest && header < range.possible && !isVanishing(range, header);

/** Whether it travels at all. */
export const isCarried = (range: HeaderRange, header: string): boolean =>
	header < range.possible && !isVanishing(range, header);

const DELETED = "d".charCodeAt(0);

function isVanishing({ vanishing }: HeaderRange, header: string): boolean {
	if (header.charCodeAt(32) === DELETED) return header.slice(0, 12) <= vanishing;
	// The first character of "never" is never that of a time in the next thousands of years.
	return header.charCodeAt(33) !== 0x66 && header.slice(33, 45) <= vanishing;
}
