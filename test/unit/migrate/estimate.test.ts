import fc from "fast-check";
import { ASSUMED_WRITES, estimate, fitOf, processesFor } from "../../../runtime/migrate/estimate.ts";

const sampled = { entities: 1000, readSeconds: 1, transformSeconds: 0.5 };

test("bound by what is slowest: the source, this processor, or the target as it is assumed to be", () => {
	expect(estimate({ items: 10_000, sampled, concurrency: 1 })).toMatchObject({
		bound: "source",
		rate: 1000,
		seconds: 10,
	});
	expect(estimate({ items: 10_000, sampled, concurrency: 4 })).toMatchObject({
		bound: "processor",
		rate: 2000,
		seconds: 5,
	});
	expect(estimate({ items: 10_000, sampled, concurrency: 4, processes: 2 })).toMatchObject({ rate: 4000 });
	const quick = { entities: 1000, readSeconds: 1e-3, transformSeconds: 1e-3 };
	expect(estimate({ items: 20_000, sampled: quick, concurrency: 4 })).toMatchObject({
		bound: "target",
		rate: ASSUMED_WRITES,
	});
	expect(
		estimate({ items: 0, sampled: { entities: 0, readSeconds: 0, transformSeconds: 0 }, concurrency: 1 }),
	).toBeUndefined();
});

test("more processes or partitions are never slower", () => {
	const seconds = fc.double({ min: 1e-6, max: 1e3, noNaN: true });
	const size = fc.integer({ min: 1, max: 1_000_000 });
	fc.assert(
		fc.property(
			size,
			size,
			seconds,
			seconds,
			fc.integer({ min: 1, max: 64 }),
			(items, entities, read, transform, n) => {
				const load = { items, sampled: { entities, readSeconds: read, transformSeconds: transform }, concurrency: n };
				const base = estimate(load)!.seconds;
				expect(estimate({ ...load, concurrency: n + 1 })!.seconds).toBeLessThanOrEqual(base);
				expect(estimate({ ...load, processes: 2 })!.seconds).toBeLessThanOrEqual(base);
				expect(Number.isFinite(base)).toBe(true);
			},
		),
	);
});

test("what it rests on is said", () => {
	expect(estimate({ items: 1, sampled, concurrency: 4 })!.assumption).toContain("assumed: a plan writes nothing");
});

test("against the time for which the source serves the read time", () => {
	const now = Date.parse("2026-11-21T10:00:00Z");
	const expiresAt = "2026-11-21T11:00:00Z";
	expect([1800, 1801, 3600, 3601].map((seconds) => fitOf(seconds, expiresAt, now))).toEqual([
		"fits",
		"tight",
		"tight",
		"exceeds",
	]);
	expect(fitOf(1, "2026-11-21T10:00:00Z", now)).toBe("expired");
	expect(fitOf(1e9, undefined, now)).toBe("fits");
	expect(fitOf(undefined, expiresAt, now)).toBe("fits");
});

test("how many processes would do", () => {
	const load = { items: 1_000_000, sampled, concurrency: 4 };
	expect(processesFor(load, 1000)).toBe(1);
	expect(processesFor(load, 300)).toBe(4);
	expect(processesFor(load, 100)).toBeUndefined();
});
