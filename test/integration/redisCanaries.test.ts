import { randomBytes } from "node:crypto";
import { statSync } from "node:fs";
import { join } from "node:path";
import { openToOthers } from "../support/canaries.ts";
import { RedisUnderTest } from "../support/redisStack.ts";
import { TestStack } from "../support/stack.ts";
import { WatchedStack } from "../support/watchedStack.ts";

jest.setTimeout(300_000);

const random = () => randomBytes(12).toString("hex");
/** The random part is what is searched. */
const special = (core: string) => `p@ss:/%"'$\\\`${core}`;

let stack: TestStack;
let redis: RedisUnderTest;
let watched: WatchedStack;
/** A value and a key that clients wrote: no log holds either. */
const written = { key: random(), value: random() };

async function give(name: string): Promise<void> {
	const core = random();
	await watched.give(`redis.${name}`, special(core), core);
}

async function write(): Promise<void> {
	const client = redis.client();
	expect((await client.post(written.key, written.value)).status).toBe(200);
	expect((await client.get(written.key)).body.value).toBe(written.value);
	expect((await redis.client(0, "a-wrong-key-of-random-text").get(written.key)).status).toBe(401);
}

beforeAll(async () => {
	stack = await TestStack.createRedis("rediscanary", { managers: 2 });
	redis = new RedisUnderTest(stack);
	watched = new WatchedStack(stack);
	await watched.must("preview");
	for (const name of ["apiKey", "nodePassword"]) await give(name);
	await watched.must("up");
	await write();
});
afterAll(async () => {
	watched.close();
	await TestStack.destroyAll();
});

test("the scanner finds what may be known, and all that exists was collected", async () => {
	const names = await watched.expectAllFound();
	expect(names.filter((name) => name.startsWith("redis0-admin "))).toHaveLength(1);
	const { stdout } = await watched.run(["connect", "redis", "--reveal"]);
	expect(watched.told(stdout)).toHaveLength(1);
});

test("rotations, refused secrets, drift and a restart, with the processes watched", async () => {
	for (const name of ["apiKey", "nodePassword"]) await give(name);
	watched.configure("redis", (settings) => {
		settings.adminGeneration = 2;
		settings.appendfsync = "always";
	});
	await watched.must("preview");
	await watched.must("up", "--json");
	await watched.collect();
	await write();
	await watched.give("redis.apiKey", "short", "short-and-refused");
	delete watched.canaries["given apiKey short"];
	const { code, stdout } = await watched.kept("up");
	expect([code === 0, stdout]).toEqual([false, expect.stringMatching(/secrets\.redis\.apiKey: use 16 to 200/)]);
	await give("apiKey");
	for (const args of [
		["refresh"],
		["up"],
		["status"],
		["status", "--json"],
		["connect", "redis"],
		["connect", "redis", "--form", "env", "--json"],
		["connect", "redis", "--form", "key"],
		["env"],
	])
		await watched.must(...args);
	await watched.must("pulumi", "stack", "export");
	await watched.must("pulumi", "config");
	await write();
});

test("no command printed a secret", () => watched.expectNonePrinted(10));

test("files hold secrets only where they are needed, and there for their owner alone", () => {
	const found = watched.files();
	const record = `${stack.name}/clusters/redis0.json`;
	const own = [0, 1].flatMap((slot) =>
		["api-key", "redis-password"].map((file) => `${stack.name}/members/redis0-manager-${slot}/live/${file}`),
	);
	expect(Object.keys(found).sort()).toEqual([record, ...own, "passphrase"].sort());
	const latest = (what: string) => Object.keys(watched.canaries).findLast((name) => name.startsWith(what));
	for (const slot of [0, 1]) {
		const file = `${stack.name}/members/redis0-manager-${slot}/live/redis-password`;
		expect(found[file]).toEqual([latest("given nodePassword ")]);
	}
	watched.expectPrivate(Object.keys(found));
});

test("no log holds a key or a value of a client", () => {
	for (const member of ["redis0-0", "redis0-1", "redis0-2"])
		expect(redis.file(member, "log/redis.log")).not.toContain(written.key);
	for (const member of ["redis0-manager-0", "redis0-manager-1"]) {
		const log = redis.file(member, "log/manager.log");
		for (const text of Object.values(written)) expect(log).not.toContain(text);
		expect(log.length).toBeGreaterThan(100);
	}
});

test("nobody else can look into what belongs to the stack", () => {
	for (const member of ["redis0-0", "redis0-manager-0"]) {
		expect(statSync(redis.folder(member)).mode & 0o777).toBe(0o700);
		expect(openToOthers(redis.folder(member))).toEqual([]);
	}
	expect(openToOthers(join(stack.home, stack.name, "clusters"))).toEqual([]);
});

test("no process had a secret in its arguments or its environment", () =>
	watched.expectNoneInProcesses(["redis-server", "runtime/redis/main.ts\0--config", "pulumi\0up"]));

test("down leaves no secret behind", () => watched.expectNoneLeft());
