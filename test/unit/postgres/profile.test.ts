import fc from "fast-check";
import { orphanPatience, type ProfileName, profiles, smallest, timing } from "../../../runtime/postgres/profile.ts";

const seed = Number(process.env.HOLDFAST_SEED) || Date.now() % 2 ** 31;

test("every profile keeps Patroni's rule with a margin", () => {
	for (const name of Object.keys(profiles) as ProfileName[]) {
		const { ttl, loopWait, retryTimeout } = timing(name, {});
		expect(ttl - loopWait - 2 * retryTimeout).toBeGreaterThanOrEqual(2);
	}
	expect(timing("fast", {})).toEqual({ ttl: 20, loopWait: 5, retryTimeout: 6 });
});

test("overrides replace single figures of the profile", () => {
	expect(timing("lan", { ttl: 40, loopWait: undefined })).toEqual({ ttl: 40, loopWait: 10, retryTimeout: 9 });
	expect(() => timing("lan", { retryTimeout: 10 })).toThrow("raise ttl to 32");
	expect(() => timing("lan", { retryTimeout: 2 })).toThrow("retryTimeout is 2 s: Patroni takes at least 3");
});

test(`what is accepted Patroni never changes (seed ${seed})`, () => {
	const figure = (most: number) => fc.option(fc.integer({ min: 0, max: most }), { nil: undefined });
	const overrides = fc.record({ ttl: figure(100), loopWait: figure(40), retryTimeout: figure(40) });
	fc.assert(
		fc.property(fc.constantFrom<ProfileName>("lan", "wan", "fast"), overrides, (profile, given) => {
			let found: ReturnType<typeof timing>;
			try {
				found = timing(profile, given);
			} catch (error) {
				expect(error).toMatchObject({ code: "HF_SETTING" });
				return;
			}
			expect(found.loopWait + 2 * found.retryTimeout).toBeLessThanOrEqual(found.ttl - 2);
			// The orphan of a leader that renewed its lock as late as it may is gone before the lock is.
			const gone = found.loopWait + found.retryTimeout + orphanPatience(found);
			expect(gone).toBeLessThan(found.ttl);
			expect(orphanPatience(found)).toBeGreaterThanOrEqual(found.retryTimeout);
			for (const name of ["ttl", "loopWait", "retryTimeout"] as const)
				expect(found[name]).toBeGreaterThanOrEqual(smallest[name]);
		}),
		{ seed, numRuns: 500 },
	);
});
