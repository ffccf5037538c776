import { proofOf } from "../../../runtime/migrate/proof.ts";
import { checkReport, type GroupReport, type Report, signReport, totals } from "../../../runtime/migrate/report.ts";
import { textOf } from "../../../scripts/migrate/verify.ts";

const group: GroupReport = {
	...{ target: "Item", sources: ["Item"], source: 1234, equal: 1230, different: 1, missing: 2, extra: 3, excused: 1 },
	digests: { source: "a", target: "b" },
};
const report: Report = {
	...{ format: "holdfast-verification-1", migration: "dyff", run: 2, ends: { source: "s", target: "t" } },
	...{ mapHash: "m", rulesHash: "r", loadedAt: "2026-11-21T10:00:00Z", readTime: "2026-11-21T10:00:00Z" },
	...{ tool: "0.1.0", began: "b", completed: "c", seconds: 1.5, groups: [group], omitted: 5 },
	differences: [{ kind: "different", source: "Item:1", target: "Item/x", paths: ["seen: timestamp, 456 us lost"] }],
	...{ verdict: "different", proves: "Nothing." },
};

test("a report says its own hash, whatever the order of its fields", () => {
	const signed = signReport(report);
	expect(signed.sha256).toMatch(/^[0-9a-f]{64}$/);
	const turned = Object.fromEntries(Object.entries(signed).reverse());
	expect(checkReport(JSON.stringify(turned, null, "\t"), "file").sha256).toBe(signed.sha256);
	expect(signReport({ ...report, run: 3 }).sha256).not.toBe(signed.sha256);
});

test("an altered or cut off report is damaged", () => {
	const text = JSON.stringify(signReport(report));
	for (const damaged of [text.replace('"missing":2', '"missing":0'), text.slice(0, -9), "{}", "[]", "null", ""])
		expect(() => checkReport(damaged, "file")).toThrow(/^HF_DAMAGED/);
	expect(() => checkReport(text, "file")).not.toThrow();
});

test("sums", () => {
	expect(totals([group, group])).toEqual({ source: 2468, equal: 2460, different: 2, missing: 4, extra: 6, excused: 2 });
});

test("what it proves is said plainly", () => {
	const times = { loadedAt: "2026-11-21T10:00:00Z", readTime: "2026-11-21T10:00:00Z", excused: 0 };
	const later = { ...times, readTime: "2026-11-21T12:00:00Z" };
	expect(proofOf({ ...times, equal: true })).toContain("What was written to the source since is not covered");
	expect(proofOf({ ...later, equal: true })).toMatch(
		/the source did not change in a way that the target does not have\. Writes after 2026-11-21T12:00:00Z are not covered/,
	);
	expect(proofOf({ equal: true, excused: 0 })).toContain("only if nothing wrote to it meanwhile");
	expect(proofOf({ ...later, equal: false })).toMatch(/^Source and target differ/);
	expect(proofOf({ ...later, equal: true, sample: 10 })).toContain("proves little");
	expect(proofOf({ ...times, equal: true, excused: 3 })).toContain("3 items that the load put aside");
});

test("for people", () => {
	const text = textOf(signReport(report));
	expect(text).toContain("migration dyff, verification 2 at 2026-11-21T10:00:00Z: DIFFERENT");
	expect(text).toMatch(/in all +1,234 +1,230 +1 +2 +3 +1/);
	expect(text).toContain("  different: Item:1 -> Item/x (seen: timestamp, 456 us lost)\n  … and 5 more");
});
