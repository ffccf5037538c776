import { Double, Long, MongoClient } from "mongodb";
import { HoldfastError } from "../../runtime/errors.ts";
import { runMigration } from "../../runtime/migrate/run.ts";
import { verifyMigration } from "../../runtime/migrate/verify.ts";
import { entity, int, key, text } from "../support/datastoreValues.ts";
import { type ReplicaSet, startReplicaSet } from "../support/replicaSet.ts";
import { item, LOADED_AT, owner, type VerifySceneOptions, verifyScene } from "../support/verifyScene.ts";

let set: ReplicaSet;
let client: MongoClient;

beforeAll(async () => {
	set = await startReplicaSet();
	process.env.HOLDFAST_TEST_TARGET = set.uri;
	client = await new MongoClient(set.uri).connect();
});
afterAll(async () => {
	delete process.env.HOLDFAST_TEST_TARGET;
	await client?.close();
	await set?.stop();
});
afterEach(async () => {
	await client.db("moved").dropDatabase();
	await client.db("holdfast_migrations").dropDatabase();
});

const items = () => client.db("moved").collection<{ _id: string; [field: string]: unknown }>("Item");

async function loaded(options: VerifySceneOptions = {}) {
	const scene = verifyScene(options);
	await runMigration(scene.declaration, { acceptDeadLetters: true }, scene.parts);
	return scene;
}

test("after a good load everything is equal, and the digests of both sides are the same", async () => {
	const { declaration, parts } = await loaded();
	const { report, open } = await verifyMigration(declaration, {}, parts);
	expect(open).toBe(0);
	expect(report).toMatchObject({ verdict: "equal", run: 1, readTime: LOADED_AT, differences: [], omitted: 0 });
	expect(report!.groups).toEqual([
		expect.objectContaining({
			target: "Item",
			sources: ["Item", "tenant!Item"],
			source: 207,
			equal: 207,
			missing: 0,
			extra: 0,
		}),
		expect.objectContaining({ target: "Owner", sources: ["Owner"], source: 5, equal: 5, excused: 0 }),
	]);
	for (const { digests } of report!.groups) expect(digests!.source).toBe(digests!.target);
	expect(report!.proves).toContain("was written to the source since is not covered");
});

describe("each planted difference is found", () => {
	const micros = async (id: string) => {
		const found = await items().findOne({ _id: id });
		expect(found!._micros).toBeDefined();
		await items().updateOne({ _id: id }, { $unset: { _micros: 1 } });
	};
	const planted: [string, (id: string) => Promise<unknown>, string, RegExp | undefined][] = [
		["a missing document", (id) => items().deleteOne({ _id: id }), "missing", undefined],
		[
			"an integer as a double",
			(_id) => items().updateOne({ _id }, { $set: { count: new Double(3) } }),
			"different",
			/^count: /,
		],
		["lost microseconds", micros, "different", /^seen: .*456 us/],
		[
			"swapped coordinates",
			(_id) => items().updateOne({ _id }, { $set: { "place.coordinates": [new Double(52.5), new Double(13.4)] } }),
			"different",
			/^place/,
		],
		[
			"a text inside an array of embedded entities",
			(_id) => items().updateOne({ _id }, { $set: { "parts.0.label": "other" } }),
			"different",
			/^parts\[0\]\.label/,
		],
		[
			"an integer inside of it",
			(_id) => items().updateOne({ _id }, { $set: { "parts.0.sizes.1": Long.fromNumber(3) } }),
			"different",
			/^parts\[0\]\.sizes\[1\]/,
		],
		["a field more", (_id) => items().updateOne({ _id }, { $set: { extra: null } }), "different", /^extra/],
	];

	test.each(planted)("%s", async (_name, plant, kind, path) => {
		const { declaration, parts, newId } = await loaded();
		await plant(newId(item(17)));
		const { report } = await verifyMigration(declaration, {}, parts);
		expect(report!.verdict).toBe("different");
		expect(report!.differences).toEqual([
			{
				kind,
				source: "Item:17",
				target: `Item/${newId(item(17))}`,
				...(path && { paths: [expect.stringMatching(path)] }),
			},
		]);
		expect(report!.groups[0]).toMatchObject({ source: 207, equal: 206, [kind]: 1 });
		const [digests] = report!.groups.map((group) => group.digests!);
		expect(digests!.source).not.toBe(digests!.target);
	});

	test("extra documents, of every type of id, and such as belong elsewhere", async () => {
		const { declaration, parts, newId } = await loaded();
		await items().insertMany([{ _id: "foreign" }, { _id: Long.fromNumber(5) as never }, { _id: newId(owner("o1")) }]);
		await items().deleteOne({ _id: newId(item(3)) });
		const { report } = await verifyMigration(declaration, {}, parts);
		expect(report!.groups[0]).toMatchObject({ missing: 1, extra: 3, equal: 206 });
		expect(
			report!.differences
				.filter(({ kind }) => kind === "extra")
				.map(({ target }) => target)
				.sort(),
		).toEqual(["Item/5", `Item/${newId(owner("o1"))}`, "Item/foreign"].sort());
	});
});

test("a kind that is named and empty has an empty collection", async () => {
	const source = { project: "demo", kinds: ["Item", "Owner", "Empty"] };
	const { declaration, parts } = await loaded({ declare: { source } });
	expect((await verifyMigration(declaration, {}, parts)).report!.verdict).toBe("equal");
	await client
		.db("moved")
		.collection("Empty")
		.insertOne({ _id: "foreign" as never });
	const { report } = await verifyMigration(declaration, {}, parts);
	expect(report!.differences).toEqual([{ kind: "extra", target: "Empty/foreign" }]);
	expect(report!.groups[0]).toMatchObject({ target: "Empty", source: 0, extra: 1 });
});

test("values never stand in a report", async () => {
	const { declaration, parts, newId } = await loaded();
	await items().updateOne({ _id: newId(item(17)) }, { $set: { "parts.0.label": "CANARY", place: "CANARY" } });
	const { report } = await verifyMigration(declaration, {}, parts);
	expect(report!.verdict).toBe("different");
	expect(JSON.stringify(report)).not.toContain("CANARY");
	expect(JSON.stringify(report)).not.toContain("item 17");
});

test("dead letters are excused", async () => {
	const { declaration, parts } = await loaded({ unmapped: ["o1"] });
	const { report } = await verifyMigration(declaration, {}, parts);
	expect(report!.verdict).toBe("equal");
	expect(report!.groups[1]).toMatchObject({ target: "Owner", source: 5, equal: 4, excused: 1, missing: 0 });
	expect(report!.proves).toContain("1 items that the load put aside");
	await client.db("holdfast_migrations").collection("deadLetters").deleteMany({});
	const again = await verifyMigration(declaration, {}, parts);
	expect(again.report!.groups[1]).toMatchObject({ missing: 1, excused: 0 });
	expect(again.report!.differences).toEqual([
		{ kind: "missing", source: 'Owner:"o1"', target: "Owner/?", paths: ["its key is not in the id map"] },
	]);
});

describe("at a later read time", () => {
	const LATER = "2026-11-21T11:00:00Z";

	test("a source that did not change is proved to be so", async () => {
		const { declaration, parts } = await loaded();
		const { report } = await verifyMigration(declaration, { readTime: LATER }, parts);
		expect(report).toMatchObject({ verdict: "equal", loadedAt: LOADED_AT, readTime: LATER });
		expect(report!.proves).toContain(`Between ${LOADED_AT} and ${LATER} the source did not change`);
		expect(report!.proves).toContain(`Writes after ${LATER} are not covered: keep the source frozen`);
	});

	test("what was changed, added and removed since is found, also a kind that is new", async () => {
		const { declaration, parts, datastore } = await loaded();
		datastore.write("2026-11-21T10:30:00Z", {
			put: [
				item(5, "changed"),
				item(201),
				entity(key("Late", 1), { at: int(1) }),
				entity(key("Unknown", 9), { a: text("b") }),
			],
			remove: [item(9)],
		});
		expect((await verifyMigration(declaration, {}, parts)).report!.verdict).toBe("equal");
		const { report } = await verifyMigration(declaration, { readTime: LATER }, parts);
		expect(report!.verdict).toBe("different");
		const found = report!.differences.map(({ kind, source }) => `${kind} ${source ?? ""}`.trim());
		expect(found.sort()).toEqual([
			"different Item:5",
			"extra",
			"missing Item:201",
			"missing Late:1",
			"missing Unknown:9",
		]);
	});

	test("interrupted at `now`, it says how to go on at that moment, and does", async () => {
		const { declaration, parts } = await loaded();
		const stop = new AbortController();
		const interrupted = verifyMigration(
			declaration,
			{ readTime: "now", signal: stop.signal, concurrency: 1, onProgress: () => stop.abort() },
			parts,
		);
		const error = await interrupted.catch((thrown: unknown) => thrown as HoldfastError);
		expect(error).toMatchObject({ code: "HF_RETRY", next: expect.stringMatching(/--read-time \d{4}-\S+Z$/) });
		const [readTime] = /\d{4}-\S+Z$/.exec((error as HoldfastError).next)!;
		const { report } = await verifyMigration(declaration, { readTime }, parts);
		expect(report).toMatchObject({ run: 1, readTime, verdict: "equal" });
	});

	test("a time that is not to be had is refused before anything is read", async () => {
		const { declaration, parts } = verifyScene();
		await expect(verifyMigration(declaration, { readTime: "yesterday" }, parts)).rejects.toMatchObject({
			code: "HF_SETTING",
		});
		const now = verifyMigration(declaration, { readTime: "now", count: 2 }, parts);
		await expect(now).rejects.toMatchObject({ code: "HF_USAGE" });
	});
});

test("it refuses a migration that was not loaded, and another map", async () => {
	const scene = verifyScene();
	await expect(verifyMigration(scene.declaration, {}, scene.parts)).rejects.toMatchObject({ code: "HF_NOT_READY" });
	await runMigration(scene.declaration, {}, scene.parts);
	const other = verifyScene({ mapHash: "b".repeat(64) });
	await expect(verifyMigration(other.declaration, {}, other.parts)).rejects.toMatchObject({ code: "HF_FROZEN" });
});

test("a read time that the source does not serve any more ends it for good", async () => {
	await loaded();
	const expired = new HoldfastError("HF_EXPIRED", "the source does not serve the read time any more");
	const { declaration, parts } = verifyScene({
		fault: ({ verb, number }) => (verb === "page" && number > 3 ? expired : undefined),
	});
	await expect(verifyMigration(declaration, {}, parts)).rejects.toMatchObject({ code: "HF_EXPIRED" });
});

test("names that are longer than a record bears are cut", async () => {
	const { declaration, parts, newId } = await loaded();
	await items().updateOne({ _id: newId(item(17)) }, { $set: { ["x".repeat(5000)]: 1 } });
	const { report } = await verifyMigration(declaration, {}, parts);
	expect(report!.differences[0]!.paths![0]).toHaveLength(200);
});

test("a quick look finds what is wrong in many places, and says what it proves", async () => {
	const { declaration, parts } = await loaded();
	expect((await verifyMigration(declaration, { sample: 50 }, parts)).report).toMatchObject({
		verdict: "equal",
		sample: 50,
		run: 0,
	});
	await items().updateMany({ _id: { $type: "string" } }, { $set: { count: new Double(3) } });
	const { report } = await verifyMigration(declaration, { sample: 50 }, parts);
	expect(report!.verdict).toBe("different");
	expect(report!.proves).toContain("proves little");
	expect(await client.db("holdfast_migrations").collection("reports").countDocuments()).toBe(0);
});
