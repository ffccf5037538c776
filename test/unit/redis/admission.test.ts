import { type Admission, admit, type Standing } from "../../../runtime/redis/admission.ts";
import { entitled } from "../../../runtime/redis/entitled.ts";
import type { Mark, NodeFacts } from "../../../runtime/redis/port.ts";

const DAY = 86_400_000;
const NOW = 1_800_000_000_000;
const options = { now: NOW, graceMs: 9 * DAY, maxSkewMs: 60_000, waited: new Set<string>() };
const ALL = ["a", "b", "c"];

const mark = (more: Partial<Mark> = {}): Mark => ({
	phase: "equal",
	at: NOW - DAY,
	runId: "run",
	members: ALL,
	...more,
});
/** Run ids default to the name: the mark of a node that never restarted has the same. */
function node(name: string, more: { mark?: Partial<Mark> | false; runId?: string; hasRecords?: boolean } = {}) {
	const facts: NodeFacts = {
		...{ runId: more.runId ?? name, version: "7.0.15", hasRecords: more.hasRecords ?? true, clock: NOW },
		...{ memory: { used: 0, limit: 0 }, durability: "everysec" },
		...(more.mark === false ? {} : { mark: mark({ runId: name, ...more.mark }) }),
	};
	return { name, facts };
}
const standings = (...nodes: { name: string; facts?: NodeFacts }[]): Record<string, Standing> =>
	Object.fromEntries([...admit(nodes, options)].map(([name, { standing }]) => [name, standing]));
const may = (name: string, ...nodes: { name: string; facts?: NodeFacts }[]) => {
	const { reads, writes, intact } = admit(nodes, options).get(name)!;
	return { reads, writes, intact };
};

test("a node that never restarted since it was equal is read and written", () => {
	expect(standings(node("a"), node("b"), node("c"))).toEqual({ a: "same", b: "same", c: "same" });
	expect(may("a", node("a"), node("b"))).toEqual({ reads: true, writes: true, intact: true });
});

test("one that never answered is neither", () => {
	expect(may("b", node("a"), { name: "b" })).toEqual({ reads: false, writes: false, intact: false });
});

test("one that restarted takes writes, and is not read", () => {
	expect(standings(node("a"), node("b", { runId: "other" })).b).toBe("restarted");
	expect(may("b", node("a"), node("b", { runId: "other" }))).toEqual({ reads: false, writes: true, intact: false });
	const joining = node("b", { runId: "other", mark: { phase: "joining" } });
	expect(may("b", node("a"), joining)).toEqual({ reads: false, writes: true, intact: false });
});

test("a new one takes writes only when it carries its mark", () => {
	expect(may("d", node("a"), node("d", { mark: false, hasRecords: false })).writes).toBe(false);
	const joining = node("d", { mark: { phase: "joining", members: [] } });
	expect(may("d", node("a"), joining)).toEqual({ reads: false, writes: true, intact: true });
});

test("who finds no mark anywhere writes nowhere until every node has told what it knows, or was waited for", () => {
	const fresh = { mark: { phase: "joining", members: [] } } as const;
	const [a, b, c] = [node("a", fresh), node("b", fresh), { name: "c" }];
	expect(may("a", a, b, c).writes).toBe(false);
	expect(may("a", a, b, node("c", { mark: false, hasRecords: false })).writes).toBe(true);
	expect(admit([a, b, c], { ...options, waited: new Set(["c"]) }).get("a")!.writes).toBe(true);
	expect(may("a", node("a"), b, c).writes).toBe(true);
});

test("while members change, those before are told from the new ones", () => {
	const settled = (mark: Partial<Mark>) => {
		const nodes = [node("a", { mark }), node("b"), node("c", { mark: { phase: "joining" } })];
		return [...admit(nodes, options)].flatMap(([name, { isSettled }]) => (isSettled ? name : [])).join("");
	};
	expect(settled({ members: ["a", "b"], at: NOW })).toBe("ab");
	expect(settled({ members: ALL, former: ["a", "b"], at: NOW })).toBe("ab");
	expect(settled({ members: ALL, at: NOW })).toBe("abc");
	// Of one round, the mark that says it is over.
	const both = [node("a", { mark: { former: ["a", "b"] } }), node("b"), node("c")];
	expect([...admit(both, options).values()].every(({ isSettled }) => isSettled)).toBe(true);
});

test("a new node that begins anew is a witness still: nothing counted by it alone", () => {
	const joining = node("c", { mark: { phase: "joining" } });
	expect(may("c", node("a", { mark: { former: ["a", "b"] } }), joining).intact).toBe(true);
	expect(may("c", node("a"), joining).intact).toBe(false);
});

test("a member that lost everything begins anew, but is no witness of what it acknowledged", () => {
	expect(standings(node("a"), node("b", { mark: false, hasRecords: false })).b).toBe("unmarked");
	expect(standings(node("a"), node("b", { mark: false })).b).toBe("unmarked");
	expect(may("b", node("a"), node("b", { mark: { phase: "joining" } })).intact).toBe(false);
});

test("records without a mark are foreign where others have marks, and taken as they are where nobody has", () => {
	const records = node("d", { mark: false });
	expect(standings(node("a"), records).d).toBe("foreign");
	expect(may("d", node("a"), records)).toEqual({ reads: false, writes: false, intact: false });
	expect(standings(node("a", { mark: false }), records)).toEqual({ a: "unmarked", d: "unmarked" });
});

test("a node of another cluster is foreign, however new its mark", () => {
	const other = node("d", { mark: { members: ["d", "e"], at: NOW } });
	expect(standings(node("a"), node("b"), other)).toEqual({ a: "same", b: "same", d: "foreign" });
});

test("one that was away longer than tombstones live is stale, unless all were", () => {
	const old = { at: NOW - 10 * DAY };
	expect(standings(node("a"), node("b", { mark: old })).b).toBe("stale");
	expect(standings(node("a", { mark: old }), node("b", { mark: old }))).toEqual({ a: "same", b: "same" });
	expect(standings(node("a"), node("b", { mark: { at: NOW - 8 * DAY } })).b).toBe("same");
	const joining = node("d", { mark: { ...old, phase: "joining", members: [] } });
	expect(standings(node("a"), joining).d).toBe("stale");
});

test("a mark from the future proves nothing", () => {
	const future = { at: NOW + DAY };
	expect(standings(node("a"), node("b", { mark: future })).b).toBe("stale");
	expect(standings(node("a", { mark: future }), node("b", { mark: future }))).toEqual({ a: "same", b: "same" });
});

test("one that left and came back is read after a round only", () => {
	const back = node("d", { mark: { members: ["a", "b", "c", "d"], at: NOW - 2 * DAY } });
	expect(may("d", node("a"), node("b"), node("c"), back)).toEqual({ reads: false, writes: true, intact: true });
});

test("a server counts under one name, the listed one", () => {
	expect(standings(node("new", { runId: "a" }), node("a"), node("b"))).toMatchObject({ new: "restarted", a: "twin" });
});

test("whoever finds a node half-wiped leaves it alone", () => {
	expect(standings(node("a"), node("b", { mark: { phase: "wiping" } })).b).toBe("wiping");
});

describe("after a round", () => {
	const admission = (more: Partial<Admission> = {}): Admission => ({
		...{ standing: "same", reads: true, writes: true, intact: true, isOld: true, isSettled: true, ...more },
	});
	const lost = admission({ standing: "restarted", reads: false, intact: false });
	const fresh = admission({ standing: "joining", reads: false, isOld: false, isSettled: false });
	const away = admission();
	const may = (nodes: Record<string, Admission>, equal: string[], waited: string[] = []) =>
		[...entitled({ admissions: new Map(Object.entries(nodes)), equal: new Set(equal), waited: new Set(waited) })].join(
			"",
		);

	test("a minority proves nothing", () => {
		expect(may({ a: away, b: away, c: admission() }, ["c"])).toBe("");
		expect(may({ a: away, b: away, c: admission(), d: admission() }, ["c", "d"], ["c", "d"])).toBe("");
	});

	test("a node that may have lost writes needs every witness, or patience", () => {
		const nodes = { a: away, b: lost, c: admission() };
		expect(may(nodes, ["a", "b", "c"])).toBe("abc");
		expect(may(nodes, ["b", "c"])).toBe("c");
		expect(may(nodes, ["b", "c"], ["b"])).toBe("bc");
	});

	test("when nobody is away, nobody knows more", () => {
		expect(may({ a: lost, b: lost, c: lost }, ["a", "b", "c"])).toBe("abc");
	});

	test("new nodes are no witnesses of what was written before them", () => {
		const nodes = { a: away, b: away, c: admission(), d: fresh, e: fresh };
		expect(may(nodes, ["c", "d", "e"])).toBe("c");
		expect(may(nodes, ["b", "c", "d", "e"])).toBe("bcde");
	});

	test("a cluster of new nodes begins with a majority", () => {
		expect(may({ a: fresh, b: fresh, c: fresh }, ["a", "b"])).toBe("ab");
	});
});
