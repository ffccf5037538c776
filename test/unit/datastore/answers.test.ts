import { batch, closeAll, encoded, ids, open, own, RANGE, serve } from "../../support/datastoreAnswers.ts";
import { int } from "../../support/datastoreValues.ts";

const READ_TIME = "2026-11-21T10:00:00Z";
const readTime = { seconds: String(Date.parse(READ_TIME) / 1000), nanos: 0 };
type Bound = { propertyFilter: { op: string; value: { keyValue: { path: { id: string }[] } } } };

afterEach(closeAll);

test("a batch that the server has not finished is a shorter page, and one without results is asked for again", async () => {
	const server = await serve({
		runQuery: (_, number) =>
			[
				batch([1, 2], "NOT_FINISHED"),
				batch([], "NOT_FINISHED", { endCursor: Buffer.from("c") }),
				batch([5], "MORE_RESULTS_AFTER_LIMIT"),
				batch([], "MORE_RESULTS_AFTER_LIMIT"),
			][number - 1]!,
	});
	const source = await open(server);
	const first = await source.page(RANGE, undefined, 3);
	expect([ids(first.keys), first.done]).toEqual([[1, 2], false]);
	const second = await source.page(RANGE, first.keys.at(-1), 3);
	expect([ids(second.keys), second.done, second.entities[0]!.properties!.n!.integerValue]).toEqual([[5], false, "5"]);
	expect(await source.page(RANGE, second.keys.at(-1), 3)).toEqual({ entities: [], keys: [], done: true });
	const [, asked, again, last] = server.requests.runQuery;
	expect(again.query).toEqual({ ...asked.query, startCursor: Buffer.from("c") });
	expect(last.query.startCursor).toHaveLength(0);
	expect(last.query.filter.propertyFilter).toMatchObject({
		op: "GREATER_THAN",
		value: { keyValue: { path: [{ id: "5" }] } },
	});
});

test("a range is two bounds, and one below when it goes on", async () => {
	const server = await serve({ runQuery: () => batch([]) });
	const source = await open(server);
	const range = { ...RANGE, from: encoded(1), to: encoded(9) };
	await source.page(range, undefined, 3);
	await source.page(range, encoded(4), 3);
	const bounds = server.requests.runQuery.map(({ query }) =>
		query.filter.compositeFilter.filters.map(({ propertyFilter: { op, value } }: Bound) => [
			op,
			value.keyValue.path[0]!.id,
		]),
	);
	expect(bounds).toEqual([
		[
			["GREATER_THAN_OR_EQUAL", "1"],
			["LESS_THAN", "9"],
		],
		[
			["GREATER_THAN", "4"],
			["LESS_THAN", "9"],
		],
	]);
});

test("every read carries the read time, and an answer of another moment is refused", async () => {
	let answered: object | undefined = readTime;
	const server = await serve({
		runQuery: () => batch([1], "NO_MORE_RESULTS", { readTime: answered }),
		lookup: () => ({ found: [own(1)], readTime: answered }),
		runAggregationQuery: () => ({
			batch: { aggregationResults: [{ aggregateProperties: { n: int(7) } }], readTime: answered },
		}),
	});
	const source = await open(server, { readTime: READ_TIME, retentionHours: 48 });
	expect(source).toMatchObject({ pinned: true, readTime: READ_TIME, expiresAt: "2026-11-23T10:00:00Z" });
	const reads: (() => Promise<unknown>)[] = [
		...[() => source.page(RANGE, undefined, 3), () => source.keys(RANGE, undefined, 3), () => source.count("", "A")],
		...[() => source.lookup([encoded(1)]), () => source.scatter("", "A", 3)],
	];
	for (const read of reads) await read();
	expect(await source.count("", "A")).toBe(7);
	for (const request of Object.values(server.requests).flat()) expect(request.readOptions.readTime).toEqual(readTime);
	for (const other of [undefined, { seconds: "1", nanos: 0 }]) {
		answered = other;
		for (const read of reads) await expect(read()).rejects.toMatchObject({ code: "HF_REJECTED" });
	}
});

test("a server that ignores the read time is told from one that does not when it is opened", async () => {
	const server = await serve({ runQuery: () => batch([1]) });
	const source = await open(server, { readTime: READ_TIME });
	expect(source.pinned).toBe(false);
	expect(source.expiresAt).toBeUndefined();
	expect(ids((await source.page(RANGE, undefined, 3)).keys)).toEqual([1]);
});

test("an order that is not ours is refused: pages that resume by key would skip entities", async () => {
	const server = await serve({ runQuery: () => batch([2, 1]) });
	await expect((await open(server)).page(RANGE, undefined, 3)).rejects.toThrow("the server's order is not ours at A:1");
	const twice = await serve({ runQuery: () => batch([5]) });
	await expect((await open(twice)).page(RANGE, encoded(5), 3)).rejects.toThrow("HF_REJECTED");
});

test("an id that has no place in the order is refused", async () => {
	const server = await serve({ runQuery: () => batch([-5]) });
	await expect((await open(server)).keys(RANGE, undefined, 3)).rejects.toMatchObject({
		code: "HF_REJECTED",
		next: expect.stringContaining("leave its kind out"),
	});
});

test("keys that are put off are looked up again; answers stand in the order of the keys", async () => {
	const server = await serve({
		lookup: ({ keys }, number) =>
			number === 1
				? { found: [own(3)], missing: [{ entity: { key: keys[1] } }], deferred: [keys[0]] }
				: { found: [own(1)] },
	});
	const source = await open(server);
	const found = await source.lookup([encoded(1), encoded(2), encoded(3), encoded(1)]);
	expect(found.map((one) => one?.properties?.n?.integerValue)).toEqual(["1", undefined, "3", "1"]);
	expect(server.requests.lookup[0].keys).toHaveLength(3);
	expect(server.requests.lookup[1].keys).toHaveLength(1);
	expect(await source.lookup([])).toEqual([]);
	const never = await serve({ lookup: ({ keys }) => ({ deferred: keys }) });
	await expect((await open(never)).lookup([encoded(1)])).rejects.toMatchObject({ code: "HF_RETRY" });
});

test("without aggregations keys are counted", async () => {
	const server = await serve({
		runQuery: (_, number) => (number === 1 ? batch([1, 2], "NOT_FINISHED") : batch([3])),
	});
	expect(await (await open(server)).count("", "A")).toBe(3);
	expect(server.requests.runAggregationQuery).toHaveLength(1);
});

test("samples are gathered over batches and sorted", async () => {
	const server = await serve({
		runQuery: ({ query }, number) => {
			expect(query.order[0].property.name).toBe("__scatter__");
			return number === 1 ? batch([9, 4], "NOT_FINISHED", { endCursor: Buffer.from("c") }) : batch([7]);
		},
	});
	const found = await (await open(server)).scatter("", "A", 10);
	expect(ids(found)).toEqual([4, 7, 9]);
	expect(server.requests.runQuery[1].query).toMatchObject({ limit: { value: 8 }, startCursor: Buffer.from("c") });
});
