import { long } from "../support/long.ts";
import { RedisScene } from "../support/redisScene.ts";

jest.setTimeout(300_000);
afterAll(() => RedisScene.removeAll());

/** As by default: a busy machine must not make the nodes that run miss it. */
const TIMEOUT_MS = 1000;
const SECONDS = long ? 30 : 4;

interface Seen {
	/** Milliseconds of each request, in ascending order. */
	ms: number[];
	statuses: Record<string, number>;
}

const quantile = ({ ms }: Seen, q: number): number => ms[Math.min(ms.length - 1, Math.floor(ms.length * q))]!;

/** Share of requests that failed. A stall of this process, in which the proxies run as well, looks like nodes that hang. */
const failures = ({ ms, statuses }: Seen): number => 1 - (statuses["200"] ?? 0) / ms.length;

/** Sixteen clients that write and read for a while. */
async function load(scene: RedisScene, label: string): Promise<Seen> {
	const { client } = scene.managers[0]!;
	const seen: Seen = { ms: [], statuses: {} };
	const end = Date.now() + SECONDS * 1000;
	const workers = Array.from({ length: 16 }, async (_, w) => {
		for (let i = 0; Date.now() < end; i++) {
			const asked = i % 2 === 0 ? client.write(`${label} ${w}`, i) : client.get(`${label} ${w}`);
			const { status, ms } = await asked;
			seen.ms.push(ms);
			seen.statuses[status] = (seen.statuses[status] ?? 0) + 1;
		}
	});
	await Promise.all(workers);
	seen.ms.sort((a, b) => a - b);
	const [p50, p99] = [quantile(seen, 0.5), quantile(seen, 0.99)].map((ms) => ms.toFixed(1));
	process.stderr.write(
		`${label}: ${seen.ms.length} requests, median ${p50} ms, p99 ${p99} ms, ${JSON.stringify(seen.statuses)}\n`,
	);
	return seen;
}

test("a node that hangs instead of failing: every request is answered, and p99 is the write timeout at most", async () => {
	const scene = await RedisScene.create({ writeTimeoutMs: TIMEOUT_MS, readTimeoutMs: TIMEOUT_MS });
	await load(scene, "all well");
	const hung = scene.servers[1]!;
	hung.pause();
	const seen = await load(scene, "one of three hangs");
	expect(failures(seen)).toBeLessThan(0.01);
	// Its kernel takes what is sent, it answers nothing: what a client waits for is the timeout, at most.
	expect(quantile(seen, 0.99)).toBeLessThan(1.5 * TIMEOUT_MS);

	hung.resume();
	await scene.heal();
	await scene.agreed();
	await scene.remove();
});

test("two of three hang: writes and reads fail within the timeout, and work again without a restart", async () => {
	const scene = await RedisScene.create({ writeTimeoutMs: TIMEOUT_MS, readTimeoutMs: TIMEOUT_MS });
	for (const server of scene.servers.slice(1)) server.pause();
	const seen = await load(scene, "two of three hang");
	expect(seen.statuses["200"]).toBeUndefined();
	expect(quantile(seen, 0.99)).toBeLessThan(1.5 * TIMEOUT_MS);
	for (const server of scene.servers.slice(1)) server.resume();
	await scene.heal();
	const well = await load(scene, "both are back");
	expect(failures(well)).toBeLessThan(0.01);
	await scene.agreed();
	await scene.remove();
});
