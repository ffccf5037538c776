import type { Value } from "../../../runtime/datastore/entity.ts";
import type { IdFormat } from "../../../runtime/migrate/idmap/idMap.ts";
import {
	array,
	double,
	embedded,
	entity,
	geo,
	int,
	key,
	type Properties,
	ref,
	text,
} from "../../support/datastoreValues.ts";
import { fakeMap } from "../../support/fakeMap.ts";
import { thing } from "../../support/roundTrip.ts";

const pair = array(double(16.4), double(48.2));
const [hex, uuid] = ["a".repeat(32), "0".repeat(36)];
const made = (v: Value) => entity(key("Thing", 1), { v, list: array(v) });

/** The names of the fields that an embedded entity becomes; that it is read back as itself is checked. */
function names(properties: Properties, references: "id" | "typed" = "id", format: IdFormat = "hex"): string[] {
	const { document, bson, verify, target } = thing({ references, unmapped: "keep" }, fakeMap(format));
	const one = made(embedded(properties));
	expect(verify(one, bson(one))).toEqual([]);
	for (const other of [geo(48.2, 16.4), ref(key("Thing", 2)), ref(key("Gone", 2))]) {
		expect(target(bson(made(other))).equals(target(bson(one)))).toBe(false);
	}
	return Object.keys(document(one).v as object);
}

test("what a geo point looks like is escaped, what it only resembles is not", () => {
	expect(names({ type: text("Point"), coordinates: pair })).toEqual(["%74ype", "coordinates"]);
	const others: Value[] = [text("Poinr"), text("Points"), text("Polygon"), int(6), text("")];
	for (const type of others) expect(names({ type, coordinates: pair })).toEqual(["coordinates", "type"]);
	const lists: Value[] = [
		array(double(1)),
		array(double(1), int(1)),
		array(double(1), double(2), double(3)),
		text("x".repeat(22)),
	];
	for (const coordinates of [...lists, embedded({ 0: double(1), 1: double(2) })]) {
		expect(names({ type: text("Point"), coordinates })).toEqual(["coordinates", "type"]);
	}
	expect(names({ type: text("Point"), coordinates: pair, more: int(1) })).toEqual(["coordinates", "more", "type"]);
});

test.each<[IdFormat, Value]>([
	["hex", text(hex)],
	["uuid", text(uuid)],
	["integer", int(5)],
])("what a typed reference looks like is escaped where there are such, ids %s", (format, id) => {
	expect(names({ kind: text("Thing"), id }, "typed", format)).toEqual(["%6Bind", "id"]);
	expect(names({ kind: text("Thing"), id }, "id", format)).toEqual(["id", "kind"]);
	expect(names({ kind: int(1), id }, "typed", format)).toEqual(["id", "kind"]);
	expect(names({ kind: text("Thing"), id: text("short") }, "typed", format)).toEqual(["id", "kind"]);
	expect(names({ kind: text("Thing"), id: double(5) }, "typed", format)).toEqual(["id", "kind"]);
	expect(names({ kind: text("Thing"), id, more: int(1) }, "typed", format)).toEqual(["id", "kind", "more"]);
});

test("no value of the source looks like an ObjectId", () => {
	for (const id of [text(hex), int(5)]) {
		expect(names({ kind: text("Thing"), id }, "typed", "objectId")).toEqual(["id", "kind"]);
	}
});

test("with a key of its own an embedded entity looks like nothing else", () => {
	const one = made(embedded({ type: text("Point"), coordinates: pair }, key("Part", 1)));
	const { document, bson, verify } = thing();
	expect(Object.keys(document(one).v as object)).toEqual(["_key", "coordinates", "type"]);
	expect(verify(one, bson(one))).toEqual([]);
});
