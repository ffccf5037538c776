import { comparison } from "./compareEntities.ts";
import { newIdOf } from "./documentId.ts";
import { type EntityItem, type EntityRange, fromRange } from "./entityPages.ts";
import { extraIds } from "./extraDocuments.ts";
import { collectionOf } from "./kindRule.ts";
import { decodeKey } from "./oldKey.ts";
import type { Difference } from "./transfer.ts";
import { type EntityEnds, type Reporter, targetCollection } from "./verifyEnds.ts";
import type { Counts, Partition, VerifyCount } from "./work.ts";

/** Entities that are read in a row from each random place. */
const ROW = 20;

/**
 * Looks at about `size` entities of each kind: in rows that begin at random documents of the target (any entity that is
 * missing follows one that is there, unless it is the first) and at random borders of the frozen partitions. Of the random
 * documents it also tells those that the source does not have.
 */
export async function sampleEntities(
	ends: EntityEnds,
	report: Reporter,
	frozen: readonly Partition<EntityRange>[],
	size: number,
): Promise<{ partition: Partition; counts: Counts<VerifyCount> }[]> {
	const compare = comparison(ends);
	const looked: { partition: Partition; counts: Counts<VerifyCount> }[] = [];
	for (const partitions of groupsOf(frozen)) {
		const { namespace, kind } = partitions[0]!.range;
		const { keys, extra } = await randomDocuments(ends, kind, namespace, size);
		const items = await rows(ends, partitions, keys, size);
		const { counts, found } = await compare(kind, items);
		await report([...found, ...extra]);
		looked.push({ partition: partitions[0]!, counts: { ...counts, extra: extra.length } });
	}
	return looked;
}

function groupsOf(frozen: readonly Partition<EntityRange>[]): Partition<EntityRange>[][] {
	const groups = new Map<string, Partition<EntityRange>[]>();
	for (const partition of frozen) {
		const name = JSON.stringify([partition.range.namespace, partition.range.kind]);
		groups.set(name, [...(groups.get(name) ?? []), partition]);
	}
	return [...groups.values()];
}

/** Old keys of random documents of a kind, and which of the documents are extra. */
async function randomDocuments(ends: EntityEnds, kind: string, namespace: string, size: number) {
	const name = collectionOf(ends.declaration.rules, kind);
	const stages = [{ $sample: { size } }, { $project: { _id: 1 } }];
	const ids = await targetCollection(ends, name).aggregate(stages, { promoteValues: false }).toArray();
	const keys = ids.flatMap(({ _id }) => {
		const newId = newIdOf(_id, ends.map.format);
		const key = newId === undefined ? undefined : ends.map.reverse(newId);
		const old = key && decodeKey(key);
		return old?.namespace === namespace && old.path.at(-1)!.kind === kind ? [key!] : [];
	});
	const extra: Difference[] = [];
	for (let at = 0; at < ids.length; at += 1000)
		extra.push(...(await extraIds(ends, name, ids.slice(at, at + 1000) as never)));
	return { keys, extra };
}

/** Entities in rows from random places, each once. */
async function rows(ends: EntityEnds, partitions: Partition<EntityRange>[], keys: Buffer[], size: number) {
	const { namespace, kind } = partitions[0]!.range;
	const borders = partitions.map(({ range }) => fromRange(range).from);
	const places = [...shuffled(borders).slice(0, Math.ceil(size / ROW / 4)), ...keys].slice(0, Math.ceil(size / ROW));
	const items = new Map<string, EntityItem>();
	for (const from of places) {
		const page = await ends.source.page({ namespace, kind, ...(from && { from }) }, undefined, Math.min(ROW, size));
		for (const [at, key] of page.keys.entries()) items.set(key.toString("latin1"), { key, entity: page.entities[at]! });
	}
	return [...items.values()].sort((a, b) => Buffer.compare(a.key, b.key));
}

function shuffled<T>(items: readonly T[]): T[] {
	return items
		.map((item) => ({ item, at: Math.random() }))
		.sort((a, b) => a.at - b.at)
		.map(({ item }) => item);
}
