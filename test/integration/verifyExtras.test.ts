import { Binary, Double, Int32, Long, MongoClient, ObjectId } from "mongodb";
import { searchExtras } from "../../runtime/migrate/extraDocuments.ts";
import { openLedger } from "../../runtime/migrate/ledger.ts";
import { runMigration } from "../../runtime/migrate/run.ts";
import type { Difference } from "../../runtime/migrate/transfer.ts";
import { verifyMigration } from "../../runtime/migrate/verify.ts";
import type { Partition } from "../../runtime/migrate/work.ts";
import { type ReplicaSet, startReplicaSet } from "../support/replicaSet.ts";
import { LOADED_AT, verifyScene } from "../support/verifyScene.ts";

let set: ReplicaSet;
let client: MongoClient;
const EXTRAS = 2500;

/** One of each type of id that a server takes. */
const foreign = (at: number) =>
	[
		...[`foreign ${at}`, Long.fromNumber(at), new Double(at + 0.5), new ObjectId(), new Date(at)],
		...[new Binary(Buffer.from([at % 256, at >> 8])), { at }],
	][at % 7];

beforeAll(async () => {
	set = await startReplicaSet();
	process.env.HOLDFAST_TEST_TARGET = set.uri;
	client = await new MongoClient(set.uri).connect();
	const { declaration, parts } = verifyScene({ items: 300 });
	await runMigration(declaration, {}, parts);
	const extras = Array.from({ length: EXTRAS - 1 }, (_, at) => ({ _id: foreign(at) }));
	const odd = [{ _id: new Int32(-1) }];
	await client
		.db("moved")
		.collection("Item")
		.insertMany([...extras, ...odd] as never[]);
});
afterAll(async () => {
	delete process.env.HOLDFAST_TEST_TARGET;
	await client?.close();
	await set?.stop();
});

test("all are counted, and of the first thousand it is told which they are", async () => {
	const { declaration, parts } = verifyScene({ items: 300 });
	const { report } = await verifyMigration(declaration, {}, parts);
	expect(report!.groups[0]).toMatchObject({ target: "Item", source: 307, equal: 307, extra: EXTRAS });
	expect(report!.differences).toHaveLength(1000);
	expect(report!.omitted).toBe(EXTRAS - 1000);
	expect(new Set(report!.differences.map(({ target }) => target)).size).toBeGreaterThan(100);
});

test.each([
	50, 400, 100_000,
])("partitions of %d cover the collection once, whatever the types of its ids", async (size) => {
	const { declaration, map, datastore } = verifyScene({ items: 300 });
	const source = datastore.open({ readTime: LOADED_AT });
	const ends = { declaration, source, map, client, ledger: openLedger(client, "holdfast_migrations") };
	const told: Difference[] = [];
	const report = async (found: Difference[]) => {
		told.push(...found);
	};
	const partition: Partition = { index: 0, label: "", range: { namespace: "", kind: "Item" } };
	const { split, work } = searchExtras(ends, report, [{ partition, found: 307 }], size);
	const partitions = await split();
	expect(partitions.length).toBeGreaterThanOrEqual(Math.min(64, Math.ceil(2807 / size)) - 1);
	let read = 0;
	for (const one of partitions)
		for (let position: string | undefined, done = false; !done; ) {
			const page = await work.page(one, position, new AbortController().signal);
			const { counts } = await work.apply(one, page.items, { carry: undefined, signal: new AbortController().signal });
			read += counts.read ?? 0;
			({ position, done } = page);
		}
	expect([read, told.length]).toEqual([EXTRAS + 307, EXTRAS]);
});

test("a collection that holds what was found is not looked through", async () => {
	const { declaration, map, datastore } = verifyScene({ items: 300 });
	const source = datastore.open({ readTime: LOADED_AT });
	const ends = { declaration, source, map, client, ledger: openLedger(client, "holdfast_migrations") };
	const partition: Partition = { index: 0, label: "", range: { namespace: "", kind: "Item" } };
	const { split } = searchExtras(ends, async () => {}, [{ partition, found: EXTRAS + 307 }]);
	expect(await split()).toEqual([]);
});
