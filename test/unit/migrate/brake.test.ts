import fc from "fast-check";
import { decideBrake, type Following } from "../../../runtime/migrate/brake.ts";

const calm: Following = {
	committed: 1000,
	applied: 1001,
	members: [{ host: "b:1", at: 1000 }, { host: "c:1" }],
	oplog: { first: 0, last: 1001, bytes: 100, maxBytes: 100 },
};

test("writes go on while the members follow", () => {
	expect(decideBrake(calm)).toBeUndefined();
});

test("writes wait while a majority is more than 10 s behind", () => {
	expect(decideBrake({ ...calm, applied: 1010 })).toBeUndefined();
	expect(decideBrake({ ...calm, applied: 1012 })).toBe("a majority of the members is 12 s behind");
});

test("writes wait before a member that is away has lost half of its place in the oplog", () => {
	const away = (at: number): Following => ({ ...calm, members: [{ host: "b:1", at }] });
	expect(decideBrake(away(501))).toBeUndefined();
	expect(decideBrake(away(500))).toBe("b:1 is 501 s behind, and the oplog holds 1001 s");
});

test("an oplog that is not full holds more than it has", () => {
	const young = {
		...calm,
		members: [{ host: "b:1", at: 20 }],
		oplog: { first: 0, last: 60, bytes: 10, maxBytes: 100 },
	};
	expect(decideBrake(young)).toBeUndefined();
	expect(decideBrake({ ...young, oplog: { ...young.oplog, bytes: 100 } })).toContain("b:1 is 40 s behind");
	expect(decideBrake({ ...young, oplog: { ...young.oplog, bytes: 0 } })).toBeUndefined();
});

test("whoever is further behind never makes writes go on", () => {
	const past = fc.integer({ min: 0, max: 1000 });
	fc.assert(
		fc.property(past, past, fc.integer({ min: 1, max: 100 }), (a, b, bytes) => {
			const at = (when: number) => ({
				...calm,
				members: [{ host: "b:1", at: when }],
				oplog: { ...calm.oplog, bytes },
			});
			if (decideBrake(at(Math.max(a, b))) !== undefined) expect(decideBrake(at(Math.min(a, b)))).toBeDefined();
		}),
	);
});
