import { openTransfer } from "../../runtime/migrate/openTransfer.ts";
import { type DatastoreEmulator, describeWithEmulator, startDatastore } from "../support/datastoreEmulator.ts";
import { plainEntities } from "../support/datastoreFixtures.ts";
import { long } from "../support/long.ts";
import { runAsJob } from "../support/migrateFaults.ts";
import { scene } from "../support/migrateScene.ts";
import { targetForTests } from "../support/migrateTarget.ts";
import { until } from "../support/until.ts";

const target = targetForTests();
const PLAIN = long ? 6_000 : 1_200;
const rounds = long ? 3 : 1;

describeWithEmulator("a source that goes away", () => {
	let emulator: DatastoreEmulator;
	beforeAll(async () => {
		emulator = await startDatastore({ onDisk: true });
	});
	afterAll(() => emulator?.stop());

	test("and comes back costs nothing but time", async () => {
		await emulator.load(plainEntities("Plain", PLAIN));
		const moved = target.client.db("moved").collection("Plain");
		const { declaration, parts } = scene({ plain: PLAIN });
		await runAsJob({ ...scene({ plain: PLAIN }), declaration, parts });
		const wanted = await target.contents();
		await target.empty();
		const source = { project: emulator.project, emulator: emulator.address };
		// Without a read time: this emulator ignores it.
		const { readTime: _, ...rest } = declaration;
		const real = { ...rest, source: { ...declaration.source, ...source }, pageSize: 20, concurrency: 1 };
		const running = runAsJob({ ...scene({ plain: PLAIN }), declaration: real, parts: { ...parts, openTransfer } });
		for (let round = 0; round < rounds; round++) {
			const share = (PLAIN * (round + 0.3)) / rounds;
			await until("a share", 60_000, async () => (await moved.countDocuments()) >= share);
			await emulator.pause();
			const there = await moved.countDocuments();
			expect(there).toBeLessThan(PLAIN);
			const at = performance.now();
			await emulator.resume();
			process.stderr.write(`gone at ${there} documents, for ${Math.round(performance.now() - at)} ms\n`);
		}
		const { outcome, again } = await running;
		process.stderr.write(`again ${again}, ${JSON.stringify(outcome.counts)}\n`);
		expect(outcome.state).toBe("complete");
		expect(outcome.counts.read).toBe(PLAIN);
		expect(await target.contents()).toEqual(wanted);
	}, 300_000);
});
