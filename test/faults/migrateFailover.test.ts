import { setTimeout as sleep } from "node:timers/promises";
import { long, seeded } from "../support/long.ts";
import { countOn, type Endured, runAsJob } from "../support/migrateFaults.ts";
import { type SceneOptions, scene } from "../support/migrateScene.ts";
import { targetForTests } from "../support/migrateTarget.ts";
import { until } from "../support/until.ts";

const target = targetForTests(3);
const PLAIN = long ? 12_000 : 3_000;
const options: SceneOptions = { plain: PLAIN, any: 50, partitions: 4, delay: long ? 500 : 40 };
const figures = (line: string) => process.stderr.write(`${line}\n`);
const moved = () => target.client.db("moved").collection("Plain");

/** Waits until so much is there, in pages that a majority has. */
const loaded = (share: number) =>
	until(
		`${share * 100} %`,
		60_000,
		async () =>
			(await moved()
				.countDocuments()
				.catch(() => 0)) >=
			PLAIN * share,
	);

/** Nothing lost, nothing twice, nothing changed. */
async function expectWhole({ outcome }: Endured): Promise<void> {
	expect(outcome.state).toBe("complete");
	const { read, written = 0, equal = 0, conflicts, dead } = outcome.counts;
	expect([read, written + equal, conflicts, dead]).toEqual([PLAIN + 50, PLAIN + 50, undefined, undefined]);
	expect(await target.contents()).toEqual(wanted);
}

let wanted: Record<string, string>;
beforeAll(async () => {
	await runAsJob(scene({ ...options, delay: 0 }));
	wanted = await target.contents();
});

const rounds = long ? 4 : 1;

test("a primary that is killed during the load costs nothing but time", async () => {
	const random = seeded("migrate killed");
	const running = runAsJob(scene(options));
	for (let round = 0; round < rounds; round++) {
		await loaded((round + 0.2 + 0.5 * random()) / rounds);
		const before = await target.set.primary();
		const there = await moved().countDocuments();
		expect(there).toBeLessThan(PLAIN);
		const at = performance.now();
		await target.set.kill(before);
		const next = await target.set.primary();
		expect(next).not.toBe(before);
		figures(
			`killed member ${before} at ${there} documents; member ${next} after ${Math.round(performance.now() - at)} ms`,
		);
		target.set.start(before);
	}
	const endured = await running;
	figures(`again ${endured.again}, ${JSON.stringify(endured.outcome.counts)}`);
	await expectWhole(endured);
}, 240_000);

test("a primary that steps down during the load costs nothing but time", async () => {
	const random = seeded("migrate stepdown");
	const running = runAsJob(scene(options));
	for (let round = 0; round < rounds; round++) {
		await loaded((round + 0.2 + 0.5 * random()) / rounds);
		const there = await moved().countDocuments();
		expect(there).toBeLessThan(PLAIN);
		const before = await target.set.stepDown();
		const next = await target.set.primary();
		expect(next).not.toBe(before);
		figures(`member ${before} stepped down at ${there} documents for member ${next}`);
		await sleep(6000 * (long ? 1 : 0));
	}
	const endured = await running;
	figures(`again ${endured.again}, ${JSON.stringify(endured.outcome.counts)}`);
	await expectWhole(endured);
}, 240_000);

test("writes that a failover takes back are behind no checkpoint", async () => {
	const running = runAsJob(scene(options));
	await loaded(0.3);
	const before = await target.set.primary();
	const files = target.set.rollbacks(before);
	const others = [0, 1, 2].filter((member) => member !== before);
	await Promise.all(others.map((member) => target.set.kill(member)));
	// The primary takes pages in that nobody else has, until it notices that it is alone.
	await sleep(1000);
	const alone = await countOn(target.set, before, "Plain");
	await target.set.kill(before);
	for (const member of others) target.set.start(member);
	const next = await target.set.primary();
	target.set.start(before);
	// What a member takes back it writes aside.
	await until("a rollback", 60_000, () => target.set.rollbacks(before) > files);
	figures(`member ${before} had ${alone} documents when it was alone, and took some back for member ${next}`);
	const endured = await running;
	figures(`again ${endured.again}, ${JSON.stringify(endured.outcome.counts)}`);
	await expectWhole(endured);
}, 240_000);
