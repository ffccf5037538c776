import { indexPlan } from "../../../runtime/migrate/indexPlan.ts";
import { rulesSchema } from "../../../runtime/migrate/rules.ts";
import { statistics } from "../../../runtime/migrate/statistics.ts";
import {
	array,
	blob,
	double,
	embedded,
	entity,
	geo,
	int,
	key,
	nul,
	ref,
	text,
	time,
	unindexed,
} from "../../support/datastoreValues.ts";

function found() {
	const counted = statistics();
	counted.add(
		"Thing",
		entity(key("Account", 1, "Thing", 1), {
			...{
				n: int(1),
				note: unindexed(text("é".repeat(1_000))),
				at: time(0),
				place: geo(1, 2),
				tags: array(text("a"), int(1)),
			},
			...{
				packed: { ...blob(Buffer.alloc(9)), meaning: 22 },
				in: embedded({ "a.b": ref(key("Thing", 1)) }),
				list: array(),
			},
		}),
	);
	counted.add("Thing", entity(key("Thing", 2), { n: double(1), note: nul(), place: nul() }));
	counted.add("Account", entity(key("Account", 1), {}));
	return counted.result();
}

test("entities are counted by kind, values by property and type", () => {
	const [account, thing] = found();
	expect(account).toEqual({ kind: "Account", entities: 1, children: 0, properties: [], untold: 0 });
	expect(thing).toMatchObject({ kind: "Thing", entities: 2, children: 1, untold: 0 });
	const none = { unindexed: 0, meanings: {}, maxBytes: 0 };
	expect(Object.fromEntries(thing!.properties.map(({ path, ...rest }) => [path.join("/"), rest]))).toEqual({
		at: { ...none, types: { timestampValue: 1 } },
		in: { ...none, types: { entityValue: 1 } },
		"in/a.b": { ...none, types: { keyValue: 1 } },
		list: { ...none, types: { arrayValue: 1 } },
		n: { ...none, types: { integerValue: 1, doubleValue: 1 } },
		note: { ...none, types: { stringValue: 1, nullValue: 1 }, unindexed: 1, maxBytes: 2_000 },
		packed: { ...none, types: { blobValue: 1 }, meanings: { 22: 1 }, maxBytes: 9 },
		place: { ...none, types: { geoPointValue: 1, nullValue: 1 } },
		tags: { ...none, types: { stringValue: 1, integerValue: 1 }, maxBytes: 1 },
	});
});

test("indexes are suggested for what the source indexes, by the names of the target", () => {
	const rules = rulesSchema.parse({ kinds: { Thing: { rename: { n: "number" }, drop: ["tags"] } } });
	const plan = indexPlan(found(), rules);
	expect(plan.map(({ kind, keys }) => [kind, keys])).toEqual([
		["Thing", { _parent: 1 }],
		["Thing", { place: "2dsphere" }],
		["Thing", { number: 1 }],
		["Thing", { note: 1 }],
		["Thing", { at: 1 }],
		["Thing", { "in.a%2Eb": 1 }],
	]);
	expect(plan[3]?.reason).toBe("1 of 2 values are indexed");
	expect(indexPlan(found(), rulesSchema.parse({ kinds: { Thing: { skip: true } } }))).toEqual([]);
});

test("no more indexes are suggested than a collection has, and names that are data do not fill the memory", () => {
	const counted = statistics();
	const names = Array.from({ length: 1_500 }, (_, index) => [`p${index}`, int(1)]);
	counted.add("Thing", entity(key("Thing", 1), Object.fromEntries(names)));
	const [thing] = counted.result();
	expect([thing?.properties.length, thing?.untold]).toEqual([1_000, 500]);
	expect(indexPlan(counted.result(), rulesSchema.parse({}))).toHaveLength(63);
});
