import type { Entity, Key, protos, Value } from "../datastore/entity.ts";
import { HoldfastError } from "../errors.ts";
import { type CanonicalWriter, Tag } from "./canonical.ts";
import type { CanonicalKeys } from "./canonicalKeys.ts";
import type { ResolvedRule } from "./kindRule.ts";
import { Place, type Step } from "./place.ts";
import { Shapes } from "./shapes.ts";
import { typeOf } from "./valueType.ts";

/** The names of an entity's properties, in canonical order. */
interface Names {
	/** `name` is that of the source after renames. */
	fields: (Step & { bytes: Buffer })[];
	clash: boolean;
	/** Properties, with those that are left out. */
	all: number;
}

/** `named`: undefined for a property that is left out. */
export const nameShapes = (named: (name: string) => string | undefined): Shapes<Names> =>
	new Shapes((names) => {
		const fields = names.flatMap((source) => {
			const name = named(source);
			return name === undefined ? [] : [{ source, name, bytes: Buffer.from(name) }];
		});
		fields.sort((a, b) => Buffer.compare(a.bytes, b.bytes));
		return { fields, clash: new Set(fields.map(({ name }) => name)).size < fields.length, all: names.length };
	});

const forgotten = () => new HoldfastError("HF_INTERNAL", "an entity was read by the names of another");

const MILLION = 1_000_000n;
const OWN_KEY = { source: "_key", name: "_key" };

/** Writes the canonical form of an entity's values. */
export class CanonicalValues {
	readonly place = new Place();
	readonly #writer: CanonicalWriter;
	readonly #keys: CanonicalKeys;
	/** Times have no tag of their own where the target has plain integers for them. */
	readonly #timeTag: number;
	readonly #inner = nameShapes((name) => name);

	constructor(writer: CanonicalWriter, rule: ResolvedRule, keys: CanonicalKeys) {
		this.#writer = writer;
		this.#keys = keys;
		this.#timeTag = rule.timestamps === "micros" ? Tag.INTEGER : Tag.TIMESTAMP;
	}

	fields({ fields, clash, all }: Names, properties: Record<string, Value>): void {
		if (clash) this.place.fail("NAME_CLASH", "a rename gives two properties one name");
		// The names are remembered by a cache that the other side of a comparison uses too.
		if (Object.keys(properties).length !== all) throw forgotten();
		this.#writer.count(fields.length);
		const depth = this.place.down();
		for (let index = 0; index < fields.length; index++) {
			const field = fields[index] as Names["fields"][number];
			const value = properties[field.source];
			if (value === undefined) throw forgotten();
			this.place.at(depth, field);
			this.#writer.count(field.bytes.length);
			this.#writer.bytes(field.bytes, 0, field.bytes.length);
			this.#value(value);
		}
		this.place.up(depth);
	}

	#value(value: Value): void {
		switch (typeOf(value)) {
			case "timestampValue":
				this.#time(value.timestampValue as protos.google.protobuf.ITimestamp);
				break;
			case "keyValue":
				this.#key(value.keyValue as Key);
				break;
			case "blobValue":
				this.#blob(value.blobValue as Uint8Array | string);
				break;
			case "entityValue":
				this.#entity(value.entityValue as Entity);
				break;
			case "arrayValue":
				this.#array(value.arrayValue?.values ?? []);
				break;
			default:
				this.#plain(value);
		}
	}

	#plain(value: Value): void {
		const writer = this.#writer;
		switch (typeOf(value)) {
			case "stringValue":
				writer.tag(Tag.TEXT);
				writer.text(value.stringValue as string);
				break;
			case "integerValue":
				this.#integer(String(value.integerValue));
				break;
			case "doubleValue":
				writer.tag(Tag.DOUBLE);
				writer.double(value.doubleValue as number);
				break;
			case "booleanValue":
				writer.tag(value.booleanValue ? Tag.TRUE : Tag.FALSE);
				break;
			case "nullValue":
				writer.tag(Tag.NULL);
				break;
			case "geoPointValue":
				writer.tag(Tag.POINT);
				writer.double(value.geoPointValue?.latitude ?? 0);
				writer.double(value.geoPointValue?.longitude ?? 0);
				break;
			default:
				this.place.fail("INVALID_VALUE", "a value without a type");
		}
	}

	#integer(text: string): void {
		this.#writer.tag(Tag.INTEGER);
		const value = Number(text);
		if (Number.isSafeInteger(value)) this.#writer.wholeNumber(value);
		else if (/^-?\d{16,19}$/.test(text)) this.#writer.wholeBigInt(BigInt.asIntN(64, BigInt(text)));
		else this.place.fail("INVALID_VALUE", "not a 64-bit integer");
	}

	#time({ seconds, nanos }: protos.google.protobuf.ITimestamp): void {
		this.#writer.tag(this.#timeTag);
		const micros = Number(seconds ?? 0) * 1e6 + Math.trunc((nanos ?? 0) / 1e3);
		if (Number.isSafeInteger(micros)) this.#writer.wholeNumber(micros);
		else this.#writer.wholeBigInt(BigInt(String(seconds)) * MILLION + BigInt(Math.trunc((nanos ?? 0) / 1e3)));
	}

	#blob(blob: Uint8Array | string): void {
		const bytes = typeof blob === "string" ? Buffer.from(blob, "base64") : blob;
		this.#writer.tag(Tag.BLOB);
		this.#writer.count(bytes.length);
		this.#writer.bytes(bytes, 0, bytes.length);
	}

	#key(key: Key, typed?: boolean): void {
		if (!this.#keys.reference(key, typed)) {
			this.place.fail("UNMAPPED_REFERENCE", "a key that the map does not have");
		}
	}

	#array(values: Value[]): void {
		this.#writer.tag(Tag.ARRAY);
		this.#writer.count(values.length);
		const depth = this.place.down();
		for (let index = 0; index < values.length; index++) {
			this.place.at(depth, index);
			this.#value(values[index] as Value);
		}
		this.place.up(depth);
	}

	#entity({ key, properties }: Entity): void {
		this.#writer.tag(Tag.ENTITY);
		if (key) {
			const depth = this.place.down();
			this.place.at(depth, OWN_KEY);
			this.#key(key, true);
			this.place.up(depth);
		} else {
			this.#writer.tag(Tag.ABSENT);
		}
		const named = (properties ?? {}) as Record<string, Value>;
		this.fields(this.#inner.of(named), named);
	}
}
