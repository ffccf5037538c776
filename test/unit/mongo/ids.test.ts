import { allocateId, rememberIds } from "../../../runtime/mongo/ids.ts";
import type { SetConfig } from "../../../runtime/mongo/state.ts";

const config = (ids: Record<string, number>): SetConfig => ({
	...{ _id: "rs0", version: 1, term: 1, rest: {} },
	settings: { replicaSetId: "650000000000000000000001", electionTimeoutMillis: 10_000, rest: {} },
	members: Object.entries(ids).map(([host, _id]) => ({
		_id,
		host,
		votes: 1,
		priority: 1,
		hidden: false,
		arbiterOnly: false,
		rest: {},
	})),
});

test("a new host gets an _id above all that were ever used", () => {
	expect(allocateId(config({ a: 0 }), "b", {})).toBe(1);
	expect(allocateId(config({ a: 0, b: 5 }), "c", {})).toBe(6);
	expect(allocateId(config({ a: 0 }), "d", { a: 0, b: 1, c: 2 })).toBe(3);
});

test("a host that comes back gets its former _id, unless that is taken", () => {
	expect(allocateId(config({ a: 0 }), "b", { b: 1, c: 2 })).toBe(1);
	expect(allocateId(config({ a: 0, c: 1 }), "b", { b: 1 })).toBe(2);
});

test("beyond 255 it takes the lowest that is unknown, then the one longest unused", () => {
	expect(allocateId(config({ a: 0, z: 255 }), "b", { c: 1 })).toBe(2);
	const all = Object.fromEntries(Array.from({ length: 256 }, (_, id) => [`h${(id + 100) % 256}`, (id + 100) % 256]));
	expect(allocateId(config({ h100: 100, h102: 102 }), "new", all)).toBe(101);
});

test("the ledger keeps who left, longest absent first", () => {
	const once = rememberIds({}, config({ a: 0, b: 1, c: 2 }));
	const twice = rememberIds(rememberIds(once, config({ a: 0, c: 2 })), config({ a: 0 }));
	expect(Object.entries(twice)).toEqual([
		["b", 1],
		["c", 2],
		["a", 0],
	]);
	expect(Object.entries(rememberIds(twice, config({ a: 0, b: 3 })))).toEqual([
		["c", 2],
		["a", 0],
		["b", 3],
	]);
});
