import fc from "fast-check";
import { clock, known, type Meter, measure, meter, pace } from "../../../runtime/migrate/eta.ts";

const after = (points: [number, number][], done = 0): Meter =>
	points.reduce((now, [at, count]) => measure(now, at, count), meter(0, done));

test("a steady rate is measured as it is, whatever the length of the pages", () => {
	const steady = fc.array(fc.integer({ min: 1, max: 5000 }), { minLength: 1, maxLength: 50 });
	fc.assert(
		fc.property(steady, fc.integer({ min: 1, max: 10_000 }), (waits, rate) => {
			let at = 0;
			const points = waits.map((wait): [number, number] => {
				at += wait;
				return [at, (at / 1000) * rate];
			});
			expect(pace(after(points)).rate).toBeCloseTo(rate, 5);
		}),
	);
});

test("the rate forgets: a minute after a change it is nearly the new one, and it never leaves the range", () => {
	const slow: [number, number][] = Array.from({ length: 60 }, (_, second) => [(second + 1) * 1000, (second + 1) * 10]);
	const fast: [number, number][] = Array.from({ length: 60 }, (_, second) => [
		61_000 + second * 1000,
		600 + (second + 1) * 100,
	]);
	expect(pace(after(slow)).rate).toBeCloseTo(10);
	const { rate } = pace(after([...slow, ...fast]));
	expect(rate).toBeGreaterThan(85);
	expect(rate).toBeLessThanOrEqual(100);
});

test("what was done before a resume is no work of this run", () => {
	expect(pace(after([[1000, 1010]], 1000)).rate).toBeCloseTo(10);
	const told = known(after([[1000, 10]]), 5000);
	expect(pace(measure(told, 2000, 5020)).rate).toBeCloseTo(10);
});

test("a count that goes back is no progress, and two words at once are no infinite rate", () => {
	expect(
		pace(
			after([
				[1000, 10],
				[2000, 5],
			]),
		).rate,
	).toBeLessThan(10);
	expect(pace(after([[0, 100]])).rate).toBe(0);
});

test("time that is left, where it is known", () => {
	expect(pace(after([[1000, 10]]), 110)).toEqual({ rate: 10, eta: 10 });
	expect(pace(after([[1000, 10]]), 5)).toEqual({ rate: 10, eta: 0 });
	expect(pace(after([[1000, 10]]))).toEqual({ rate: 10 });
	expect(pace(meter(0), 10)).toEqual({ rate: 0 });
});

test("clocks", () => {
	expect([0, 59.6, 61, 3600, 3909].map(clock)).toEqual(["0:00", "1:00", "1:01", "1:00:00", "1:05:09"]);
});
