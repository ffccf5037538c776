import type { Entity, Value } from "../datastore/entity.ts";

export { indexPlan, type PlannedIndex } from "./indexPlan.ts";

import { typeOf, type ValueType } from "./valueType.ts";

/** Paths beyond which the properties of a kind are not told apart any more: its names are data. */
const MOST_PATHS = 1_000;

/** What was seen of one property of a kind. */
export interface PropertyStatistics {
	/** The source's names from the root. Elements of an array count under the array's own path. */
	path: string[];
	/** Values by type; an array counts by its elements, and as an array when it is empty. */
	types: Partial<Record<ValueType, number>>;
	/** Values that are excluded from indexes. */
	unindexed: number;
	/** Values by `meaning`, where that is not 0: 22 is a compressed blob. */
	meanings: Record<number, number>;
	/** Of the longest text or blob. */
	maxBytes: number;
}
export interface KindStatistics {
	kind: string;
	entities: number;
	/** Those that have a parent. */
	children: number;
	properties: PropertyStatistics[];
	/** Values whose path is not told. */
	untold: number;
}

type Found = Omit<KindStatistics, "properties"> & { properties: Map<string, PropertyStatistics> };

export interface Statistics {
	add(kind: string, entity: Entity): void;
	/** By the order of kinds and paths. */
	result(): KindStatistics[];
}

/** Counts entities by kind and property, for a plan. Apart from what transforms them: a sample is enough. */
export const statistics = (): Statistics => new Counter();

class Counter implements Statistics {
	readonly #kinds = new Map<string, Found>();

	add(kind: string, { key, properties }: Entity): void {
		const found = this.#kinds.get(kind) ?? { kind, entities: 0, children: 0, untold: 0, properties: new Map() };
		this.#kinds.set(kind, found);
		found.entities++;
		if ((key?.path?.length ?? 0) > 1) found.children++;
		for (const [name, value] of Object.entries(properties ?? {})) addValue(found, [name], value);
	}

	result(): KindStatistics[] {
		const told = [...this.#kinds.values()].map((found) => ({
			...found,
			properties: [...found.properties.entries()].sort(byName).map(([, property]) => property),
		}));
		return told.sort((a, b) => (a.kind < b.kind ? -1 : 1));
	}
}

const byName = ([a]: [string, unknown], [b]: [string, unknown]): number => (a < b ? -1 : 1);

function addValue(found: Found, path: string[], value: Value): void {
	const items = value.arrayValue?.values ?? [];
	for (const item of items) addValue(found, path, item);
	if (items.length > 0) return;
	const inner = Object.entries(value.entityValue?.properties ?? {});
	for (const [name, item] of inner) addValue(found, [...path, name], item);
	const property = propertyOf(found, path);
	if (property === undefined) found.untold++;
	else count(property, value);
}

function propertyOf(found: Found, path: string[]): PropertyStatistics | undefined {
	const name = path.join("\0");
	let property = found.properties.get(name);
	if (property === undefined && found.properties.size < MOST_PATHS) {
		property = { path, types: {}, unindexed: 0, meanings: {}, maxBytes: 0 };
		found.properties.set(name, property);
	}
	return property;
}

function count(property: PropertyStatistics, value: Value): void {
	const type = typeOf(value);
	if (type !== undefined) property.types[type] = (property.types[type] ?? 0) + 1;
	if (value.excludeFromIndexes) property.unindexed++;
	if (value.meaning) property.meanings[value.meaning] = (property.meanings[value.meaning] ?? 0) + 1;
	const bytes = value.stringValue ? Buffer.byteLength(value.stringValue) : (value.blobValue?.length ?? 0);
	if (bytes > property.maxBytes) property.maxBytes = bytes;
}
