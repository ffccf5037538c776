import { decodeKey } from "../migrate/oldKey.ts";
import type { Key, protos } from "./entity.ts";
import { protoOf } from "./key.ts";
import { protoTime } from "./readTime.ts";
import type { KeyRange } from "./source.ts";

export type IQuery = protos.google.datastore.v1.IQuery;
type IFilter = protos.google.datastore.v1.IFilter;

/** Which database is read, and when. */
export interface Place {
	project: string;
	/** "" is the default one. */
	database: string;
	/** ISO 8601. Absent: the present. */
	readTime?: string;
}

/** What every read begins with. */
export const head = ({ project, database, readTime }: Place, namespace?: string) => ({
	projectId: project,
	databaseId: database,
	...(namespace !== undefined && {
		partitionId: { projectId: project, databaseId: database, namespaceId: namespace },
	}),
	...(readTime !== undefined && { readOptions: { readTime: protoTime(readTime) } }),
});

export const keyOfPlace = (place: Place, encoded: Buffer): Key =>
	protoOf(decodeKey(encoded), place.project, place.database);

const KEYS_ONLY = { projection: [{ property: { name: "__key__" } }] };

type Operator = "GREATER_THAN" | "GREATER_THAN_OR_EQUAL" | "LESS_THAN";

/** The entities of a range that come after a key, in key order; keys alone on demand. */
export function rangeQuery(
	place: Place,
	{ kind, from, to }: KeyRange,
	after: Buffer | undefined,
	limit: number,
	keysOnly: boolean,
): IQuery {
	const filters: IFilter[] = [];
	const bound = (op: Operator, encoded: Buffer | undefined): void => {
		if (!encoded) return;
		const value = { keyValue: keyOfPlace(place, encoded) };
		filters.push({ propertyFilter: { property: { name: "__key__" }, op, value } });
	};
	if (after) bound("GREATER_THAN", after);
	else bound("GREATER_THAN_OR_EQUAL", from);
	bound("LESS_THAN", to);
	return {
		kind: [{ name: kind }],
		...(filters.length === 1 && { filter: filters[0]! }),
		...(filters.length > 1 && { filter: { compositeFilter: { op: "AND", filters } } }),
		...(keysOnly && KEYS_ONLY),
		order: [{ property: { name: "__key__" }, direction: "ASCENDING" }],
		limit: { value: limit },
	};
}

/** Keys of entities that the service has put into its sample, in an order that is as good as random. */
export const scatterQuery = (kind: string, limit: number): IQuery => ({
	kind: [{ name: kind }],
	...KEYS_ONLY,
	order: [{ property: { name: "__scatter__" }, direction: "ASCENDING" }],
	limit: { value: limit },
});
