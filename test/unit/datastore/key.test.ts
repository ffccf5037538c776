import { isComplete, keyOf, protoOf } from "../../../runtime/datastore/key.ts";
import { entityOf, rawBytes } from "../../../runtime/datastore/raw.ts";
import { decodeKey, encodeKey } from "../../../runtime/migrate/oldKey.ts";
import { everyValue, longKey, randomEntities, randomKey } from "../../support/datastoreFixtures.ts";
import { embedded, entity, int, key, keyIn, PROJECT } from "../../support/datastoreValues.ts";
import { seeded } from "../../support/long.ts";

test("a key of the service comes back from our bytes as it was", () => {
	const random = seeded("keys");
	const keys = [longKey("Dataset"), ...Array.from({ length: 500 }, () => randomKey(random, "Dataset", "\u{1f600}"))];
	for (const one of keys)
		expect(protoOf(decodeKey(encodeKey(keyOf(one))), PROJECT, "")).toEqual({
			partitionId: one.partitionId,
			path: one.path,
		});
});

test("ids keep all 63 bits, and a name of digits is no id", () => {
	expect(keyOf(key("A", 2n ** 63n - 1n)).path).toEqual([{ kind: "A", id: "9223372036854775807" }]);
	expect(keyOf(entity(key("A", "5"), {}).key!).path).toEqual([{ kind: "A", name: "5" }]);
	expect(keyOf(keyIn("n", "A", 5, "B", "b"))).toEqual({
		namespace: "n",
		path: [
			{ kind: "A", id: "5" },
			{ kind: "B", name: "b" },
		],
	});
});

test("a key without an id or name is told from a complete one", () => {
	const own = entity(key("A", 1), { e: embedded({}, key("B")), none: embedded({}), whole: embedded({}, key("B", 1)) });
	const keyIn = (name: string) => own.properties![name]!.entityValue!.key;
	expect([keyIn("e"), keyIn("none"), keyIn("whole"), own.key].map(isComplete)).toEqual([false, false, true, true]);
	expect(() => keyOf(keyIn("e")!)).toThrow("incomplete");
	expect(() => keyOf({})).toThrow("without a path");
});

test("an entity's bytes hold all that was told of it", () => {
	const random = seeded("raw entities");
	for (const one of [entity(key("A", 1), everyValue()), ...randomEntities(random, "Dataset", 100)]) {
		const bytes = rawBytes(one);
		expect(entityOf(bytes)).toEqual(one);
		expect(rawBytes(entityOf(bytes))).toEqual(bytes);
	}
	// As the client decodes them, which integration tests compare with what emulators send.
	expect(entity(key("A", 1), { n: int(2n ** 63n - 1n) }).properties).toEqual({
		n: { integerValue: "9223372036854775807", valueType: "integerValue", meaning: 0, excludeFromIndexes: false },
	});
	expect(() => entityOf(rawBytes(entity(key("A", 1), everyValue())).subarray(0, -3))).toThrow("HF_DAMAGED");
});
