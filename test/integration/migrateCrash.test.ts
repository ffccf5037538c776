import type { Failpoint } from "../../runtime/failpoint.ts";
import { runMigration } from "../../runtime/migrate/run.ts";
import { killLeftovers } from "../support/childRun.ts";
import { MigrateProcess } from "../support/migrateProcess.ts";
import { type SceneOptions, scene } from "../support/migrateScene.ts";
import { targetForTests } from "../support/migrateTarget.ts";

const target = targetForTests();
afterEach(killLeftovers);
const options: SceneOptions = { plain: 260, any: 40, unmapped: 5 };

async function whole(): Promise<Record<string, string>> {
	const { declaration, parts } = scene(options);
	await runMigration(declaration, { acceptDeadLetters: true }, parts);
	const contents = await target.contents();
	await target.empty();
	return contents;
}

const places: Failpoint[] = [
	"migrate/splitting",
	"migrate/frozen",
	"migrate/claimed",
	"migrate/read",
	"migrate/written",
	"migrate/checkpointed",
	"migrate/partition-done",
	"migrate/indexed",
	"migrate/completing",
];
test.each(places)("a run that is killed at %s and run again leaves exactly one copy of everything", async (place) => {
	const wanted = await whole();
	// One partition after the other: what is done again is what the failpoint left.
	const run = { acceptDeadLetters: true, concurrency: 1 };
	await new MigrateProcess(target.set.uri, options, run, place).killedAtFailpoint();
	const { declaration, parts } = scene(options);
	const ledger = target.client.db("holdfast_migrations");
	const begun = await ledger.collection("migrations").findOne({});
	expect(begun?.state).toBe(place === "migrate/splitting" ? undefined : "loading");
	const { counts, state } = await runMigration(declaration, { acceptDeadLetters: true }, parts);
	expect(state).toBe("complete");
	expect(await target.contents()).toEqual(wanted);
	expect(counts).toMatchObject({ read: 300, dead: 5 });
	expect((counts.written ?? 0) + (counts.equal ?? 0)).toBe(295);
	expect(counts.conflicts).toBeUndefined();
	expect(await ledger.collection("deadLetters").countDocuments()).toBe(5);
	// Only pages whose checkpoint was not written are done again.
	if (place !== "migrate/written" && place !== "migrate/read") expect(counts.equal).toBeUndefined();
	if (place === "migrate/written") expect(counts.equal).toBeGreaterThan(0);
});
