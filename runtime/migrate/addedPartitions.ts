import type { EntityRange } from "./entityPages.ts";
import { kindsOf } from "./entitySplit.ts";
import type { EntityEnds } from "./verifyEnds.ts";
import type { Partition } from "./work.ts";

/** One partition for each kind that came after the frozen ones; these are open at their ends, so they cover the rest. */
export async function addedPartitions(
	{ source, declaration }: Pick<EntityEnds, "source" | "declaration">,
	frozen: readonly Partition[],
): Promise<Partition<EntityRange>[]> {
	const ranges = frozen.map(({ range }) => range as EntityRange);
	const groups = await kindsOf(declaration, source);
	const added = groups.filter(
		({ namespace, kind }) => !ranges.some((range) => range.namespace === namespace && range.kind === kind),
	);
	const first = Math.max(-1, ...frozen.map(({ index }) => index)) + 1;
	return added.map(({ namespace, kind, items }, at) => {
		const name = namespace === "" ? kind : `${namespace}!${kind}`;
		return { index: first + at, label: `${name} (new)`, total: items, range: { namespace, kind } };
	});
}
