import { memoryParameters } from "../../../runtime/postgres/memory.ts";

const MB = (text: string): number => {
	expect(text).toMatch(/^\d+MB$/);
	return Number.parseInt(text, 10);
};

test("the default fits 512 MB", () => {
	expect(memoryParameters(512, 100)).toEqual({
		...{ shared_buffers: "128MB", effective_cache_size: "384MB", work_mem: "2MB", maintenance_work_mem: "32MB" },
		...{ max_wal_size: "512MB", min_wal_size: "80MB" },
	});
});

test("grows with the memory, stays within it, and PostgreSQL takes every figure", () => {
	const sizes = [128, 512, 2048, 16_384, 262_144, 4_194_304];
	const found = sizes.map((size) => memoryParameters(size, 100));
	for (const [i, one] of found.entries()) {
		expect(MB(one.shared_buffers)).toBeLessThanOrEqual(sizes[i]! / 4);
		expect(MB(one.shared_buffers)).toBeGreaterThanOrEqual(MB(found[Math.max(0, i - 1)]!.shared_buffers));
		expect(MB(one.effective_cache_size)).toBeLessThan(sizes[i]!);
		// Twice the size of a segment is the least that PostgreSQL takes.
		expect(MB(one.min_wal_size)).toBeGreaterThanOrEqual(32);
		expect(MB(one.max_wal_size)).toBeGreaterThan(MB(one.min_wal_size));
	}
	expect(found.at(-1)).toMatchObject({ shared_buffers: "16384MB", work_mem: "64MB", maintenance_work_mem: "1024MB" });
});

test("more connections get less memory for sorting each", () => {
	expect(memoryParameters(4096, 100).work_mem).toBe("20MB");
	expect(memoryParameters(4096, 1000).work_mem).toBe("2MB");
});
