import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { buildIdMap } from "../../runtime/migrate/idmap/build.ts";
import { idMapSchema, migrationSchema } from "../../runtime/migrate/model.ts";
import { runMigration } from "../../runtime/migrate/run.ts";
import {
	type DatastoreEmulator,
	describeWithEmulator,
	startDatastore,
	startFirestoreInDatastoreMode,
} from "../support/datastoreEmulator.ts";
import { plainEntities, randomEntities } from "../support/datastoreFixtures.ts";
import { entity, key, ref } from "../support/datastoreValues.ts";
import { long, seeded } from "../support/long.ts";
import { targetForTests } from "../support/migrateTarget.ts";

const target = targetForTests();
const folder = mkdtempSync(join(tmpdir(), "holdfast-map-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** A migration with a map of its own, made of the same source. */
async function declared(name: string, place: object, readTime?: string) {
	const location = join(folder, name);
	const ids = { kind: "deterministic", secret: "a secret for tests only" };
	const when = readTime === undefined ? {} : { readTime };
	const sources = [{ kind: "datastore", ...place, ...when }];
	const map = await buildIdMap(idMapSchema.parse({ name: "map", location, ids, format: "uuid", sources }));
	const declaration = migrationSchema.parse({
		kind: "datastore",
		name,
		idMap: { location },
		mongo: { uriVariable: "HOLDFAST_TEST_TARGET" },
		source: place,
		database: "moved",
		rules: { defaults: { unmapped: "keep" } },
		...when,
	});
	return { declaration, map };
}

describeWithEmulator("from the Datastore emulator", () => {
	let emulator: DatastoreEmulator;
	beforeAll(async () => {
		emulator = await startDatastore();
	});
	afterAll(() => emulator?.stop());

	test("entities of every type arrive by the ids of a real map", async () => {
		const random = seeded("emulator");
		// The emulator orders names by UTF-16: ids and plain names only.
		const any = randomEntities(random, "Any", long ? 500 : 60).map((one, at) => ({
			...one,
			key: at % 2 === 0 ? key("Any", at + 1) : key("Any", `n${at}`),
		}));
		const child = entity(key("Account", 5, "Task", "a"), { owner: ref(key("Account", 5)) });
		const accounts = [entity(key("Account", 5), {}), child];
		await emulator.load([...plainEntities("Plain", 700), ...any, ...accounts]);
		const place = { project: emulator.project, emulator: emulator.address };
		const { declaration, map } = await declared("present", place);
		const notes: string[] = [];
		const outcome = await runMigration(declaration, { acceptDeadLetters: true, onNote: (note) => notes.push(note) });
		expect(outcome).toMatchObject({ state: "complete", mapHash: map.hash });
		expect(outcome.readTime).toBeUndefined();
		expect(notes).toEqual(["the source is read as it is now: it must not change until the verification is through"]);
		const { read, written, dead = 0 } = outcome.counts;
		expect(read).toBe(702 + any.length);
		expect(written! + dead).toBe(read);
		const moved = target.client.db("moved");
		expect(await moved.collection("Plain").countDocuments()).toBe(700);
		expect(await moved.collection("Any").countDocuments()).toBe(any.length - dead);
		const account = await moved.collection("Account").findOne();
		const task = await moved.collection("Task").findOne();
		expect(String(account!._id)).toMatch(/^[0-9a-f]{8}-/);
		expect(task).toMatchObject({ _parent: account!._id, owner: account!._id });
		expect(await runMigration(declaration)).toEqual({ ...outcome, already: true });
	});
});

describeWithEmulator("from Firestore in Datastore mode", () => {
	let emulator: DatastoreEmulator;
	beforeAll(async () => {
		emulator = await startFirestoreInDatastoreMode();
	});
	afterAll(() => emulator?.stop());

	test("everything is read at one time, whatever is written meanwhile", async () => {
		const before = [...plainEntities("Plain", 300), ...randomEntities(seeded("firestore"), "Any", 40)];
		await emulator.load(before);
		await sleep(1100);
		const readTime = new Date(Math.floor(Date.now() / 1000) * 1000).toISOString().replace(".000Z", "Z");
		await sleep(1100);
		await emulator.load([...plainEntities("Plain", 310).slice(290)]);
		await emulator.remove(before.slice(0, 5).map(({ key: own }) => own!));
		const place = {
			...{ project: emulator.project, emulator: emulator.address },
			...{ namespaces: [""], kinds: ["Plain", "Any"] },
		};
		const { declaration } = await declared("pinned", place, readTime);
		const outcome = await runMigration(declaration, { acceptDeadLetters: true });
		expect(outcome).toMatchObject({ state: "complete", readTime });
		expect(outcome.counts.read).toBe(340);
		expect(await target.client.db("moved").collection("Plain").countDocuments()).toBe(300);
	});
});
