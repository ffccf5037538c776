import { nextReadTime, settledReadTime } from "../../../runtime/migrate/readTime.ts";

const at = (text: string) => Date.parse(text);

test("now is a moment that can be pinned and is not before this one", () => {
	expect(nextReadTime(at("2026-11-21T10:00:00.001Z"), 1)).toBe(at("2026-11-21T10:00:01Z"));
	expect(nextReadTime(at("2026-11-21T10:00:00.000Z"), 1)).toBe(at("2026-11-21T10:00:00Z"));
	expect(nextReadTime(at("2026-11-21T10:00:01.000Z"), 168)).toBe(at("2026-11-21T10:01:00Z"));
});

test("it is waited for", async () => {
	const called = Date.now();
	const settled = await settledReadTime("now", 1);
	expect(settled).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
	expect(at(settled)).toBeGreaterThanOrEqual(called);
	expect(at(settled)).toBeLessThan(Date.now());
});

test("a stop ends the wait", async () => {
	await expect(settledReadTime("now", 168, AbortSignal.timeout(10))).rejects.toMatchObject({ code: "HF_RETRY" });
});

test("another time is a whole second in UTC, or a whole minute where more than an hour is kept", async () => {
	expect(await settledReadTime("2026-11-21T10:00:07Z", 1)).toBe("2026-11-21T10:00:07Z");
	for (const [word, hours] of [
		["yesterday", 1],
		["2026-11-21T10:00:00.5Z", 1],
		["2026-11-21T10:00:07Z", 168],
	] as const)
		await expect(settledReadTime(word, hours)).rejects.toMatchObject({ code: "HF_SETTING" });
});
