import { checkReadTime, expiryOf, isReadAt, lastWholeMinute } from "../../../runtime/datastore/readTime.ts";

const at = (text: string) => Date.parse(text);

test("the default moment is a whole minute that no clock of a service can have before it", () => {
	expect(lastWholeMinute(at("2026-11-21T10:05:59.999Z"))).toBe("2026-11-21T10:05:00Z");
	expect(lastWholeMinute(at("2026-11-21T10:05:10Z"))).toBe("2026-11-21T10:05:00Z");
	expect(lastWholeMinute(at("2026-11-21T10:05:09.999Z"))).toBe("2026-11-21T10:04:00Z");
	expect(lastWholeMinute(at("2026-11-21T00:00:01Z"))).toBe("2026-11-20T23:59:00Z");
	expect(() => checkReadTime(lastWholeMinute(), 168)).not.toThrow();
});

test("what the source cannot keep is refused at once", () => {
	expect(() => checkReadTime("2026-11-21T10:05:07Z", 1)).not.toThrow();
	expect(() => checkReadTime("2026-11-21T10:05:07Z", 2)).toThrow("HF_SETTING");
	expect(() => checkReadTime("2026-11-21T10:05:00.5Z", 1)).toThrow("HF_SETTING");
	expect(() => checkReadTime("yesterday", 1)).toThrow("HF_SETTING");
});

test("a read time is served for as long as versions are kept", () => {
	expect(expiryOf("2026-11-21T10:05:00Z", 1)).toBe("2026-11-21T11:05:00Z");
	expect(expiryOf("2026-11-21T10:05:00Z", 168)).toBe("2026-11-28T10:05:00Z");
});

test("an answer of another moment, or of none, is told from one of the read time", () => {
	const seconds = String(at("2026-11-21T10:05:00Z") / 1000);
	expect(isReadAt({ seconds, nanos: 0 }, "2026-11-21T10:05:00Z")).toBe(true);
	expect(isReadAt({ seconds, nanos: 1000 }, "2026-11-21T10:05:00Z")).toBe(false);
	expect(isReadAt({ seconds: "0", nanos: 0 }, "2026-11-21T10:05:00Z")).toBe(false);
	expect(isReadAt(null, "2026-11-21T10:05:00Z")).toBe(false);
});
