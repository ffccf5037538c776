import pLimit from "p-limit";

/**
 * Results in the order of the items, `most` of which are at work at once. After a failure no other begins, and those
 * under way are waited for: nothing goes on behind the caller's back. Throws the first failure.
 */
export async function atOnce<T, R>(items: readonly T[], most: number, work: (item: T) => Promise<R>): Promise<R[]> {
	let failure: { error: unknown } | undefined;
	const limit = pLimit(most);
	const results = await Promise.all(
		items.map((item) =>
			limit(async () => {
				if (failure !== undefined) return undefined;
				try {
					return await work(item);
				} catch (error) {
					failure ??= { error };
					return undefined;
				}
			}),
		),
	);
	if (failure !== undefined) throw failure.error;
	return results as R[];
}
