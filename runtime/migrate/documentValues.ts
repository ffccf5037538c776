import { int32, nameEnd, sizeOf, Type } from "./bsonBytes.ts";
import { type CanonicalWriter, Tag } from "./canonical.ts";
import { below, Micros } from "./documentMicros.ts";
import { type DocumentShape, DocumentShapes, type Frame } from "./documentShapes.ts";
import type { IdFormat } from "./idmap/idMap.ts";

/** Milliseconds whose microseconds a double holds exactly. */
const EXACT = 9e12;
const POINT = Buffer.from("Point");
const ID_LENGTHS = { hex: 32, uuid: 36 };

/** Writes the canonical form of a document's values. */
export class DocumentValues {
	readonly micros = new Micros();
	readonly #writer: CanonicalWriter;
	readonly #typed: boolean;
	readonly #format: IdFormat;
	readonly #inner = new DocumentShapes("inside");
	readonly #frames: Frame[] = [];
	#depth = 0;
	#raw: Buffer = Buffer.alloc(0);

	/** `typed`: references have their kind beside them. */
	constructor(writer: CanonicalWriter, typed: boolean, format: IdFormat) {
		this.#writer = writer;
		this.#typed = typed;
		this.#format = format;
	}

	/** The names of a document and where its values are. */
	begin(raw: Buffer, shapes: DocumentShapes): Frame {
		this.#raw = raw;
		this.#depth = 0;
		return this.#open(shapes, 0);
	}

	#open(shapes: DocumentShapes, at: number): Frame {
		const frame = this.#frames[this.#depth] ?? { shape: EMPTY, types: [], offsets: [] };
		this.#frames[this.#depth++] = frame;
		shapes.scan(this.#raw, at, frame);
		return frame;
	}

	fields({ shape, types, offsets }: Frame, place: string): void {
		const { fields } = shape;
		this.#writer.count(fields.length);
		for (let at = 0; at < fields.length; at++) {
			const { index, field, bytes } = fields[at] as DocumentShape["fields"][number];
			this.#writer.count(bytes.length);
			this.#writer.bytes(bytes, 0, bytes.length);
			this.value(types[index] as number, offsets[index] as number, this.micros.some ? below(place, field) : place);
		}
	}

	/** A field that is none of the properties. */
	reserved({ shape, types, offsets }: Frame, name: string): void {
		const index = shape.reserved.get(name);
		if (index === undefined) this.#writer.tag(Tag.ABSENT);
		else this.value(types[index] as number, offsets[index] as number, "", true);
	}

	/** `typed`: a document of kind and id is a reference here. */
	value(type: number, at: number, place: string, typed = this.#typed): void {
		const writer = this.#writer;
		const raw = this.#raw;
		switch (type) {
			case Type.DOCUMENT:
				this.#document(at, place, typed);
				break;
			case Type.ARRAY:
				this.#array(at, place);
				break;
			case Type.DATE:
				this.#date(at, place);
				break;
			case Type.TEXT:
				writer.tag(Tag.TEXT);
				this.#sized(at + 4, int32(raw, at) - 1);
				break;
			case Type.LONG:
				writer.tag(Tag.INTEGER);
				writer.bytes(raw, at, at + 8);
				break;
			case Type.DOUBLE:
				writer.tag(Tag.DOUBLE);
				writer.double(raw.readDoubleLE(at));
				break;
			default:
				this.#rare(type, at);
		}
	}

	#rare(type: number, at: number): void {
		const writer = this.#writer;
		const raw = this.#raw;
		if (type === Type.BOOLEAN) {
			writer.tag(raw[at] === 0 ? Tag.FALSE : Tag.TRUE);
		} else if (type === Type.NULL) {
			writer.tag(Tag.NULL);
		} else if (type === Type.OBJECT_ID) {
			writer.tag(Tag.OBJECT_ID);
			writer.bytes(raw, at, at + 12);
		} else if (type === Type.BINARY && raw[at + 4] === 0) {
			writer.tag(Tag.BLOB);
			this.#sized(at + 5, int32(raw, at));
		} else {
			writer.tag(Tag.FOREIGN);
			writer.tag(type);
			this.#sized(at, sizeOf(raw, type, at));
		}
	}

	#sized(at: number, length: number): void {
		this.#writer.count(length);
		this.#writer.bytes(this.#raw, at, at + length);
	}

	#date(at: number, place: string): void {
		this.#writer.tag(Tag.TIMESTAMP);
		const ms = this.#raw.readInt32LE(at + 4) * 2 ** 32 + this.#raw.readUInt32LE(at);
		const us = this.micros.some ? this.micros.take(place) : 0;
		if (Math.abs(ms) < EXACT) this.#writer.wholeNumber(ms * 1000 + us);
		else this.#writer.wholeBigInt(BigInt.asIntN(64, this.#raw.readBigInt64LE(at) * 1000n + BigInt(us)));
	}

	#array(start: number, place: string): void {
		const raw = this.#raw;
		this.#writer.tag(Tag.ARRAY);
		const mark = this.#writer.uncounted();
		const end = start + int32(raw, start) - 1;
		let count = 0;
		for (let at = start + 4; at < end; count++) {
			const type = raw[at] as number;
			const value = nameEnd(raw, at + 1) + 1;
			this.value(type, value, this.micros.some ? below(place, count) : place);
			at = value + sizeOf(raw, type, value);
		}
		this.#writer.counted(mark, count);
	}

	#document(at: number, place: string, typed: boolean): void {
		const frame = this.#open(this.#inner, at);
		if (!this.#point(frame) && !(typed && this.#reference(frame)) && !this.#kept(frame)) {
			this.#writer.tag(Tag.ENTITY);
			this.reserved(frame, "_key");
			this.fields(frame, place);
		}
		this.#depth--;
	}

	#point({ shape, types, offsets }: Frame): boolean {
		if (shape.point === undefined) return false;
		const { type, coordinates } = shape.point;
		const [name, list] = [offsets[type] as number, offsets[coordinates] as number];
		const raw = this.#raw;
		if (types[type] !== Type.TEXT || types[coordinates] !== Type.ARRAY) return false;
		if (int32(raw, name) !== 6 || raw.compare(POINT, 0, 5, name + 4, name + 9) !== 0) return false;
		// Two doubles, each after its type and a name of one digit.
		if (int32(raw, list) !== 27 || raw[list + 4] !== Type.DOUBLE || raw[list + 15] !== Type.DOUBLE) return false;
		this.#writer.tag(Tag.POINT);
		this.#writer.double(raw.readDoubleLE(list + 18));
		this.#writer.double(raw.readDoubleLE(list + 7));
		return true;
	}

	#reference({ shape, types, offsets }: Frame): boolean {
		if (shape.reference === undefined) return false;
		const { kind, id } = shape.reference;
		const at = offsets[kind] as number;
		if (types[kind] !== Type.TEXT || !this.#isId(types[id] as number, offsets[id] as number)) return false;
		this.#writer.tag(Tag.REFERENCE);
		this.#sized(at + 4, int32(this.#raw, at) - 1);
		this.value(types[id] as number, offsets[id] as number, "");
		return true;
	}

	#isId(type: number, at: number): boolean {
		if (this.#format === "objectId") return type === Type.OBJECT_ID;
		if (this.#format === "integer") return type === Type.LONG;
		return type === Type.TEXT && int32(this.#raw, at) - 1 === ID_LENGTHS[this.#format];
	}

	#kept({ shape, types, offsets }: Frame): boolean {
		if (shape.kept === undefined || types[shape.kept] !== Type.DOCUMENT) return false;
		this.#writer.tag(Tag.KEPT);
		this.value(Type.DOCUMENT, offsets[shape.kept] as number, "", false);
		return true;
	}
}

const EMPTY: DocumentShape = { fields: [], reserved: new Map() };
