import { BSON } from "mongodb";
import type { Entity, Value } from "../datastore/entity.ts";
import type { NewId } from "./bsonValues.ts";
import type { IdMap } from "./idmap/idMap.ts";
import { type ResolvedRule, ruleOf } from "./kindRule.ts";
import { decodeKey, keyText } from "./oldKey.ts";
import { parentKey } from "./parentKey.ts";
import { type Problem, ProblemFound, pathText, problemOf } from "./problem.ts";
import type { Rules } from "./rules.ts";
import type { Shapes } from "./shapes.ts";
import { rootShapes, type Shape } from "./transformShape.ts";
import { type Fields, ValueWriter } from "./valueWriter.ts";

export { collectionOf, ruleOf } from "./kindRule.ts";

/** Ready to be inserted. A `Map` (which has `_id` as a property too) where an object would not keep the fields' order. */
export type TargetDocument = Fields & { _id: NewId };
/** `bytes`: upper bound of the document's size as BSON. */
export type Transformed =
	| { document: TargetDocument; bytes: number; problem?: undefined }
	| { problem: Problem; document?: undefined };
/** `key` is the entity's own, encoded. */
export type Transform = (entity: Entity, key: Buffer) => Transformed;

/** What a document may have, with room for what a server adds. */
const MOST_BYTES = 16 * 1024 * 1024 - 16 * 1024;

/**
 * What entities of a kind become: equal entities give the same BSON, byte for byte. Fields: `_id`, `_parent` (new id of
 * the parent), `_old` (by rule), the properties by the UTF-8 order of their fields' names, `_micros` (what dates cannot
 * hold: `[{path, us}]`, paths of field names and indices).
 */
export function transformer(rules: Rules, kind: string, map: IdMap): Transform {
	const writer = new DocumentWriter(ruleOf(rules, kind), map);
	return (entity, key) => writer.written(entity, key);
}

class DocumentWriter {
	readonly #rule: ResolvedRule;
	readonly #map: IdMap;
	readonly #shapes: Shapes<Shape>;
	readonly #values: ValueWriter;

	constructor(rule: ResolvedRule, map: IdMap) {
		this.#rule = rule;
		this.#map = map;
		this.#shapes = rootShapes(rule);
		this.#values = new ValueWriter(rule, map);
	}

	written(entity: Entity, key: Buffer): Transformed {
		const values = this.#values;
		try {
			values.begin(entity.key);
			const document = this.#document(entity, key);
			// The old key and the new ids are at most so long.
			const bytes = values.bytes + 4 * key.length + 256;
			if (bytes > MOST_BYTES && BSON.calculateObjectSize(document) > MOST_BYTES) {
				throw new ProblemFound({ code: "TOO_LARGE", path: "", reason: `beyond ${MOST_BYTES} bytes as BSON` });
			}
			return { document, bytes };
		} catch (error) {
			return { problem: problemOf(error, () => values.place.text()) };
		}
	}

	#document(entity: Entity, key: Buffer): TargetDocument {
		const properties = (entity.properties ?? {}) as Record<string, Value>;
		const shape = this.#shapes.of(properties);
		if (shape.clash) throw new ProblemFound(clash(shape.clash.source));
		const head = this.#head(entity, key);
		if (shape.asMap) return this.#mapped(shape, properties, head);
		const document = this.#values.fields(shape, properties, head) as TargetDocument;
		const { micros } = this.#values;
		if (micros) document._micros = micros;
		return document;
	}

	#mapped(shape: Shape, properties: Record<string, Value>, head: TargetDocument): TargetDocument {
		const into = new Map<string, unknown>(Object.entries(head));
		this.#values.mapped(shape, properties, into);
		const { micros } = this.#values;
		if (micros) into.set("_micros", micros);
		return Object.assign(into, { _id: head._id }) as unknown as TargetDocument;
	}

	#head(entity: Entity, key: Buffer): TargetDocument {
		const id = this.#map.lookup(key);
		if (id === undefined) throw new ProblemFound(unmapped("_id"));
		const document: TargetDocument = { _id: this.#values.references.newId(id) };
		const parent = parentKey(key);
		if (parent !== undefined) document._parent = this.#parent(entity, parent);
		if (this.#rule.keepOld) document._old = keyText(decodeKey(key));
		return document;
	}

	#parent({ key }: Entity, parent: Buffer): unknown {
		const { references } = this.#values;
		const id = this.#map.lookup(parent);
		if (id !== undefined) return references.newId(id);
		const written = references.unmapped({ ...key, path: key?.path?.slice(0, -1) ?? [] });
		if (written === undefined) throw new ProblemFound(unmapped("_parent"));
		return written;
	}
}

const unmapped = (path: string): Problem => ({
	code: "UNMAPPED_KEY",
	path,
	reason: path === "_id" ? "its key is not in the map" : "its parent's key is not in the map",
});

const clash = (property: string): Problem => ({
	code: "NAME_CLASH",
	path: pathText([property]),
	reason: "a rename gives two properties one name",
});
