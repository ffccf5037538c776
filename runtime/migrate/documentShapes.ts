import { damaged, int32, nameEnd, sizeOf } from "./bsonBytes.ts";
import { RESERVED_AT_ROOT, RESERVED_INSIDE, unescapeName } from "./names.ts";

/** Names beyond which a collection is not remembered: its names are data. */
const MOST_NODES = 20_000;

/** Names that follow one another, tried in turn. */
const MOST_EDGES = 32;
const KEPT = "_missing";

/** A field of a document; `index` counts from its beginning. */
export interface ReadField {
	index: number;
	/** As it stands in the document. */
	field: string;
	/** The property's name as UTF-8; what no property is ever written as begins with 0xff, which no text does. */
	bytes: Buffer;
}

/** What follows from the names of a document. */
export interface DocumentShape {
	/** Of properties, in canonical order. */
	fields: ReadField[];
	/** Indices of fields that are not properties. */
	reserved: ReadonlyMap<string, number>;
	/** Index of `_missing` where there is nothing else. */
	kept?: number;
	/** Indices of `type` and `coordinates`, or `kind` and `id`, where there are no others. */
	point?: { type: number; coordinates: number };
	reference?: { kind: number; id: number };
}

interface Edge {
	/** With the NUL at its end. */
	bytes: Buffer;
	field: string;
	to: Node;
}
interface Node {
	edges: Edge[];
	shape?: DocumentShape;
}

/** Where the values of a document are. Reused by the next document on the same level. */
export interface Frame {
	shape: DocumentShape;
	types: number[];
	offsets: number[];
}

/** Reads the names of documents, mostly by comparing bytes with those that followed before. */
export class DocumentShapes {
	readonly #reserved: ReadonlySet<string>;
	readonly #root: Node = { edges: [] };
	#nodes = 0;

	constructor(where: "root" | "inside") {
		this.#reserved = where === "root" ? RESERVED_AT_ROOT : RESERVED_INSIDE;
	}

	scan(raw: Buffer, start: number, frame: Frame): DocumentShape {
		const end = start + int32(raw, start) - 1;
		if (end >= raw.length || end < start + 4) throw damaged();
		const path: string[] = [];
		let node = this.#root;
		let count = 0;
		for (let at = start + 4; at < end; count++) {
			const type = raw[at] as number;
			const edge = this.#edge(node, raw, at + 1);
			path.push(edge.field);
			at += 1 + edge.bytes.length;
			frame.types[count] = type;
			frame.offsets[count] = at;
			at += sizeOf(raw, type, at);
			node = edge.to;
		}
		node.shape ??= compile(path, this.#reserved);
		frame.shape = node.shape;
		return node.shape;
	}

	#edge(node: Node, raw: Buffer, at: number): Edge {
		for (const edge of node.edges) if (isAt(raw, at, edge.bytes)) return edge;
		const end = nameEnd(raw, at);
		const edge = {
			bytes: Buffer.from(raw.subarray(at, end + 1)),
			field: raw.toString("utf8", at, end),
			to: { edges: [] },
		};
		if (this.#nodes < MOST_NODES && node.edges.length < MOST_EDGES) {
			this.#nodes++;
			node.edges.push(edge);
		}
		return edge;
	}
}

function isAt(raw: Buffer, at: number, bytes: Buffer): boolean {
	for (let index = 0; index < bytes.length; index++) if (raw[at + index] !== bytes[index]) return false;
	return true;
}

function compile(names: string[], reserved: ReadonlySet<string>): DocumentShape {
	const own = new Map<string, number>();
	const fields: ReadField[] = [];
	for (const [index, field] of names.entries()) {
		// A second one of the same name is nothing that was written.
		if (reserved.has(field) && field !== KEPT && !own.has(field)) own.set(field, index);
		else fields.push({ index, field, bytes: bytesOf(field, reserved) });
	}
	fields.sort((a, b) => Buffer.compare(a.bytes, b.bytes));
	const shape: DocumentShape = { fields, reserved: own };
	if (names.length === 1 && names[0] === KEPT) shape.kept = 0;
	if (names.length !== 2) return shape;
	const [type, coordinates] = [names.indexOf("type"), names.indexOf("coordinates")];
	if (type >= 0 && coordinates >= 0) shape.point = { type, coordinates };
	const [kind, id] = [names.indexOf("kind"), names.indexOf("id")];
	if (kind >= 0 && id >= 0) shape.reference = { kind, id };
	return shape;
}

function bytesOf(field: string, reserved: ReadonlySet<string>): Buffer {
	const name = unescapeName(field, reserved);
	return name === undefined ? Buffer.concat([Buffer.of(0xff), Buffer.from(field)]) : Buffer.from(name);
}
