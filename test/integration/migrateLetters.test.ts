import { keyOf } from "../../runtime/datastore/key.ts";
import { HoldfastError } from "../../runtime/errors.ts";
import { entityTransfer } from "../../runtime/migrate/entityTransfer.ts";
import { expiredSource } from "../../runtime/migrate/expiredSource.ts";
import type { DeadLetter } from "../../runtime/migrate/letters.ts";
import { encodeKey } from "../../runtime/migrate/oldKey.ts";
import { retryDeadLetters } from "../../runtime/migrate/retryLetters.ts";
import { runMigration } from "../../runtime/migrate/run.ts";
import { verifyMigration } from "../../runtime/migrate/verify.ts";
import { fakeIdMap } from "../support/fakeIdMap.ts";
import { type SceneOptions, scene } from "../support/migrateScene.ts";
import { targetForTests } from "../support/migrateTarget.ts";

const target = targetForTests();
const letters = () => target.client.db("holdfast_migrations").collection<DeadLetter>("deadLetters");
const moved = () => target.client.db("moved");
const options: SceneOptions = { plain: 150, unmapped: 3, partitions: 2 };

test("what the target refuses is put aside with its record, and passes once the target takes it", async () => {
	const { declaration, parts } = scene(options);
	await moved().createCollection("Plain", { validator: { done: true } });
	await expect(runMigration(declaration, {}, parts)).rejects.toThrow("with 77 dead letters and 0 conflicts");
	const unmapped = await letters().find({ stage: "transform" }).toArray();
	expect(unmapped.map(({ text, code }) => [text, code])).toEqual(
		["Plain:1", "Plain:2", "Plain:3"].map((text) => [text, "UNMAPPED_KEY"]),
	);
	const refused = await letters().findOne({ stage: "write" });
	expect(refused).toMatchObject({ code: "MONGO_121", reason: "the target refused it with error 121", attempts: 1 });
	expect(refused!.raw!.length()).toBeGreaterThan(50);
	const still = await retryDeadLetters(declaration, {}, parts);
	expect(still).toEqual({ tried: 77, passed: 0, left: { dead: 77, conflicts: 0 } });
	expect(await letters().countDocuments({ attempts: 2 })).toBe(77);
	await moved().command({ collMod: "Plain", validator: {} });
	// The source serves the read time no more: what was put aside brings its record.
	const over = new HoldfastError("HF_EXPIRED", "too old");
	const expired: typeof parts = {
		...parts,
		openTransfer: async (_, { readTime, evenExpired, ...ends }) => {
			if (!evenExpired) throw over;
			return entityTransfer(declaration, {
				...ends,
				source: expiredSource({ name: "projects/demo/databases/", readTime: readTime! }, over),
			});
		},
	};
	await expect(runMigration(declaration, {}, expired)).rejects.toThrow("HF_EXPIRED");
	const passed = await retryDeadLetters(declaration, {}, expired);
	expect(passed).toEqual({ tried: 77, passed: 74, left: { dead: 3, conflicts: 0 } });
	const { state, counts } = await runMigration(declaration, { maxErrors: 3, acceptDeadLetters: true }, parts);
	expect(state).toBe("complete");
	expect(counts).toMatchObject({ read: 150, written: 147, dead: 3 });
	expect(await moved().collection("Plain").countDocuments()).toBe(147);
});

test("a conflict passes once what was there is gone, or when it is to be overwritten", async () => {
	const { declaration, parts, map, entities } = scene({ plain: 90, partitions: 1 });
	const [one, two] = entities.map(({ key }) => map.lookup(encodeKey(keyOf(key!)))!);
	const foreign = [one, two].map((_id) => ({ _id: _id as never, theirs: true }));
	await moved().collection("Plain").insertMany(foreign);
	await expect(runMigration(declaration, {}, parts)).rejects.toThrow("with 0 dead letters and 2 conflicts");
	await moved()
		.collection("Plain")
		.deleteOne({ _id: one as never });
	const first = await retryDeadLetters(declaration, {}, parts);
	expect(first).toEqual({ tried: 2, passed: 1, left: { dead: 0, conflicts: 1 } });
	const second = await retryDeadLetters(declaration, { overwrite: true }, parts);
	expect(second).toEqual({ tried: 1, passed: 1, left: { dead: 0, conflicts: 0 } });
	expect(await moved().collection("Plain").countDocuments({ theirs: true })).toBe(0);
	const { state, counts } = await runMigration(declaration, { maxErrors: 0 }, parts);
	expect(state).toBe("complete");
	expect(counts).toMatchObject({ read: 90, written: 89, overwritten: 1, conflicts: 0 });
	await expect(retryDeadLetters(declaration, { overwrite: true }, parts)).rejects.toThrow("HF_FROZEN");
});

describe("a map that has grown", () => {
	const grownFrom = (former: string[], { entities, parts, map }: ReturnType<typeof scene>) => {
		const all = entities.map(({ key }) => encodeKey(keyOf(key!)));
		const grown = { ...fakeIdMap(all, "b".repeat(64)), former };
		const openIdMap = async (_: string, { hash }: { hash?: string }) => (hash === map.hash ? map : grown);
		return { ...parts, openIdMap };
	};
	const aside = { plain: 60, unmapped: 4, partitions: 1, declare: { rules: {} } };

	it("lets what was not in it pass, and is what a verification goes by", async () => {
		const begun = scene(aside);
		const { declaration, parts, map } = begun;
		await expect(runMigration(declaration, {}, parts)).rejects.toThrow("with 4 dead letters");
		const later = grownFrom([map.hash], begun);
		const retried = await retryDeadLetters(declaration, {}, later);
		expect(retried).toEqual({ tried: 4, passed: 4, left: { dead: 0, conflicts: 0 } });
		const run = await runMigration(declaration, {}, later);
		expect(run).toMatchObject({ state: "complete", mapHash: map.hash, counts: { read: 60, written: 60 } });
		const { report } = await verifyMigration(declaration, {}, later);
		expect(report).toMatchObject({ verdict: "equal", mapHash: "b".repeat(64) });
	});

	it("is refused when it did not grow out of the one it was begun with", async () => {
		const begun = scene(aside);
		await expect(runMigration(begun.declaration, {}, begun.parts)).rejects.toThrow("HF_INCOMPLETE");
		const other = grownFrom(["c".repeat(64)], begun);
		for (const refused of [retryDeadLetters, runMigration, verifyMigration])
			await expect(refused(begun.declaration, {}, other)).rejects.toThrow(
				"HF_FROZEN: migration test was begun with another id map",
			);
	});

	it("is left alone where nulls stand for what it has now", async () => {
		const begun = scene({ ...aside, declare: { rules: { kinds: { Other: { unmapped: "null" } } } } });
		await expect(runMigration(begun.declaration, {}, begun.parts)).rejects.toThrow("HF_INCOMPLETE");
		const { passed } = await retryDeadLetters(begun.declaration, {}, grownFrom([begun.map.hash], begun));
		expect(passed).toBe(0);
	});
});
