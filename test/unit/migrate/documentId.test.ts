import { BSON, Double, Int32, Long, ObjectId } from "mongodb";
import { idWriter } from "../../../runtime/migrate/bsonValues.ts";
import { newIdOf, rawNewId } from "../../../runtime/migrate/documentId.ts";
import type { IdFormat } from "../../../runtime/migrate/idmap/idMap.ts";

const ids: [IdFormat, string][] = [
	["hex", "00ff00ff00ff00ff00ff00ff00ff00ff"],
	["uuid", "00ff00ff-00ff-80ff-80ff-00ff00ff00ff"],
	["objectId", "00ff00ff00ff00ff00ff00ff"],
	["integer", "1"],
	["integer", "9223372036854775807"],
];

test.each(ids)("a new id in the format %s is read as it was written: %s", (format, id) => {
	const written = idWriter[format](id);
	expect(newIdOf(written, format)).toBe(id);
	const bytes = BSON.serialize({ _id: written, other: "x" });
	expect(rawNewId(bytes)).toBe(id);
	// Servers send documents inside of messages: bytes at an offset of a larger buffer.
	const inside = Buffer.concat([Buffer.alloc(7), bytes]);
	expect(rawNewId(new Uint8Array(inside.buffer, inside.byteOffset + 7, bytes.length))).toBe(id);
});

test("what cannot be an id of the map is none", () => {
	expect(newIdOf("1", "integer")).toBeUndefined();
	expect(newIdOf(new Int32(1), "integer")).toBeUndefined();
	expect(newIdOf(Long.fromNumber(1), "hex")).toBeUndefined();
	expect(newIdOf(new ObjectId(), "hex")).toBeUndefined();
	expect(newIdOf("00ff00ff00ff00ff00ff00ff", "objectId")).toBeUndefined();
	expect(rawNewId(BSON.serialize({ _id: new Double(1) }))).toBeUndefined();
	expect(rawNewId(BSON.serialize({ _id: "é\u{1f600}" }))).toBe("é\u{1f600}");
});
