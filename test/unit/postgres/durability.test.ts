import {
	checkDurability,
	defaultDurability,
	durabilityOf,
	standbysNeeded,
	synchronousSettings,
} from "../../../runtime/postgres/durability.ts";

test("Patroni's settings: strict is quorum commit that never goes on alone", () => {
	expect(synchronousSettings("async", 1)).toEqual({
		...{ synchronous_mode: false, synchronous_mode_strict: false, synchronous_node_count: 1 },
	});
	expect(synchronousSettings("sync", 2)).toEqual({
		...{ synchronous_mode: true, synchronous_mode_strict: false, synchronous_node_count: 2 },
	});
	expect(synchronousSettings("quorum", 1)).toMatchObject({
		synchronous_mode: "quorum",
		synchronous_mode_strict: false,
	});
	expect(synchronousSettings("strict", 1)).toMatchObject({ synchronous_mode: "quorum", synchronous_mode_strict: true });
});

test("as many standbys are needed as there can be", () => {
	expect(standbysNeeded("async", 5, 1)).toBe(0);
	expect([1, 2, 3, 5].map((members) => standbysNeeded("quorum", members, 2))).toEqual([0, 1, 2, 2]);
});

test("every default can be fulfilled", () => {
	for (let members = 1; members <= 10; members++) checkDurability(defaultDurability(members), members, 1);
	checkDurability("quorum", 1, 1);
	checkDurability("async", 2, 5);
	expect(() => checkDurability("strict", 1, 1)).toThrow("no write could ever be acknowledged");
	expect(() => checkDurability("sync", 2, 2)).toThrow("leaves only 1 standbys");
});

test("Patroni's settings tell which durability they stand for", () => {
	const all = ["async", "sync", "quorum", "strict"] as const;
	expect(all.map((durability) => durabilityOf(synchronousSettings(durability, 1)))).toEqual(all);
	expect(durabilityOf()).toBe("async");
});
