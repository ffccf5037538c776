import { PageSizes, sizeOf } from "../../../runtime/datastore/pageSize.ts";
import { rawBytes } from "../../../runtime/datastore/raw.ts";
import { bigEntity, plainEntities, randomEntities } from "../../support/datastoreFixtures.ts";
import { array, embedded, entity, key, text, unindexed } from "../../support/datastoreValues.ts";
import { seeded } from "../../support/long.ts";

const MIB = 2 ** 20;

test("the size of an entity is about that of its bytes", () => {
	const nested = entity(key("A", 1), {
		in: array(embedded({ deep: embedded({ t: unindexed(text("é".repeat(9_000))) }) })),
	});
	for (const one of [
		...randomEntities(seeded("sizes"), "A", 100),
		...plainEntities("A", 3),
		bigEntity(key("A", 2)),
		nested,
	]) {
		const bytes = rawBytes(one).length;
		expect(sizeOf(one)).toBeGreaterThan(bytes / 3);
		expect(sizeOf(one)).toBeLessThan(bytes * 3 + 100);
	}
});

test("pages grow to what was asked for while entities are small", () => {
	const sizes = new PageSizes();
	const asked: number[] = [];
	const small = plainEntities("A", 500);
	for (let left = 5; left > 0; left--) {
		asked.push(sizes.of("A", 500));
		sizes.learn("A", small.slice(0, asked.at(-1)));
	}
	expect(asked).toEqual([64, 128, 256, 500, 500]);
	expect(sizes.of("A", 10)).toBe(10);
});

test("pages of big entities hold a few of them, and at least one", () => {
	const sizes = new PageSizes();
	const big = Array.from({ length: 64 }, (_, at) => bigEntity(key("Big", at + 1)));
	sizes.learn("Big", big);
	expect(sizes.of("Big", 500) * MIB).toBeLessThanOrEqual(8 * MIB);
	expect(sizes.of("Big", 500)).toBeGreaterThanOrEqual(1);
	expect(sizes.of("Small", 500)).toBe(64);
	sizes.learn("Big", [entity(key("Big", 1), { b: unindexed(text("x".repeat(50 * MIB))) })]);
	expect(sizes.of("Big", 500)).toBe(1);
});
