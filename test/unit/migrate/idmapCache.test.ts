import { BlockCache } from "../../../runtime/migrate/idmap/blockCache.ts";

const block = () => Buffer.alloc(100);

test("holds no more than its bytes, and lets go what was not used since", () => {
	const cache = new BlockCache(350);
	expect(cache.reserve(4)).toBe(0);
	expect(cache.reserve(2)).toBe(4);
	for (const place of [0, 1, 2]) cache.put(place, block());
	for (const place of [0, 2]) cache.get(place);
	cache.put(5, block());
	expect(cache.held).toBe(300);
	expect([0, 1, 2, 5].map((place) => cache.get(place) !== undefined)).toEqual([true, false, true, true]);
});

test("one block is held, however small the bound", () => {
	const cache = new BlockCache(0);
	cache.reserve(3);
	for (const place of [0, 1, 2, 0]) {
		cache.put(place, block());
		expect(cache.get(place)).toBeDefined();
		expect(cache.held).toBe(100);
	}
});
