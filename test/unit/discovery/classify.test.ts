import fc from "fast-check";
import type { Answer } from "../../../runtime/discovery/answer.ts";
import { type Belief, SHRUNK_MS, SHRUNK_TIMES, type Verdict, weigh } from "../../../runtime/discovery/classify.ts";
import type { Address } from "../../../runtime/discovery/source.ts";

const seed = Number(process.env.HOLDFAST_SEED) || Date.now() % 2 ** 31;
const at = (i: number): Address => ({ ip: `10.0.0.${i}`, port: 6379 });
const list = (...ids: number[]): Answer => ({ kind: "list", addresses: ids.map(at) });
const believed = ({ addresses }: Belief) => addresses?.map(({ ip }) => Number(ip.split(".")[3]));

/** What is believed after answers that came at these times, and each verdict. */
function weighAll(answers: readonly (readonly [Answer, number])[], declared = false) {
	let belief: Belief = {};
	const verdicts: Verdict[] = [];
	for (const [answer, time] of answers) {
		const [next, verdict] = weigh(belief, answer, time, declared);
		belief = next;
		verdicts.push(verdict);
	}
	return { belief: believed(belief), verdicts };
}

test("one node may come or go at a time, any number may come", () => {
	expect(
		weighAll([
			[list(1, 2, 3), 0],
			[list(1, 2, 3, 4, 5), 1],
			[list(1, 2, 3, 5), 2],
		]).belief,
	).toEqual([1, 2, 3, 5]);
});

test.each([
	["two of five", [1, 2, 3, 4, 5], [1, 2, 3]],
	["one of two", [1, 2], [1]],
	["all, for others", [1, 2, 3], [4, 5, 6]],
])("%s lost is shrunk, and changes nothing", (_, before, after) => {
	const { belief, verdicts } = weighAll([
		[list(...before), 0],
		[list(...after), 1],
	]);
	expect(verdicts).toEqual(["ok", "shrunk"]);
	expect(belief).toEqual(before);
});

test("a shorter list is believed when it was the same often enough and long enough", () => {
	const first = [list(1, 2, 3), 0] as const;
	const steady = Array.from(
		{ length: SHRUNK_TIMES },
		(_, i) => [list(1), (i * SHRUNK_MS) / (SHRUNK_TIMES - 1)] as const,
	);
	expect(weighAll([first, ...steady]).belief).toEqual([1]);
	expect(weighAll([first, ...steady.slice(0, -1)]).belief).toEqual([1, 2, 3]);
	const soon = steady.map(([answer], i) => [answer, i] as const);
	expect(weighAll([first, ...soon, ...soon]).belief).toEqual([1, 2, 3]);
	const interrupted = steady.flatMap(([answer, time]) => [[answer, time] as const, [list(2), time] as const]);
	expect(weighAll([first, ...interrupted]).belief).toEqual([1, 2, 3]);
	const silent = steady.flatMap(([answer, time]) => [
		[answer, time] as const,
		[{ kind: "unavailable", problem: "" }, time] as const,
	]);
	expect(weighAll([first, ...silent]).belief).toEqual([1]);
});

test("a declared list is believed at once", () => {
	expect(
		weighAll(
			[
				[list(1, 2, 3), 0],
				[list(1), 1],
			],
			true,
		).belief,
	).toEqual([1]);
});

test(`no story of failures makes a believed list shorter (seed ${seed})`, () => {
	const failure: fc.Arbitrary<Answer> = fc.constantFrom(
		{ kind: "empty" },
		{ kind: "malformed", problem: "" },
		{ kind: "unavailable", problem: "" },
	);
	fc.assert(
		fc.property(
			fc.array(failure),
			fc.boolean(),
			fc.uniqueArray(fc.integer({ min: 1, max: 9 }), { minLength: 1 }),
			(answers, declared, ids) => {
				const story = [list(...ids), ...answers].map((answer, i) => [answer, i * SHRUNK_MS] as const);
				const { belief, verdicts } = weighAll(story, declared);
				expect(belief).toEqual(ids);
				expect(verdicts.slice(1)).toEqual(answers.map(({ kind }) => kind));
			},
		),
		{ seed },
	);
});
