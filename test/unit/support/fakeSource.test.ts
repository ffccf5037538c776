import { splitKind } from "../../../runtime/datastore/split.ts";
import { HoldfastError } from "../../../runtime/errors.ts";
import { plainEntities } from "../../support/datastoreFixtures.ts";
import { entity, int, key, keyIn } from "../../support/datastoreValues.ts";
import { FakeDatastore } from "../../support/fakeSource.ts";

const RANGE = { namespace: "", kind: "A" };
const item = (id: number, n: number) => entity(key("A", id), { n: int(n) });

test("a read time sees what was there then, and without one the newest", async () => {
	const store = new FakeDatastore([item(1, 1), item(2, 1)], "2026-11-21T10:00:00Z");
	store.write("2026-11-21T10:05:00Z", { put: [item(1, 2), item(3, 2)], remove: [item(2, 1)] });
	const seen = async (options: Parameters<typeof store.open>[0]) => {
		const source = store.open(options);
		const { entities } = await source.page(RANGE, undefined, 10);
		expect(await source.count("", "A")).toBe(entities.length);
		return entities.map((one) => `${one.key!.path![0]!.id}=${one.properties!.n!.integerValue}`);
	};
	expect(await seen({ readTime: "2026-11-21T09:59:00Z" })).toEqual([]);
	expect(await seen({ readTime: "2026-11-21T10:04:59Z" })).toEqual(["1=1", "2=1"]);
	expect(await seen({ readTime: "2026-11-21T10:05:00Z" })).toEqual(["1=2", "3=2"]);
	expect(await seen({})).toEqual(["1=2", "3=2"]);
	expect(await seen({ readTime: "2026-11-21T10:04:59Z", pinned: false })).toEqual(["1=2", "3=2"]);
});

test("it answers as the real source does", async () => {
	const source = new FakeDatastore([...plainEntities("A", 1_000), entity(keyIn("n", "B", 1), {})]).open();
	expect([await source.namespaces(), await source.kinds(""), await source.kinds("n")]).toEqual([
		["", "n"],
		["A"],
		["B"],
	]);
	const all = (await source.keys(RANGE, undefined, 2_000)).keys;
	const range = { ...RANGE, from: all[10]!, to: all[20]! };
	expect((await source.page(range, undefined, 500)).keys).toEqual(all.slice(10, 20));
	const { keys, done } = await source.page(range, all[12], 3);
	expect({ keys, done }).toEqual({ keys: all.slice(13, 16), done: false });
	expect((await source.lookup([all[5]!, Buffer.from("x")])).map(Boolean)).toEqual([true, false]);
	expect((await splitKind(source, "", "A", { partitions: 4 })).by).toBe("scatter");
	expect(await new FakeDatastore([]).open({ scatter: false }).scatter("", "A", 9)).toEqual([]);
});

test("faults come where they are asked for", async () => {
	const source = new FakeDatastore([item(1, 1)]).open({
		fault: ({ verb, number }) =>
			verb === "page" && number === 2 ? new HoldfastError("HF_RETRY", "as planned") : undefined,
	});
	await source.page(RANGE, undefined, 1);
	await source.keys(RANGE, undefined, 1);
	await expect(source.page(RANGE, undefined, 1)).rejects.toThrow("as planned");
	await source.page(RANGE, undefined, 1);
	expect(source.calls.map(({ verb, number }) => `${verb} ${number}`)).toEqual(["page 1", "keys 1", "page 2", "page 3"]);
});
