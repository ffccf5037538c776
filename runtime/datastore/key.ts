import type { OldKey, PathElement } from "../migrate/oldKey.ts";
import type { Key } from "./entity.ts";

/** A key is that of an embedded entity, which may have none or one that ends without id and name. */
export const isComplete = (key: Key | null | undefined): key is Key =>
	(key?.path ?? []).length > 0 && key?.path?.every(({ id, name }) => hasId(id) || Boolean(name)) === true;

/** An id is never 0: that is how an absent one is decoded where defaults are filled in. */
const hasId = (id: unknown): boolean => id !== undefined && id !== null && String(id) !== "0";

/** RangeError for an incomplete key: only embedded entities have such. Project and database are left out. */
export function keyOf({ partitionId, path }: Key): OldKey {
	if (!path?.length) throw new RangeError("a key without a path");
	return { namespace: partitionId?.namespaceId ?? "", path: path.map(stepOf) };
}

function stepOf({ kind, id, name }: NonNullable<Key["path"]>[number]): PathElement {
	if (hasId(id)) return { kind: kind ?? "", id: String(id) };
	if (!name) throw new RangeError("an incomplete key: its last step has neither id nor name");
	return { kind: kind ?? "", name };
}

/** The key as the service takes it; `database` is "" for the default one. */
export function protoOf({ namespace, path }: OldKey, project: string, database: string): Key {
	return {
		partitionId: { projectId: project, databaseId: database, namespaceId: namespace },
		path: path.map((step) => ({ ...step })),
	};
}
