import { Double, Long } from "mongodb";
import type { Entity, Key, protos, Value } from "../datastore/entity.ts";
import { longOf, longOfNumber } from "./bsonValues.ts";
import type { IdFormat, IdMap } from "./idmap/idMap.ts";
import type { ResolvedRule } from "./kindRule.ts";
import { Place } from "./place.ts";
import { References } from "./references.ts";
import type { Shapes } from "./shapes.ts";
import { innerShapes, isMistakable, type Shape, withRoom } from "./transformShape.ts";
import { typeOf } from "./valueType.ts";

type Properties = Record<string, Value>;
export type Fields = Record<string, unknown>;

/** Seconds whose microseconds a double holds exactly. */
const EXACT_SECONDS = 9e9;
const OWN_KEY = { source: "_key", name: "_key" };

/** Turns values into what BSON writes, one entity after another. */
export class ValueWriter {
	/** Upper bound of the BSON that was made since `begin`. */
	bytes = 0;
	/** What the dates since `begin` cannot hold. */
	micros: { path: (string | number)[]; us: Long }[] | undefined;
	readonly place = new Place();
	readonly references: References;
	readonly #timestamps: ResolvedRule["timestamps"];
	readonly #format: IdFormat;
	readonly #shapes: Shapes<Shape>;

	constructor(rule: ResolvedRule, map: IdMap) {
		this.references = new References(rule, map);
		this.#timestamps = rule.timestamps;
		this.#format = map.format;
		this.#shapes = innerShapes(rule);
	}

	begin(home: Entity["key"]): void {
		this.bytes = 0;
		this.micros = undefined;
		this.place.begin();
		this.references.begin(home);
	}

	/** The document that has the fields in their order after those of `head`. */
	fields(shape: Shape, properties: Properties, head: Fields): Fields {
		const into = withRoom(shape, head);
		const { fields } = shape;
		const depth = this.place.down();
		for (let index = 0; index < fields.length; index++) {
			const field = fields[index] as Shape["fields"][number];
			this.place.at(depth, field);
			this.bytes += field.bytes;
			into[field.name] = this.value(properties[field.source] as Value);
		}
		this.place.up(depth);
		return into;
	}

	/** Where an object would not keep the fields as they are. */
	mapped({ fields }: Shape, properties: Properties, into: Map<string, unknown>): void {
		const depth = this.place.down();
		for (const field of fields) {
			this.place.at(depth, field);
			this.bytes += field.bytes;
			into.set(field.name, this.value(properties[field.source] as Value));
		}
		this.place.up(depth);
	}

	value(value: Value): unknown {
		this.bytes += 12;
		switch (typeOf(value)) {
			case "stringValue":
				return this.#text(value.stringValue as string);
			case "integerValue":
				return longOf(String(value.integerValue)) ?? this.place.fail("INVALID_VALUE", "not a 64-bit integer");
			case "doubleValue":
				return new Double(value.doubleValue as number);
			case "booleanValue":
				return value.booleanValue;
			case "nullValue":
				return null;
			case "timestampValue":
				return this.#timestamp(value.timestampValue as protos.google.protobuf.ITimestamp);
			case "keyValue":
				return this.#key(value.keyValue as Key);
			case "arrayValue":
				return this.#array(value.arrayValue?.values ?? []);
			case "entityValue":
				return this.#entity(value.entityValue as Entity);
			case "blobValue":
				return this.#blob(value.blobValue as Uint8Array | string);
			case "geoPointValue":
				return this.#point(value.geoPointValue as protos.google.type.ILatLng);
			default:
				return this.place.fail("INVALID_VALUE", "a value without a type");
		}
	}

	#text(text: string): string {
		if (!text.isWellFormed()) this.place.fail("INVALID_VALUE", "text that is not Unicode");
		this.bytes += text.length * 3;
		return text;
	}

	#blob(blob: Uint8Array | string): Uint8Array {
		const bytes = typeof blob === "string" ? Buffer.from(blob, "base64") : blob;
		this.bytes += bytes.length;
		return bytes;
	}

	#point({ latitude, longitude }: protos.google.type.ILatLng): Fields {
		this.bytes += 64;
		return { type: "Point", coordinates: [new Double(longitude ?? 0), new Double(latitude ?? 0)] };
	}

	#timestamp(value: protos.google.protobuf.ITimestamp): Date | Long {
		const seconds = Number(value.seconds ?? 0);
		const nanos = value.nanos ?? 0;
		if (nanos % 1000 !== 0) this.place.fail("INVALID_VALUE", "a time with parts of a microsecond");
		if (this.#timestamps === "micros") {
			if (Math.abs(seconds) < EXACT_SECONDS) return longOfNumber(seconds * 1e6 + nanos / 1000);
			return Long.fromBigInt(BigInt(seconds) * 1_000_000n + BigInt(nanos / 1000));
		}
		const date = new Date(seconds * 1000 + Math.floor(nanos / 1e6));
		if (Number.isNaN(date.getTime())) this.place.fail("INVALID_VALUE", "a time that is no date");
		const us = (nanos / 1000) % 1000;
		if (us !== 0) this.#keep(us);
		return date;
	}

	#keep(us: number): void {
		const path = this.place.names();
		this.micros ??= [];
		this.micros.push({ path, us: new Long(us, 0) });
		this.bytes += 48;
		for (const step of path) this.bytes += 12 + (typeof step === "number" ? 4 : step.length * 3);
	}

	#array(values: Value[]): unknown[] {
		const into = new Array<unknown>(values.length);
		const depth = this.place.down();
		for (let index = 0; index < values.length; index++) {
			this.place.at(depth, index);
			this.bytes += 9;
			into[index] = this.value(values[index] as Value);
		}
		this.place.up(depth);
		return into;
	}

	#key(key: Key, typed?: boolean): unknown {
		const written = this.references.written(key, typed);
		this.bytes += this.references.bytes;
		if (written === undefined) this.place.fail("UNMAPPED_REFERENCE", "a key that the map does not have");
		return written;
	}

	#entity(entity: Entity): Fields | Map<string, unknown> {
		const { key } = entity;
		const properties = (entity.properties ?? {}) as Properties;
		let shape = this.#shapes.of(properties);
		const { lookalike } = shape;
		if (lookalike && !key && isMistakable(lookalike.of, entity, this.#format)) shape = lookalike.instead;
		const own: Fields = key ? { _key: this.#ownKey(key) } : {};
		if (shape.asMap) {
			const into = new Map(Object.entries(own));
			this.mapped(shape, properties, into);
			return into;
		}
		return this.fields(shape, properties, own);
	}

	#ownKey(key: Key): unknown {
		const depth = this.place.down();
		this.place.at(depth, OWN_KEY);
		const written = this.#key(key, true);
		this.place.up(depth);
		return written;
	}
}
