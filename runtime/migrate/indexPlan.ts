import { ruleOf } from "./kindRule.ts";
import { escapeName, RESERVED_AT_ROOT, RESERVED_INSIDE } from "./names.ts";
import type { Rules } from "./rules.ts";
import type { KindStatistics, PropertyStatistics } from "./statistics.ts";

/** MongoDB takes 64 for a collection, of which `_id` is one. */
const MOST_INDEXES = 63;

/** An index that the source's own indexes suggest. */
export interface PlannedIndex {
	kind: string;
	/** For `createIndex`, by the fields' names. */
	keys: Record<string, 1 | "2dsphere">;
	/** Which values of the source are indexed. */
	reason: string;
}

/**
 * For each property that Datastore has an index of, the index that answers the same queries: a suggestion to choose
 * from, as Datastore indexes whatever is not excluded. Parents and geo points come first, then by how many values there are.
 */
export function indexPlan(found: readonly KindStatistics[], rules: Rules): PlannedIndex[] {
	return found.flatMap(({ kind, entities, children, properties }) => {
		const { drops, renames, skip } = ruleOf(rules, kind);
		if (skip) return [];
		const plan: PlannedIndex[] = [];
		if (children > 0) {
			plan.push({ kind, keys: { _parent: 1 }, reason: `${children} of ${entities} have a parent` });
		}
		const indexed = properties.filter((property) => !drops.has(property.path[0] as string) && isIndexed(property));
		indexed.sort((a, b) => Number(isPlace(b)) - Number(isPlace(a)) || values(b) - values(a));
		for (const property of indexed) {
			const field = fieldOf(property, renames);
			const reason = `${values(property) - property.unindexed} of ${values(property)} values are indexed`;
			plan.push({ kind, keys: { [field]: isPlace(property) ? "2dsphere" : 1 }, reason });
		}
		return plan.slice(0, MOST_INDEXES);
	});
}

const values = ({ types }: PropertyStatistics): number => Object.values(types).reduce((sum, number) => sum + number, 0);
/** Embedded entities are indexed by what is in them, blobs never. */
const isIndexed = (property: PropertyStatistics): boolean =>
	values(property) > property.unindexed && Object.keys(property.types).some((type) => !UNINDEXABLE.has(type));
const UNINDEXABLE: ReadonlySet<string> = new Set(["entityValue", "blobValue", "arrayValue"]);
const isPlace = ({ types }: PropertyStatistics): boolean =>
	types.geoPointValue !== undefined &&
	Object.keys(types).every((type) => type === "geoPointValue" || type === "nullValue");

const fieldOf = ({ path: [root = "", ...inner] }: PropertyStatistics, renames: ReadonlyMap<string, string>): string =>
	[
		renames.get(root) ?? escapeName(root, RESERVED_AT_ROOT),
		...inner.map((name) => escapeName(name, RESERVED_INSIDE)),
	].join(".");
