import type { DatastoreSource } from "../datastore/source.ts";
import { splitKind } from "../datastore/split.ts";
import { type EntityRange, toRange } from "./entityPages.ts";
import { ruleOf } from "./kindRule.ts";
import type { DatastoreMigration } from "./model.ts";
import type { Partition } from "./work.ts";

/** Entities of a partition, about: so few that a resume repeats little, so many that a claim costs nothing. */
const PARTITION_ITEMS = 20_000;
/** Of one kind in one namespace. All partitions together stand in one record of the ledger. */
const MOST_PARTITIONS = 256;

export interface KindFound {
	namespace: string;
	kind: string;
	items: number;
	/** Wanted; there may come out fewer. */
	partitions: number;
}

/** The kinds that a migration moves, with what they hold; empty ones are left out. */
export async function kindsOf({ source: place, rules }: DatastoreMigration, source: DatastoreSource) {
	const namespaces = place.namespaces === "all" ? await source.namespaces() : place.namespaces;
	const found: KindFound[] = [];
	for (const namespace of namespaces) {
		const all = place.kinds === "all" ? await source.kinds(namespace) : place.kinds;
		for (const kind of all.filter((one) => !ruleOf(rules, one).skip)) {
			const items = await source.count(namespace, kind);
			const partitions = Math.min(MOST_PARTITIONS, Math.ceil(items / PARTITION_ITEMS));
			if (items > 0) found.push({ namespace, kind, items, partitions });
		}
	}
	return found;
}

/** Divides every kind into ranges of keys. Together they cover all keys, also such as come later. */
export async function splitKinds(
	declaration: DatastoreMigration,
	source: DatastoreSource,
): Promise<Partition<EntityRange>[]> {
	const partitions: Partition<EntityRange>[] = [];
	for (const { namespace, kind, items, partitions: wanted } of await kindsOf(declaration, source)) {
		const { ranges, totals } = await splitKind(source, namespace, kind, { partitions: wanted });
		const name = namespace === "" ? kind : `${namespace}!${kind}`;
		for (const [at, range] of ranges.entries())
			partitions.push({
				index: partitions.length,
				label: `${name} ${at + 1}/${ranges.length}`,
				total: totals?.[at] ?? share(items, at, ranges.length),
				range: toRange(range),
			});
	}
	return partitions;
}

/** Of ranges that were not counted: samples divide a kind about evenly, and the shares add up to what there is. */
const share = (items: number, at: number, of: number): number =>
	Math.floor((items * (at + 1)) / of) - Math.floor((items * at) / of);
