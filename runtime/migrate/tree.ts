import { Tag } from "./canonical.ts";

/** A canonical form, taken apart. Names that are not those of a property are told in `<…>`. */
export type Tree =
	| { tag: "absent" | "null" | "true" | "false" }
	| { tag: "integer" | "timestamp"; value: bigint }
	| { tag: "double"; bits: bigint }
	| { tag: "text" | "blob" | "objectId"; bytes: Buffer }
	| { tag: "point"; latitude: bigint; longitude: bigint }
	| { tag: "reference"; kind: Buffer; id: Tree }
	| { tag: "kept"; parts: Tree }
	| { tag: "array"; items: Tree[] }
	| { tag: "entity"; key: Tree; fields: [string, Tree][] }
	| { tag: "foreign"; type: number; bytes: Buffer };

export interface RootTree {
	id: Tree;
	parent: Tree;
	old: Tree;
	fields: [string, Tree][];
	/** Entries of `_micros` that belong to no date. */
	stray: number;
}

class TreeReader {
	readonly #form: Buffer;
	#at = 0;

	constructor(form: Buffer) {
		this.#form = form;
	}

	byte(): number {
		return this.#form.readUInt8(this.#at++);
	}

	count(): number {
		this.#at += 4;
		return this.#form.readUInt32LE(this.#at - 4);
	}

	bits(): bigint {
		return this.take(8).readBigUInt64LE();
	}

	take(length: number): Buffer {
		this.#at += length;
		return this.#form.subarray(this.#at - length, this.#at);
	}

	sized(): Buffer {
		return this.take(this.count());
	}

	fields(): [string, Tree][] {
		return Array.from({ length: this.count() }, () => [nameOf(this.sized()), this.value()]);
	}

	value(): Tree {
		const tag = this.byte();
		switch (tag) {
			case Tag.ABSENT:
				return { tag: "absent" };
			case Tag.NULL:
				return { tag: "null" };
			case Tag.FALSE:
				return { tag: "false" };
			case Tag.TRUE:
				return { tag: "true" };
			case Tag.INTEGER:
				return { tag: "integer", value: this.take(8).readBigInt64LE() };
			case Tag.TIMESTAMP:
				return { tag: "timestamp", value: this.take(8).readBigInt64LE() };
			case Tag.DOUBLE:
				return { tag: "double", bits: this.bits() };
			case Tag.TEXT:
				return { tag: "text", bytes: this.sized() };
			case Tag.BLOB:
				return { tag: "blob", bytes: this.sized() };
			case Tag.POINT:
				return { tag: "point", latitude: this.bits(), longitude: this.bits() };
			case Tag.OBJECT_ID:
				return { tag: "objectId", bytes: this.take(12) };
			case Tag.REFERENCE:
				return { tag: "reference", kind: this.sized(), id: this.value() };
			case Tag.KEPT:
				return { tag: "kept", parts: this.value() };
			case Tag.ARRAY:
				return { tag: "array", items: Array.from({ length: this.count() }, () => this.value()) };
			case Tag.ENTITY:
				return { tag: "entity", key: this.value(), fields: this.fields() };
			case Tag.FOREIGN:
				return { tag: "foreign", type: this.byte(), bytes: this.sized() };
			default:
				throw new RangeError(`not a canonical form: tag ${tag}`);
		}
	}
}

const nameOf = (bytes: Buffer): string => (bytes[0] === 0xff ? `<${bytes.toString("utf8", 1)}>` : bytes.toString());

/** What a canonical form says; RangeError for other bytes. */
export function treeOf(form: Uint8Array): RootTree {
	const reader = new TreeReader(Buffer.from(form.buffer, form.byteOffset, form.byteLength));
	if (reader.byte() !== Tag.ROOT) throw new RangeError("not a canonical form");
	return {
		id: reader.value(),
		parent: reader.value(),
		old: reader.value(),
		fields: reader.fields(),
		stray: reader.count(),
	};
}
