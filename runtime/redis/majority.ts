/** Of all registered nodes, whatever their state. */
export function majority(registered: number): number {
	return Math.floor(registered / 2) + 1;
}

/**
 * Whether those that `has` picks are a majority of all, and of those that are settled: while members change, what has only
 * one of both could be missed by a manager that has not heard of the change.
 */
export function isMajority<T extends { isSettled: boolean }>(
	all: readonly T[],
	has: (one: T, at: number) => boolean,
): boolean {
	let [settled, having, settledHaving] = [0, 0, 0];
	for (let at = 0; at < all.length; at++) {
		const one = all[at]!;
		const hasIt = has(one, at);
		if (hasIt) having++;
		if (one.isSettled) settled++;
		if (one.isSettled && hasIt) settledHaving++;
	}
	return having >= majority(all.length) && (settled === 0 || settledHaving >= majority(settled));
}
