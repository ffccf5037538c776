import fc from "fast-check";
import type { Consistency } from "../../runtime/redis/store.ts";
import type { Fault } from "./faultProxy.ts";

/** Something that goes wrong, for some rounds. Managers 0 and 1 can have wrong clocks; manager 2 is a process to be killed. */
export type Trouble =
	| { kind: "link"; manager: number; node: number; fault: Fault }
	/** Managers 0 and 1 on two sides: one node with the one, the others with the other. */
	| { kind: "split"; manager: number; node: number; fault: Fault }
	| { kind: "killNode"; node: number }
	| { kind: "hangNode"; node: number }
	| { kind: "skew"; manager: number; ms: number }
	| { kind: "reopenManager"; manager: number }
	| { kind: "killManager" }
	| { kind: "forgetScripts"; node: number };

export type Operation =
	| { kind: "write"; manager: number; key: number; ttl: number | null }
	| { kind: "delete"; manager: number; key: number }
	| { kind: "batch"; manager: number; keys: number[] }
	| { kind: "retry"; manager: number; back: number }
	| { kind: "read"; manager: number; key: number; level: Consistency };

export interface Round {
	trouble: Trouble;
	/** Rounds that it lasts. */
	lasts: number;
	/** Side by side. */
	operations: Operation[];
}

const KEYS = 5;
const manager = fc.nat(2);
const node = fc.nat(2);
const key = fc.nat(KEYS - 1);
const fault: fc.Arbitrary<Fault> = fc.oneof(
	fc.constant<Fault>({ kind: "cut" }),
	fc.constant<Fault>({ kind: "blackhole" }),
	fc.constant<Fault>({ kind: "dropReplies" }),
	fc.constant<Fault>({ kind: "hold" }),
	fc.record({ kind: fc.constant("delay" as const), toServerMs: fc.nat(200), toClientMs: fc.nat(200) }),
);
const troubles: readonly fc.Arbitrary<Trouble>[] = [
	fc.record({ kind: fc.constant("link" as const), manager: fc.nat(1), node, fault }),
	fc.record({
		kind: fc.constant("split" as const),
		manager: fc.nat(1),
		node,
		fault: fc.constantFrom<Fault>({ kind: "cut" }, { kind: "blackhole" }),
	}),
	fc.record({ kind: fc.constant("killNode" as const), node }),
	fc.record({ kind: fc.constant("hangNode" as const), node }),
	// Two managers are never further apart than the skew that is allowed.
	fc.record({ kind: fc.constant("skew" as const), manager: fc.nat(1), ms: fc.integer({ min: -25_000, max: 25_000 }) }),
	fc.record({ kind: fc.constant("reopenManager" as const), manager: fc.nat(1) }),
	fc.constant<Trouble>({ kind: "killManager" }),
	fc.record({ kind: fc.constant("forgetScripts" as const), node }),
];
const level = fc.constantFrom<Consistency>("one", "quorum", "quorum", "quorum", "all");
const operation: fc.Arbitrary<Operation> = fc.oneof(
	{
		weight: 4,
		arbitrary: fc.record({
			kind: fc.constant("write" as const),
			manager,
			key,
			ttl: fc.oneof(fc.constant(null), fc.integer({ min: 1, max: 4 })),
		}),
	},
	{ weight: 2, arbitrary: fc.record({ kind: fc.constant("delete" as const), manager, key }) },
	{
		weight: 1,
		arbitrary: fc.record({
			kind: fc.constant("batch" as const),
			manager,
			keys: fc.uniqueArray(key, { minLength: 2, maxLength: 5 }),
		}),
	},
	{ weight: 2, arbitrary: fc.record({ kind: fc.constant("retry" as const), manager, back: fc.nat(30) }) },
	{ weight: 6, arbitrary: fc.record({ kind: fc.constant("read" as const), manager, key, level }) },
);
const operations = fc.array(operation, { minLength: 8, maxLength: 20 });
const round = (trouble: fc.Arbitrary<Trouble>): fc.Arbitrary<Round> =>
	fc.record({ trouble, lasts: fc.integer({ min: 1, max: 3 }), operations });

/** A fault of one link, with a write that goes over it. */
const used = (kind: "blackhole" | "dropReplies" | "hold", manager: number, node: number): fc.Arbitrary<Round> =>
	round(fc.constant({ kind: "link" as const, manager, node, fault: { kind } })).map((one) => ({
		...one,
		operations: [{ kind: "write", manager, key: 0, ttl: null }, ...one.operations],
	}));

/** A schedule in which every trouble occurs, and then any. What takes bytes away comes first, while every link is whole. */
export const schedule = (rounds: number): fc.Arbitrary<Round[]> =>
	fc
		.tuple(
			...[used("blackhole", 0, 0), used("dropReplies", 1, 1), used("hold", 0, 2)],
			...troubles.map(round),
			...Array.from({ length: Math.max(0, rounds - troubles.length - 3) }, () => round(fc.oneof(...troubles))),
		)
		.map((all) => [...all]);
