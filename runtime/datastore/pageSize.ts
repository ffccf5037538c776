import type { Entity, Value } from "./entity.ts";

/** Bytes that a page is to hold at most; a server may answer several hundred entities of 1 MiB at once. */
const TARGET = 4 * 2 ** 20;
/** Of a kind that was not read yet. */
const FIRST = 64;

/** Bytes of an entity within a small factor: texts and blobs by length, all else by a flat figure. */
export function sizeOf(entity: Entity): number {
	let bytes = 64;
	const properties = entity.properties;
	for (const name in properties) bytes += name.length + sizeOfValue(properties[name]!);
	return bytes;
}

function sizeOfValue(value: Value): number {
	if (value.stringValue) return 8 + value.stringValue.length;
	if (value.blobValue) return 8 + value.blobValue.length;
	if (value.entityValue) return sizeOf(value.entityValue);
	if (value.arrayValue) {
		let bytes = 8;
		for (const item of value.arrayValue.values ?? []) bytes += sizeOfValue(item);
		return bytes;
	}
	return value.keyValue ? 64 : 16;
}

/** How many entities to ask for, by kind: few at first, then as many as the last page would have fitted. */
export class PageSizes {
	readonly #next = new Map<string, number>();

	of(kind: string, wanted: number): number {
		return Math.max(1, Math.min(wanted, this.#next.get(kind) ?? FIRST));
	}

	/** At most twice the last page: entities differ in size. */
	learn(kind: string, entities: readonly Entity[]): void {
		if (entities.length === 0) return;
		const bytes = entities.reduce((sum, entity) => sum + sizeOf(entity), 0);
		const fitting = Math.floor((TARGET * entities.length) / bytes);
		this.#next.set(kind, Math.min(Math.max(FIRST, 2 * entities.length), fitting));
	}
}
