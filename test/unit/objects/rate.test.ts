import * as fc from "fast-check";
import { firstRate, RateLimiter, rampedUp, slowedDown } from "../../../runtime/migrate/objects/rate.ts";

const MINUTE = 60_000;

describe("the rate of writes", () => {
	it("begins at what a bucket takes, shared among the processes", () => {
		expect(firstRate(5)).toEqual({ perSecond: 1000, since: 5 });
		expect(firstRate(5, 4).perSecond).toBe(250);
	});

	it("doubles after 20 minutes, and not before", () => {
		const first = firstRate(0);
		expect(rampedUp(first, 20 * MINUTE - 1)).toBe(first);
		expect(rampedUp(first, 20 * MINUTE)).toEqual({ perSecond: 2000, since: 20 * MINUTE });
		expect(rampedUp(first, 45 * MINUTE)).toEqual({ perSecond: 4000, since: 40 * MINUTE });
	});

	it("halves when the service is busy, and stands for 20 minutes then", () => {
		const slower = slowedDown(firstRate(0), 19 * MINUTE);
		expect(slower).toEqual({ perSecond: 500, since: 19 * MINUTE });
		expect(rampedUp(slower, 38 * MINUTE).perSecond).toBe(500);
		expect(rampedUp(slower, 39 * MINUTE).perSecond).toBe(1000);
	});

	it("never grows faster than twofold in any 20 minutes, whenever it is asked", () => {
		fc.assert(
			fc.property(fc.array(fc.integer({ min: 1, max: 30 * MINUTE }), { maxLength: 30 }), (gaps) => {
				let [now, rate] = [0, firstRate(0)];
				const seen = [{ now, perSecond: rate.perSecond }];
				for (const gap of gaps) {
					now += gap;
					rate = rampedUp(rate, now);
					seen.push({ now, perSecond: rate.perSecond });
				}
				for (const { now: at, perSecond } of seen) expect(perSecond).toBe(1000 * 2 ** Math.floor(at / (20 * MINUTE)));
			}),
		);
	});
});

describe("a limiter", () => {
	it("lets no more through than the rate", async () => {
		const limiter = new RateLimiter({ processes: 10 });
		const began = performance.now();
		await Promise.all(Array.from({ length: 21 }, () => limiter.take()));
		// 20 turns after the first, at 100 a second.
		expect(performance.now() - began).toBeGreaterThanOrEqual(195);
	});

	it("takes failures of one moment as one", () => {
		let now = 0;
		const limiter = new RateLimiter({ now: () => now });
		for (let failure = 0; failure < 5; failure++) limiter.slowDown();
		expect(limiter.perSecond).toBe(500);
		now = 2000;
		limiter.slowDown();
		expect(limiter.perSecond).toBe(250);
		for (; now < 60_000; now += 2000) limiter.slowDown();
		expect(limiter.perSecond).toBe(10);
	});

	it("ends its waits when it is told to", async () => {
		const limiter = new RateLimiter({ processes: 1000 });
		const stop = new AbortController();
		await limiter.take();
		const turn = limiter.take(stop.signal);
		stop.abort();
		await expect(turn).rejects.toThrow("aborted");
	});
});
