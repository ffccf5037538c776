import type { Entity } from "../datastore/entity.ts";
import { entityOf } from "../datastore/raw.ts";
import type { DatastoreSource, KeyRange } from "../datastore/source.ts";
import { isExpired } from "./expiredSource.ts";
import type { Work } from "./work.ts";

/** A range of keys as it stands in a partition: plain JSON, keys as base64. */
export interface EntityRange {
	namespace: string;
	kind: string;
	from?: string;
	to?: string;
}

/** An entity with its encoded key. */
export interface EntityItem {
	key: Buffer;
	entity: Entity;
}

const text = (key: Buffer | undefined) => key?.toString("base64");
const bytes = (key: string | undefined) => (key === undefined ? undefined : Buffer.from(key, "base64"));

export const toRange = ({ namespace, kind, from, to }: KeyRange): EntityRange => ({
	namespace,
	kind,
	...(from && { from: text(from) }),
	...(to && { to: text(to) }),
});

export const fromRange = ({ namespace, kind, from, to }: EntityRange): KeyRange => ({
	namespace,
	kind,
	...(from !== undefined && { from: bytes(from) }),
	...(to !== undefined && { to: bytes(to) }),
});

/** Reads the entities of a partition in pages; the position is the last key, as base64. */
export function entityPages(source: DatastoreSource, limit: number): Work<EntityItem, EntityRange>["page"] {
	return async ({ range }, position) => {
		const { entities, keys, done } = await source.page(fromRange(range), bytes(position), limit);
		const items = entities.map((entity, at) => ({ key: keys[at]!, entity }));
		return { items, position: text(keys.at(-1)) ?? position ?? "", done };
	};
}

/** Reads single entities at the read time; when that is over, those that a dead letter holds are taken from there. */
export async function entitiesAgain(
	source: DatastoreSource,
	letters: readonly { key: string; raw?: Uint8Array }[],
): Promise<(EntityItem | undefined)[]> {
	const keys = letters.map(({ key }) => Buffer.from(key, "base64"));
	const found = await source.lookup(keys).catch((error: unknown) => {
		if (!isExpired(error)) throw error;
		return letters.map(({ raw }) => (raw === undefined ? undefined : entityOf(raw)));
	});
	return found.map((entity, at) => entity && { key: keys[at]!, entity });
}
