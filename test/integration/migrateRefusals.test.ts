import { Long } from "mongodb";
import { runMigration } from "../../runtime/migrate/run.ts";
import { type SceneOptions, scene } from "../support/migrateScene.ts";
import { targetForTests } from "../support/migrateTarget.ts";

const target = targetForTests();
const ledger = (name: string) => target.client.db("holdfast_migrations").collection(name);

async function run(options: SceneOptions, how: Parameters<typeof runMigration>[1] = {}) {
	const { declaration, parts } = scene(options);
	return runMigration(declaration, how, parts);
}
const refused = (options: SceneOptions, how?: Parameters<typeof runMigration>[1]): Promise<string> =>
	run(options, how).then(
		(outcome) => `it went through: ${JSON.stringify(outcome)}`,
		(error: Error) => error.message,
	);

test("another map, other rules and another read time are refused, whether or not it is complete", async () => {
	const options: SceneOptions = { plain: 60, unmapped: 1 };
	const hash = "b".repeat(64);
	const otherMap = { mapHash: hash, declare: { idMap: { location: "/nowhere", hash } } };
	const others: [string, SceneOptions][] = [
		["id map", { ...options, ...otherMap }],
		["rules", { ...options, declare: { rules: { kinds: { Plain: { drop: ["size"] } } } } }],
		["read time", { ...options, declare: { readTime: "2026-11-21T11:00:00Z" } }],
		["target", { ...options, declare: { database: "elsewhere" } }],
	];
	expect(await refused(options)).toContain("HF_INCOMPLETE");
	for (const accept of [false, true]) {
		if (accept) await run(options, { acceptDeadLetters: true });
		for (const [what, other] of others)
			expect(await refused(other)).toContain(`HF_FROZEN: migration test was begun with another ${what}`);
	}
	expect(await target.client.db("elsewhere").listCollections().toArray()).toEqual([]);
});

test("what was begun at an emulator is not gone on with at the service, nor the other way round", async () => {
	const options: SceneOptions = { plain: 60, unmapped: 1 };
	const rehearsal: SceneOptions = { ...options, emulator: "127.0.0.1:8081" };
	for (const [begun, other] of [
		[rehearsal, options],
		[options, rehearsal],
	] as const) {
		expect(await refused(begun)).toContain("HF_INCOMPLETE");
		expect(await refused(other)).toContain("HF_FROZEN: migration test was begun with another source");
		// Through, it is told without looking at where it came from.
		await run(begun, { acceptDeadLetters: true });
		expect(await run(other)).toMatchObject({ state: "complete", already: true });
		await target.client.db("holdfast_migrations").dropDatabase();
		await target.client.db("moved").dropDatabase();
	}
});

test("altered records of the ledger are refused", async () => {
	const options: SceneOptions = { plain: 60, unmapped: 1 };
	expect(await refused(options)).toContain("HF_INCOMPLETE");
	const [checkpoint] = await ledger("checkpoints").find({ "_id.job": "load", "_id.partition": 0 }).toArray();
	await ledger("checkpoints").updateOne({ _id: checkpoint!._id }, { $set: { "counts.read": 1 } });
	expect(await refused(options)).toContain("HF_DAMAGED: the checkpoint of partition 0 of load of migration test");
	await ledger("checkpoints").updateOne({ _id: checkpoint!._id }, { $unset: { counts: 1, check: 1 } });
	expect(await refused(options)).toContain("HF_DAMAGED");
	await ledger("checkpoints").deleteOne({ _id: checkpoint!._id });
	expect(await refused(options)).toContain("HF_INCOMPLETE");
	await ledger("migrations").updateOne({}, { $pop: { partitions: 1 } });
	expect(await refused(options)).toContain("HF_DAMAGED: the record of migration test in holdfast_migrations");
});

test("a document that is there and differs is reported and left alone, unless it is to be overwritten", async () => {
	const options: SceneOptions = { plain: 120, partitions: 2 };
	await run(options);
	const wanted = await target.contents();
	const plain = target.client.db("moved").collection("Plain");
	const first = await plain.findOne({ size: Long.fromNumber(7) });
	await target.client.db("holdfast_migrations").dropDatabase();
	await plain.updateOne({ _id: first!._id }, { $set: { size: 7.5 } });
	expect(await refused(options)).toContain(
		"HF_INCOMPLETE: migration test went through, with 0 dead letters and 1 conf",
	);
	expect(await plain.findOne({ _id: first!._id })).toMatchObject({ size: 7.5 });
	const [conflict] = await ledger("conflicts").find().toArray();
	expect(conflict).toMatchObject({ text: "Plain:8", target: `Plain/${first!._id}`, attempts: 1 });
	expect(conflict!.paths).toHaveLength(1);
	expect(conflict!.paths[0]).toMatch(/^size: /);
	await target.client.db("holdfast_migrations").dropDatabase();
	const { counts, state } = await run(options, { overwrite: true });
	expect(state).toBe("complete");
	expect(counts).toEqual({ read: 120, written: 0, equal: 119, overwritten: 1 });
	expect(await target.contents()).toEqual(wanted);
	await plain.updateOne({ _id: first!._id }, { $set: { size: 7.5 } });
	expect(await run(options, { overwrite: true })).toMatchObject({ already: true });
	expect(await plain.findOne({ _id: first!._id })).toMatchObject({ size: 7.5 });
});

test("a run ends when more is put aside than it may", async () => {
	const options: SceneOptions = { plain: 200, unmapped: 60, partitions: 1 };
	const limited = { maxErrors: 40 };
	expect(await refused(options, limited)).toContain("HF_INCOMPLETE: 50 items were put aside or met conflicts, 40 are");
	expect(await ledger("deadLetters").countDocuments()).toBe(50);
	expect(await refused(options, limited)).toContain("40 are allowed");
	expect(await refused(options, { maxErrors: "50%" })).toContain("went through, with 60 dead letters and 0 conflicts");
	const { state, counts } = await run(options, { acceptDeadLetters: true });
	expect([state, counts]).toEqual(["complete", { read: 200, written: 140, dead: 60 }]);
});

test("another index of the same name or fields is not ours", async () => {
	await target.client.db("moved").createIndex("Plain", { size: 1 }, { name: "size_1", unique: true });
	expect(await refused({ plain: 10 })).toContain("HF_FOREIGN: index size_1 of Plain is there already, and is another");
	await target.client.db("moved").collection("Plain").dropIndex("size_1");
	expect(await run({ plain: 10 })).toMatchObject({ state: "complete", counts: { read: 10, written: 10 } });
});
