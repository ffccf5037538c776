import { Passing, repeater, waitOf } from "../../../runtime/gcs/repeat.ts";

describe("what passes", () => {
	it("is repeated so often, and told to be tried again then", async () => {
		const tries: number[] = [];
		const repeat = repeater({ attempts: 3, firstDelayMs: 1 });
		const failing = repeat(async ({ attempt }) => {
			tries.push(attempt);
			throw new Passing("busy", { status: 503 });
		});
		await expect(failing).rejects.toThrow("HF_RETRY: busy");
		expect(tries).toEqual([0, 1, 2, 3]);
	});

	it("is told from what does not", async () => {
		let tries = 0;
		const failing = repeater({ firstDelayMs: 1 })(async () => {
			tries++;
			throw new Error("wrong");
		});
		await expect(failing).rejects.toThrow("wrong");
		expect(tries).toBe(1);
	});
});

test("Retry-After is seconds or a date", () => {
	const now = Date.parse("2026-01-01T00:00:00Z");
	expect(waitOf("7", now)).toBe(7000);
	expect(waitOf("Thu, 01 Jan 2026 00:00:30 GMT", now)).toBe(30_000);
	expect(waitOf("Thu, 01 Jan 2025 00:00:30 GMT", now)).toBe(0);
	expect(waitOf("99999999", now)).toBe(600_000);
	for (const none of [undefined, "soon", ["1"]]) expect(waitOf(none, now)).toBe(0);
});
