import fc from "fast-check";
import type { Owner } from "../../../runtime/migrate/checkpoint.ts";
import { decideClaim } from "../../../runtime/migrate/lease.ts";
import { isGone, ownerText, thisProcess } from "../../../runtime/migrate/owner.ts";

const other: Owner = { host: "b", pid: 8, born: "1", boot: "b", space: "s", token: "theirs" };
const me: Owner = { ...other, token: "mine" };

test("a lease that stands is waited for, unless its holder is gone, is us, or is to be pushed aside", () => {
	fc.assert(
		fc.property(
			// A lease that ends beyond what a date can say is none.
			fc.date({ min: new Date(0), max: new Date("9999-01-01"), noInvalidDate: true }),
			fc.integer({ min: -60_000, max: 60_000 }),
			fc.boolean(),
			fc.boolean(),
			fc.boolean(),
			(now, left, gone, takeOver, ours) => {
				const leaseUntil = new Date(now.getTime() + left);
				const verdict = decideClaim({ owner: ours ? me : other, leaseUntil }, { me, now, gone, takeOver });
				if (gone || takeOver || ours) expect(verdict).toBe("force");
				else expect(verdict).toBe(left < 0 ? "expired" : "wait");
			},
		),
	);
});

test("a holder is known to be gone only where its pid means something here", async () => {
	const here = await thisProcess();
	expect(await isGone(here, here)).toBe(false);
	// Another process that had our pid before.
	expect(await isGone({ ...here, born: "1" }, here)).toBe(true);
	expect(await isGone({ ...here, pid: 2 ** 22 + 1 }, here)).toBe(true);
	// Of another container, another machine, or unknown.
	for (const elsewhere of [{ space: "pid:[1]" }, { boot: "another" }, { boot: "" }, { space: "" }])
		expect(await isGone({ ...here, born: "1", ...elsewhere }, here)).toBe(false);
	expect(ownerText(other)).toBe("process 8 of b");
});
