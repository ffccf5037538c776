import { Long, ObjectId } from "mongodb";
import type { IdFormat } from "./idmap/idMap.ts";

/** The new id that an `_id` is, read without conversions (`promoteValues: false`); `undefined`: it can be none of the map. */
export function newIdOf(id: unknown, format: IdFormat): string | undefined {
	if (format === "objectId") return id instanceof ObjectId ? id.toHexString() : undefined;
	if (format === "integer") return id instanceof Long ? id.toString() : undefined;
	return typeof id === "string" ? id : undefined;
}

const STRING = 0x02;
const OBJECT_ID = 0x07;
const INT64 = 0x12;
/** After the document's length, the type of its first element and the name `_id`. */
const VALUE = 4 + 1 + 4;

/** The new id of a document as the server sent it; servers store `_id` as the first field. */
export function rawNewId(raw: Uint8Array): string | undefined {
	const bytes = Buffer.from(raw.buffer, raw.byteOffset, raw.byteLength);
	switch (bytes[4]) {
		case STRING:
			return bytes.toString("utf8", VALUE + 4, VALUE + 4 + bytes.readInt32LE(VALUE) - 1);
		case OBJECT_ID:
			return bytes.toString("hex", VALUE, VALUE + 12);
		case INT64:
			return bytes.readBigInt64LE(VALUE).toString();
		default:
			return undefined;
	}
}
