/** 32 lower-case hex characters: milliseconds since 1970 (12), counter (4), node id (16). Greater is newer, as strings. */
export type Stamp = string;

export interface StampParts {
	/** Milliseconds since 1970. */
	ms: number;
	/** Orders what one manager wrote within a millisecond. */
	counter: number;
	/** Of the manager that drew it: 16 hex characters. */
	nodeId: string;
}

export const stampLength = 32;
/** What twelve hex characters hold. */
export const greatestMs = 2 ** 48 - 1;
export const greatestCounter = 0xffff;

const syntax = /^[0-9a-f]{32}$/;

export function isStamp(text: string): text is Stamp {
	return syntax.test(text);
}

export function hexMs(ms: number): string {
	return ms.toString(16).padStart(12, "0");
}

export function formatStamp({ ms, counter, nodeId }: StampParts): Stamp {
	return hexMs(ms) + counter.toString(16).padStart(4, "0") + nodeId;
}

/** Milliseconds since 1970 of a stamp, or of a header, which begins with one. */
export function msOf(stamp: Stamp): number {
	return Number.parseInt(stamp.slice(0, 12), 16);
}

export function counterOf(stamp: Stamp): number {
	return Number.parseInt(stamp.slice(12, 16), 16);
}
