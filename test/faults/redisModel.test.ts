import fc from "fast-check";
import type { Tally } from "../support/faultProxy.ts";
import { long, seeded } from "../support/long.ts";
import { ManagerProcess } from "../support/managerProcess.ts";
import { Chaos } from "../support/redisChaos.ts";
import { RedisScene } from "../support/redisScene.ts";
import { type Round, schedule } from "../support/redisSchedule.ts";
import { within } from "../support/within.ts";

jest.setTimeout(long ? 7_200_000 : 180_000);
afterAll(async () => {
	await ManagerProcess.removeAll();
	await RedisScene.removeAll();
});

const settings = { writeTimeoutMs: 250, readTimeoutMs: 250, probeMs: 200, lossWaitSeconds: 1 };

/** Managers 0 and 1 in this process, with clocks of their own; a third one as it ships, to be killed. */
async function stage(): Promise<{ scene: RedisScene; chaos: Chaos; manager: ManagerProcess }> {
	// Every acknowledged write is on the disk: what is killed here has lost nothing.
	const redis = { args: ["--appendfsync", "always"] };
	const scene = await RedisScene.create({ skews: [5000, -5000], redis, ...settings });
	const manager = await ManagerProcess.start(
		scene.servers.map(({ name }) => name),
		{ WRITE_TIMEOUT_MS: 250, READ_TIMEOUT_MS: 250, LOSS_WAIT_SECONDS: 1 },
	);
	return { scene, manager, chaos: new Chaos(scene, manager) };
}

async function holds(rounds: readonly Round[]): Promise<void> {
	const { scene, chaos, manager } = await stage();
	const { registers, done } = chaos;
	await chaos.play(rounds);
	await scene.heal();
	const records = await scene.agreed();
	registers.final(records);
	for (const { client } of scene.managers) {
		for (const key of new Set(registers.sent.map((one) => one.key)))
			registers.read(key, "all", performance.now(), await client.get(key, "all"), Date.now());
		const { body } = await client.divergence();
		expect({ equal: body.equal, digests: new Set(body.nodes.map(({ digest }) => digest)).size }).toEqual({
			equal: true,
			digests: 1,
		});
	}
	const tallies = scene.links.flat().map(({ tally }) => tally);
	const total = (what: keyof Tally) => tallies.reduce((sum, tally) => sum + tally[what], 0);
	const bitten = Object.fromEntries(
		(["resets", "lostToServer", "lostToClient", "held", "released", "delayed"] as const).map((what) => [
			what,
			total(what),
		]),
	);
	process.stderr.write(`redis model: ${JSON.stringify({ ...done, ...bitten, ...registers.checked })}\n`);
	await within("managers and nodes to end", 60_000, Promise.all([manager.remove(), scene.remove()]));
	expect(registers.violations).toEqual([]);
	expect(done["write done"]).toBeGreaterThan(rounds.length);
	expect((done["write open"] ?? 0) + (done["write undone"] ?? 0)).toBeGreaterThan(0);
	for (const what of ["lostToServer", "lostToClient"]) expect(bitten[what]).toBeGreaterThan(0);
}

test("any schedule of writes, deletes, expiries, retries, partitions, kills, hangs and skews: last writer wins everywhere", async () => {
	const random = seeded("redis model");
	const seed = Math.floor(random() * 2 ** 31);
	await fc.assert(fc.asyncProperty(schedule(long ? 120 : 30), holds), {
		seed,
		numRuns: long ? 15 : 1,
		// Real processes: what a smaller schedule does differs from run to run.
		endOnFailure: true,
	});
});
