import { MongoClient } from "mongodb";
import type { Entity, Value } from "../../runtime/datastore/entity.ts";
import { bigEntity, everyValue, FIELDS, longKey, randomEntities } from "../support/datastoreFixtures.ts";
import { blob, embedded, entity, geo, int, key, ref } from "../support/datastoreValues.ts";
import { fakeMap } from "../support/fakeMap.ts";
import { seeded } from "../support/long.ts";
import { type ReplicaSet, startReplicaSet } from "../support/replicaSet.ts";
import { thing } from "../support/roundTrip.ts";

let set: ReplicaSet;
let client: MongoClient;
beforeAll(async () => {
	set = await startReplicaSet(1);
	client = await MongoClient.connect(set.uri);
});
afterAll(async () => {
	await client?.close();
	await set?.stop();
});

function deep(levels: number): Entity {
	let value: Value = int(1);
	for (let level = 0; level < levels; level++) value = embedded({ a: value });
	return { key: key("Thing", 9_001), properties: { a: value } };
}
const awkward = (at: number): Entity =>
	entity(key("Thing", 8_000 + at), Object.fromEntries(FIELDS.map((name) => [name, embedded({ [name]: int(at) })])));
const full = { key: key("Thing", 9_002), properties: { v: blob(Buffer.alloc(2 ** 24 - 17_000)) } };

test.each([
	"hex",
	"uuid",
	"objectId",
	"integer",
] as const)("a server gives back what it was given, ids %s", async (format) => {
	const rules = thing({ unmapped: "keep", references: "typed", keepOld: true }, fakeMap(format));
	const entities = [
		...randomEntities(seeded("any entities"), "Thing", 500),
		entity(key("Thing", 7_001), everyValue()),
		...[awkward(1), awkward(2), deep(98), full, bigEntity(key("Thing", 9_003))],
		entity(longKey("Thing"), { self: ref(longKey("Thing")) }),
	];
	const collection = client.db("types").collection<{ _id: never }>(format);
	for (const one of entities) expect(rules.transform(one).problem).toBeUndefined();
	const documents = entities.map((one) => rules.document(one) as { _id: never });
	const { insertedIds } = await collection.insertMany(documents, { ordered: false });
	expect(Object.values(insertedIds)).toEqual(documents.map(({ _id }) => _id));
	expect(await collection.countDocuments()).toBe(entities.length);
	for (const [at, one] of entities.entries()) {
		const raw = (await collection.findOne({ _id: documents[at]!._id }, { raw: true })) as unknown as Uint8Array;
		expect(rules.verify(one, raw)).toEqual([]);
		expect(Buffer.compare(raw, rules.bson(one))).toBe(0);
	}
});

test("a geo point can be indexed and found by where it is", async () => {
	const { document } = thing();
	const collection = client.db("types").collection("places");
	await collection.insertOne(document(entity(key("Thing", 1), { place: geo(48.2, 16.4) })) as never);
	await collection.createIndex({ place: "2dsphere" });
	const near = { $geometry: { type: "Point", coordinates: [16.4, 48.2] }, $maxDistance: 1 };
	expect(await collection.countDocuments({ place: { $geoWithin: { $centerSphere: [[16.4, 48.2], 1e-6] } } })).toBe(1);
	expect(await collection.find({ place: { $near: near } }).toArray()).toHaveLength(1);
});
