/**
 * Order of two byte strings, below, at or above 0: a shorter one sorts before those that it begins. In JavaScript,
 * because a call of `Buffer.compare` costs more than the few bytes that most comparisons need.
 */
export function compareBytes(
	a: Uint8Array,
	aFrom: number,
	aTo: number,
	b: Uint8Array,
	bFrom: number,
	bTo: number,
): number {
	const length = Math.min(aTo - aFrom, bTo - bFrom);
	for (let i = 0; i < length; i++) {
		const difference = a[aFrom + i]! - b[bFrom + i]!;
		if (difference !== 0) return difference;
	}
	return aTo - aFrom - (bTo - bFrom);
}

/** How many bytes two strings begin with alike, of which the first `known` are. */
export function commonPrefix(
	a: Uint8Array,
	aFrom: number,
	aTo: number,
	b: Uint8Array,
	bFrom: number,
	bTo: number,
	known = 0,
): number {
	const length = Math.min(aTo - aFrom, bTo - bFrom);
	let common = known;
	while (common < length && a[aFrom + common] === b[bFrom + common]) common++;
	return common;
}
