import type { Entity, Value } from "../datastore/entity.ts";
import type { IdFormat } from "./idmap/idMap.ts";
import type { ResolvedRule } from "./kindRule.ts";
import { compareUtf8, escapeFirst, escapeName, RESERVED_AT_ROOT, RESERVED_INSIDE } from "./names.ts";
import { Shapes } from "./shapes.ts";

export interface Field {
	/** The property's name. */
	source: string;
	/** As it stands in the document. */
	name: string;
	/** Bytes of the name in BSON, with its type and its end. */
	bytes: number;
}

/** How entities with the same properties are written. */
export interface Shape {
	/** In the order of the document. */
	fields: Field[];
	/** An object would not keep these names, or BSON would take them for something else. */
	asMap: boolean;
	/** Two properties with this field's name. */
	clash?: Field;
	/** Documents without values, by the number of fields before those of the shape. */
	blanks: object[];
	/** For an embedded entity that may look like what only a geo point or a reference may look like. */
	lookalike?: { of: "point" | "reference"; instead: Shape };
}

const TRAPS: ReadonlySet<string> = new Set(["__proto__", "_bsontype"]);
const isIndex = /^(0|[1-9]\d{0,9})$/;

export function shapeOf(fields: Field[]): Shape {
	fields.sort((a, b) => compareUtf8(a.name, b.name));
	const clash = fields.find((field, index) => field.name === fields[index - 1]?.name);
	const asMap = fields.some(({ name }) => isIndex.test(name) || TRAPS.has(name));
	return { fields, asMap, blanks: [], ...(clash && { clash }) };
}

/** V8 keeps an object slowly that grows by computed names beyond these many, but not the copy of a whole one. */
const WIDE = 12;

/** An object for the fields of a shape, with those before them. */
export function withRoom({ fields, blanks }: Shape, head: Record<string, unknown>): Record<string, unknown> {
	if (fields.length <= WIDE) return head;
	const before = Object.keys(head);
	let blank = blanks[before.length];
	if (blank === undefined) {
		const names = [...before, ...fields.map(({ name }) => name)];
		blank = JSON.parse(`{${names.map((name) => `${JSON.stringify(name)}:null`).join()}}`) as object;
		blanks[before.length] = blank;
	}
	return Object.assign({ ...blank }, head);
}

const field = (source: string, name: string): Field => ({ source, name, bytes: 2 + Buffer.byteLength(name) });

/** Of entities themselves: renames and drops apply. */
export const rootShapes = ({ renames, drops }: ResolvedRule): Shapes<Shape> =>
	new Shapes((names) =>
		shapeOf(
			names
				.filter((name) => !drops.has(name))
				.map((name) => field(name, renames.get(name) ?? escapeName(name, RESERVED_AT_ROOT))),
		),
	);

/** Of entities inside entities. */
export const innerShapes = ({ references }: ResolvedRule): Shapes<Shape> =>
	new Shapes((names) => {
		const shape = shapeOf(names.map((name) => field(name, escapeName(name, RESERVED_INSIDE))));
		const escaping = (first: string) =>
			shapeOf(names.map((name) => field(name, name === first ? escapeFirst(name) : name)));
		const only = (a: string, b: string) => names.length === 2 && names.includes(a) && names.includes(b);
		if (only("type", "coordinates")) shape.lookalike = { of: "point", instead: escaping("type") };
		if (references === "typed" && only("kind", "id")) shape.lookalike = { of: "reference", instead: escaping("kind") };
		return shape;
	});

/** Whether the document that such an entity becomes would be read as something else. */
export function isMistakable(of: "point" | "reference", { properties }: Entity, format: IdFormat): boolean {
	const { type, coordinates, kind, id } = properties as Record<string, Value>;
	if (of === "reference") return typeof kind?.stringValue === "string" && looksLikeId(id, format);
	const items = coordinates?.arrayValue?.values;
	return (
		type?.stringValue === "Point" && items?.length === 2 && items.every((item) => typeof item.doubleValue === "number")
	);
}

const lengths = { hex: 32, uuid: 36 };

function looksLikeId(value: Value | undefined, format: IdFormat): boolean {
	if (format === "integer") return value?.integerValue !== undefined && value.integerValue !== null;
	return format !== "objectId" && value?.stringValue?.length === lengths[format];
}
