import { runMigration } from "../../runtime/migrate/run.ts";
import { scene } from "../support/migrateScene.ts";
import { targetForTests } from "../support/migrateTarget.ts";

const target = targetForTests();

test("moves everything once, builds the indexes, and never runs twice", async () => {
	const { declaration, parts, entities } = scene({ plain: 400, any: 60 });
	const outcome = await runMigration(declaration, {}, parts);
	expect(outcome).toMatchObject({ state: "complete", already: false, open: 0, readTime: "2026-11-21T10:00:00Z" });
	expect(outcome.counts).toEqual({ read: 460, written: 460 });
	const moved = target.client.db("moved");
	expect(await moved.collection("Plain").countDocuments()).toBe(400);
	expect(await moved.collection("Any").countDocuments()).toBe(60);
	expect(Object.keys(await moved.collection("Plain").indexInformation())).toEqual(["_id_", "size_1"]);
	await moved.collection("Plain").deleteMany({});
	// Neither the map nor the source is needed any more.
	const gone = () => Promise.reject(new Error("it is gone"));
	const again = await runMigration(declaration, {}, { openIdMap: gone, openTransfer: gone });
	expect(again).toEqual({ ...outcome, already: true });
	expect(await moved.collection("Plain").countDocuments()).toBe(0);
	expect(entities).toHaveLength(460);
});

test("a read time that is not declared is the last whole minute, and stays it", async () => {
	const { declaration, parts } = scene({ plain: 60, unmapped: 1, declare: { readTime: undefined } });
	await expect(runMigration(declaration, {}, parts)).rejects.toThrow("HF_INCOMPLETE");
	const migrations = target.client.db("holdfast_migrations").collection("migrations");
	const { readTime } = (await migrations.findOne())!;
	expect(readTime).toMatch(/:00Z$/);
	expect(Date.now() - Date.parse(readTime)).toBeLessThan(120_000);
	const declared = scene({ plain: 60, unmapped: 1, declare: { readTime } });
	const outcome = await runMigration(declared.declaration, { acceptDeadLetters: true }, declared.parts);
	expect(outcome).toMatchObject({ state: "complete", readTime });
	expect(await runMigration(declaration, {}, parts)).toMatchObject({ already: true, readTime });
});
