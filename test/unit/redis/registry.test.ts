import {
	adopted,
	type DepartureFacts,
	departure,
	emptyRegistry,
	forgotten,
	listed,
	type Registry,
	without,
} from "../../../runtime/redis/registry.ts";

const at = (i: number) => ({ ip: `10.0.0.${i}`, port: 1 });
const name = (i: number) => `10.0.0.${i}:1`;
const ids = ({ members }: Registry) => [...members.keys()].map((text) => Number(text[7]));
/** Lists that were believed one after another, a second apart. */
const after = (...lists: number[][]) =>
	lists.reduce((registry, list, i) => listed(registry, list.map(at), i * 1000), emptyRegistry);

const facts = (more: Partial<DepartureFacts> = {}): DepartureFacts => ({
	...{ silentSince: new Map(), drainAfter: new Map(), twins: new Set(), graceMs: 600_000, declared: false, ...more },
});
const round = (began: number, ...equal: number[]) => ({ began, equal: new Set(equal.map(name)) });
const drainAfter = new Map([[name(3), 1000]]);

test("who is listed counts at once, who is not still counts", () => {
	const registry = after([1, 2, 3], [1, 2, 4]);
	expect(ids(registry)).toEqual([1, 2, 4, 3]);
	expect(registry.members.get(name(3))!.absent).toEqual({ since: 1000, answers: 1 });
	expect(ids(listed(registry, [at(3)], 5000))).toEqual([3, 1, 2, 4]);
});

test("who belonged together counts too, unless it has left", () => {
	const registry = adopted(after([1]), [at(1), at(2)], 500);
	expect(ids(registry)).toEqual([1, 2]);
	const gone = without(registry, name(2), 600);
	expect(ids(adopted(gone, [at(2)], 700))).toEqual([1]);
	expect(ids(listed(gone, [at(1), at(2)], 800))).toEqual([1, 2]);
});

test("a node that answers leaves after a round that carried all that it has", () => {
	const registry = after([1, 2, 3], [1, 2], [1, 2], [1, 2]);
	expect(departure(registry, 9000, facts({ drainAfter }))).toBeUndefined();
	expect(departure(registry, 9000, facts({ drainAfter, round: round(1000, 1, 2, 3) }))).toBeUndefined();
	expect(departure(registry, 9000, facts({ drainAfter, round: round(1001, 1, 2) }))).toBeUndefined();
	expect(departure(registry, 9000, facts({ round: round(1001, 1, 2, 3) }))).toBeUndefined();
	expect(departure(registry, 9000, facts({ drainAfter, round: round(1001, 1, 2, 3) }))).toBe(name(3));
});

test("a list that was found has to say so three times, a declared one once", () => {
	const more = { drainAfter, round: round(2000, 1, 2, 3) };
	expect(departure(after([1, 2, 3], [1, 2], [1, 2]), 9000, facts(more))).toBeUndefined();
	expect(departure(after([1, 2, 3], [1, 2]), 9000, facts({ ...more, declared: true }))).toBe(name(3));
});

test("a silent one leaves after the grace, counted from when it was both", () => {
	const registry = after([1, 2, 3], [1, 2], [1, 2], [1, 2]);
	const silentSince = new Map([[name(3), 500]]);
	expect(departure(registry, 600_999, facts({ silentSince }))).toBeUndefined();
	expect(departure(registry, 601_000, facts({ silentSince }))).toBe(name(3));
});

test("one at a time, with a round between two", () => {
	const silentSince = new Map([3, 4].map((i) => [name(i), 0]));
	const registry = after([1, 2, 3, 4], [1, 2], [1, 2], [1, 2]);
	const now = 700_000;
	const first = departure(registry, now, facts({ silentSince }))!;
	const one = without(registry, first, now);
	expect(departure(one, now + 1, facts({ silentSince, round: round(now, 1, 2) }))).toBeUndefined();
	expect(departure(one, now + 2, facts({ silentSince, round: round(now + 1, 1, 2) }))).toBe(name(4));
	// A declared list is obeyed in the end, or a majority that is gone for ever could never be taken off it.
	const lost = facts({ silentSince, declared: true, graceMs: 0 });
	expect(departure(without(registry, first, 2000), 500_000, lost)).toBeUndefined();
	expect(departure(without(registry, first, 2000), 700_000, lost)).toBe(name(4));
});

test("nobody leaves an otherwise empty registry, and a mere second name leaves at once", () => {
	const silentSince = new Map([[name(1), 0]]);
	const registry = adopted(emptyRegistry, [at(1)], 0);
	expect(departure(registry, 1e9, facts({ silentSince, declared: true, graceMs: 0 }))).toBeUndefined();
	const twins = new Set([name(2)]);
	expect(departure(after([1, 2], [1]), 1, facts({ twins, declared: true }))).toBe(name(2));
	expect(forgotten(after([1, 2]), name(2)).departed).toBeUndefined();
});
