import { BSON, type Collection, type Document } from "mongodb";
import { newIdOf } from "./documentId.ts";
import type { EntityRange } from "./entityPages.ts";
import { collectionOf, ruleOf } from "./kindRule.ts";
import { decodeKey } from "./oldKey.ts";
import type { Compared, Difference } from "./transfer.ts";
import { type EntityEnds, type Reporter, targetCollection } from "./verifyEnds.ts";
import type { Partition, VerifyCount, Work } from "./work.ts";

/** Documents of a collection from `from` (included) to `to` (excluded), `_id`s as canonical EJSON; open where absent. */
export interface DocumentRange {
	collection: string;
	from?: string;
	to?: string;
}
type Id = { _id: unknown };

const PAGE = 999;
/** Documents a partition: enough to be worth a claim, few enough to be shared out. */
const PER_PARTITION = 200_000;
const MOST_PARTITIONS = 64;
/** Sampled ids for each border between partitions. */
const SAMPLES = 20;

const { EJSON } = BSON;
const text = (id: unknown): string => EJSON.stringify({ _id: id }, { relaxed: false });
const bound = (id: string | undefined): Id | undefined =>
	id === undefined ? undefined : (EJSON.parse(id, { relaxed: false }) as Id);

/** Looks for documents that no entity of the source stands behind, in collections that hold more than was found. */
export function searchExtras(
	ends: EntityEnds,
	report: Reporter,
	compared: readonly Compared[],
	perPartition = PER_PARTITION,
) {
	const work: Work<Id, DocumentRange, VerifyCount> = {
		page: async ({ range }, position) => page(targetCollection(ends, range.collection), range, position),
		apply: async ({ range: { collection } }, items) => {
			const extra = await extraIds(ends, collection, items);
			await report(extra);
			return { counts: { read: items.length, extra: extra.length } };
		},
	};
	return { split: () => split(ends, compared, perPartition), work: work as Work<unknown, unknown, VerifyCount> };
}

/**
 * Documents that were found, by collection: a collection with no more than these has no extras. Kinds that are named have
 * their place here though the source has none of them.
 */
function foundIn({ declaration }: EntityEnds, compared: readonly Compared[]): Map<string, number> {
	const { rules, source } = declaration;
	const named = [...(source.kinds === "all" ? [] : source.kinds), ...Object.keys(rules.kinds)];
	const moved = named.map((kind) => ruleOf(rules, kind)).filter(({ skip }) => !skip);
	const found = new Map(moved.map(({ collection }) => [collection, 0]));
	for (const { partition, found: number } of compared) {
		const collection = collectionOf(rules, (partition.range as EntityRange).kind);
		found.set(collection, (found.get(collection) ?? 0) + number);
	}
	return found;
}

async function split(
	ends: EntityEnds,
	compared: readonly Compared[],
	perPartition: number,
): Promise<Partition<DocumentRange>[]> {
	const ranges: DocumentRange[] = [];
	const totals: number[] = [];
	for (const [name, found] of foundIn(ends, compared)) {
		const collection = targetCollection(ends, name);
		const count = await collection.countDocuments();
		if (count === found) continue;
		const parts = Math.min(MOST_PARTITIONS, Math.ceil(count / perPartition));
		const borders = await bordersOf(collection, parts);
		for (const [at, from] of [undefined, ...borders].entries()) {
			const to = borders[at];
			ranges.push({ collection: name, ...(from !== undefined && { from }), ...(to !== undefined && { to }) });
			totals.push(Math.round(count / (borders.length + 1)));
		}
	}
	return ranges.map((range, index) => ({ index, label: `${range.collection} backward`, total: totals[index]!, range }));
}

/** Borders by a random sample, as any `_id` may stand there. */
async function bordersOf(collection: Collection, parts: number): Promise<string[]> {
	if (parts <= 1) return [];
	const stages = [{ $sample: { size: parts * SAMPLES } }, { $project: { _id: 1 } }, { $sort: { _id: 1 } }];
	const ids = await collection.aggregate<Id>(stages, { promoteValues: false }).toArray();
	const borders = ids.filter((_, at) => at > 0 && at % SAMPLES === 0).map(({ _id }) => text(_id));
	return [...new Set(borders)];
}

/** In the order of the index, by its bounds: a comparison operator would leave out `_id`s of another type. */
async function page(collection: Collection, { from, to }: DocumentRange, position: string | undefined) {
	const min = bound(position ?? from);
	const max = bound(to);
	const options = { projection: { _id: 1 }, hint: { _id: 1 }, sort: { _id: 1 }, promoteValues: false } as const;
	const bounds = { ...(min && { min: min as Document }), ...(max && { max: max as Document }) };
	const ids = await collection.find<Id>({}, { ...options, ...bounds, limit: PAGE + 1 }).toArray();
	const last = ids.at(-1);
	const items = position !== undefined && ids.length > 0 && text(ids[0]!._id) === position ? ids.slice(1) : ids;
	return { items, position: last ? text(last._id) : (position ?? ""), done: ids.length <= PAGE };
}

const includes = (selected: "all" | readonly string[], name: string): boolean =>
	selected === "all" || selected.includes(name);

/** Those of these documents (at most 1,000) that no entity at the read time stands behind, or one that belongs elsewhere. */
export async function extraIds(
	{ map, source, declaration }: EntityEnds,
	collection: string,
	items: readonly Id[],
): Promise<Difference[]> {
	const { rules, source: selected } = declaration;
	const keys = items.map(({ _id }) => {
		const newId = newIdOf(_id, map.format);
		const key = newId === undefined ? undefined : map.reverse(newId);
		if (!key) return undefined;
		const { namespace, path } = decodeKey(key);
		const kind = path.at(-1)!.kind;
		const rule = ruleOf(rules, kind);
		const included = includes(selected.namespaces, namespace) && includes(selected.kinds, kind) && !rule.skip;
		return included && rule.collection === collection ? key : undefined;
	});
	const known = keys.filter((key) => key !== undefined);
	const entities = known.length === 0 ? [] : await source.lookup(known);
	const standing = new Set(known.filter((_, at) => entities[at]));
	const extra = items.filter((_, at) => !standing.has(keys[at]!));
	return extra.map(({ _id }) => ({ target: `${collection}/${name(_id)}`, kind: "extra" }));
}

/** Characters of an `_id` that are told. */
const NAME_LENGTH = 200;

/** An `_id` for people: as the map writes new ids, where it could be one of another map, else as EJSON. */
function name(id: unknown): string {
	for (const format of ["hex", "objectId", "integer"] as const) {
		const found = newIdOf(id, format);
		if (found !== undefined) return found.slice(0, NAME_LENGTH);
	}
	return EJSON.stringify(id, { relaxed: false }).slice(0, NAME_LENGTH);
}
