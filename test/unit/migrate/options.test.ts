import { parseOptions } from "../../../scripts/migrate/options.ts";

const parsed = (words: object, environment: NodeJS.ProcessEnv = {}) =>
	parseOptions({ json: false, ...words }, environment);
const none = { json: false, index: 0, count: 1, overwrite: false, takeOver: false, acceptDeadLetters: false };

test("without options there is one process", () => {
	expect(parsed({})).toEqual(none);
});

test("words become numbers and flags", () => {
	const words = { concurrency: "8", maxErrors: "5", sample: "100", metricsPort: "0", overwrite: true, takeOver: true };
	expect(
		parsed({ ...words, acceptDeadLetters: true, readTime: "now", report: "a", check: "b", metricsHost: "0.0.0.0" }),
	).toEqual({
		...{ ...none, concurrency: 8, maxErrors: 5, sample: 100, metricsPort: 0, overwrite: true, takeOver: true },
		...{ acceptDeadLetters: true, readTime: "now", report: "a", check: "b", metricsHost: "0.0.0.0" },
	});
	expect(parsed({ maxErrors: "0.5%" }).maxErrors).toBe("0.5%");
});

test("the place among processes comes from the command line, else from the Job's environment", () => {
	const job = { JOB_COMPLETION_INDEX: "2", HOLDFAST_JOB_COUNT: "4" };
	expect(parsed({}, job)).toMatchObject({ index: 2, count: 4 });
	expect(parsed({ index: "0" }, job)).toMatchObject({ index: 0, count: 4 });
	expect(parsed({ index: "5", count: "6" }, job)).toMatchObject({ index: 5, count: 6 });
	expect(parsed({ count: "1" })).toMatchObject({ index: 0, count: 1 });
});

test.each([
	[{ index: "1" }, /not of how many/],
	[{ count: "2" }, /not which this is/],
	[{ index: "2", count: "2" }, /--index is a whole number from 0 to 1/],
	[{ count: "0", index: "0" }, /--count is a whole number from 1/],
	[{ concurrency: "0" }, /--concurrency/],
	[{ concurrency: "65" }, /--concurrency/],
	[{ concurrency: "1e1" }, /--concurrency/],
	[{ maxErrors: "-1" }, /--max-errors/],
	[{ maxErrors: "1.5" }, /--max-errors/],
	[{ sample: "all" }, /--sample/],
	[{ metricsPort: "65536" }, /--metrics-port/],
])("%j is refused", (words, message) => {
	expect(() => parsed(words)).toThrow(message);
	expect(() => parsed(words)).toThrow(/^HF_USAGE/);
});
