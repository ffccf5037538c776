import fc from "fast-check";
import type { ReplicaSetInputs } from "../../../runtime/mongo/model.ts";
import { settledTls, type TlsRecord, tlsOptions, turnTls } from "../../../runtime/mongo/tls.ts";

const seed = Number(process.env.HOLDFAST_SEED) || Date.now() % 2 ** 31;
type Wanted = ReplicaSetInputs["tls"];
const MODES = ["off", "allow", "prefer", "require"] as const;
type Mode = (typeof MODES)[number];
/** One `up`: what is asked for, and whether it gets to its end. */
interface Step {
	mode: Mode;
	generation: number;
	others: number[];
	finishes: boolean;
}

const want = (mode: Mode, generation = 1, trusted = [generation]): Wanted =>
	mode === "off" ? undefined : { mode, generation, trusted, ca: `ca of ${trusted}` };
const turn = (tls: TlsRecord | undefined, wanted: Wanted) => turnTls("rs0", { tls }, wanted);
/** The record of a set whose every process runs `mode`. */
const settled = (mode: Mode, generation = 1, trusted = [generation]) =>
	settledTls(turnTls("rs0", undefined, want(mode, generation, trusted)));
const secure = { tls: true, ca: "ca of 1" };

test("a new set begins with any mode, and is reached by what its members accept", () => {
	for (const mode of MODES) {
		const record = turnTls("rs0", undefined, want(mode));
		expect(record?.states.map((state) => state.mode)).toEqual(mode === "off" ? undefined : [mode]);
		expect(tlsOptions(record)).toEqual(mode === "off" ? {} : secure);
	}
});

test.each([
	["off", "allow", {}],
	["allow", "prefer", secure],
	["prefer", "require", secure],
	["require", "prefer", secure],
	["prefer", "allow", secure],
	["allow", "off", {}],
] as const)("%s -> %s: one step, reached by what members of both kinds accept meanwhile", (from, to, options) => {
	const turning = turn(settled(from), want(to));
	expect(turning?.states.map(({ mode }) => mode)).toEqual([to, from]);
	expect(tlsOptions(turning)).toEqual(options);
	expect(settledTls(turning)).toEqual(settled(to));
	expect(turn(turning, want(to))).toEqual(turning);
});

test.each([
	["off", "prefer", "allow"],
	["off", "require", "allow"],
	["allow", "require", "prefer"],
	["require", "allow", "prefer"],
	["require", "off", "prefer"],
	["prefer", "off", "allow"],
] as const)("%s -> %s is refused, and %s named as the next mode", (from, to, next) => {
	expect(() => turn(settled(from), want(to))).toThrow(
		new RegExp(`^HF_SETTING: tls.mode of rs0 cannot go from ${from} to ${to} at once. Next: set it to ${next} `),
	);
});

test("a change that was interrupted goes on or back, and nowhere else", () => {
	const turning = turn(settled("allow"), want("prefer"));
	const modes = (mode: Mode) => turn(turning, want(mode))?.states.map((state) => state.mode);
	expect(modes("prefer")).toEqual(["prefer", "allow"]);
	expect(modes("allow")).toEqual(["allow", "prefer"]);
	expect(() => modes("require")).toThrow("set it to prefer");
	expect(() => modes("off")).toThrow("set it to allow");
});

test("generations are changed only as long as members trust each other", () => {
	const both = turn(settled("require"), want("require", 1, [1, 2]));
	expect(() => turn(settled("require"), want("require", 2, [1, 2]))).toThrow(/tls.trusted to both generations/);
	// Members that trust only the first may still run.
	expect(() => turn(both, want("require", 2, [1, 2]))).toThrow(/^HF_SETTING: members of rs0 that trust 1 and show 1/);
	const signing = turn(settledTls(both), want("require", 2, [1, 2]));
	expect(() => turn(signing, want("require", 2, [2]))).toThrow("HF_SETTING");
	expect(turn(settledTls(signing), want("require", 2, [2]))?.states).toHaveLength(2);
	expect(turn(settled("off"), want("allow", 5))?.states).toHaveLength(2);
});

test(`members in the middle of any accepted change understand each other, and we them (seed ${seed})`, () => {
	const rank = (mode: Mode) => MODES.indexOf(mode);
	const accepts = (mode: Mode, tls: boolean) => (tls ? mode !== "off" : mode !== "require");
	const speaks = (mode: Mode) => rank(mode) >= rank("prefer");
	const step = fc.record({
		mode: fc.constantFrom(...MODES),
		generation: fc.integer({ min: 1, max: 3 }),
		others: fc.uniqueArray(fc.integer({ min: 1, max: 3 })),
		finishes: fc.boolean(),
	});
	let changes = 0;
	const run = (steps: Step[]) => {
		let record: TlsRecord | undefined;
		for (const { mode, generation, others, finishes } of steps) {
			try {
				record = turn(record, want(mode, generation, [...new Set([generation, ...others])]));
			} catch {
				continue;
			}
			const states = record?.states ?? [];
			const ours = tlsOptions(record).tls === true;
			for (const a of states) {
				expect(accepts(a.mode, ours)).toBe(true);
				for (const b of states) {
					expect(accepts(b.mode, speaks(a.mode))).toBe(true);
					if (a.mode !== "off" && b.mode !== "off") expect(b.trusted).toContain(a.generation);
				}
			}
			changes += states.length > 1 ? 1 : 0;
			if (finishes) record = settledTls(record);
		}
	};
	fc.assert(fc.property(fc.array(step, { maxLength: 30 }), run), { seed, numRuns: 500 });
	expect(changes).toBeGreaterThan(100);
});
