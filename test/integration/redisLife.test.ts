import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { localHost } from "../../runtime/platform/local.ts";
import { told } from "../support/canaries.ts";
import { killedAt } from "../support/interrupted.ts";
import { root } from "../support/node.ts";
import { lost, RedisUnderTest, RedisWriters } from "../support/redisStack.ts";
import { summaryOf, TestStack } from "../support/stack.ts";

jest.setTimeout(300_000);

const given = { apiKey: "a-key-that-we-gave$1'\"`", nodePassword: "a password: no blanks".replaceAll(" ", "_") };
const NODES = ["redis0-0", "redis0-1", "redis0-2"];
const MANAGERS = ["redis0-manager-0", "redis0-manager-1"];
let stack: TestStack;
let redis: RedisUnderTest;

beforeAll(async () => {
	stack = await TestStack.createRedis("redislife", { managers: 2 });
	redis = new RedisUnderTest(stack);
	await stack.must("preview");
	for (const [name, value] of Object.entries(given)) await stack.give(`redis.${name}`, value);
	process.env.HOLDFAST_HOME = stack.home;
});
afterAll(() => TestStack.destroyAll());

test("up that was killed before the state knew of the manager goes on; a second up changes nothing", async () => {
	await killedAt(stack, "redis/dropping");
	const pids = [...NODES, ...MANAGERS].map((member) => redis.pid(member));
	const client = redis.client();
	expect((await client.post("early", "bird")).body).toMatchObject({ success: true, writtenTo: 3 });
	const { stdout } = await stack.must("up");
	expect(stdout).toContain("whole: 3 node(s), 2 manager(s)");
	expect([...NODES, ...MANAGERS].map((member) => redis.pid(member))).toEqual(pids);
	expect((await client.get("early")).body.value).toBe("bird");
	expect(told(stdout, given)).toEqual([]);
	const second = await stack.must("up", "--json");
	expect([summaryOf(second.stdout), second.stdout.match(/"diffs":\[[^\]]+\]/)]).toEqual([
		{ same: expect.any(Number) },
		null,
	]);
});

test("connect gives a shell what it needs, and shows the key when it is asked for only", async () => {
	const form = async (...args: string[]) => (await stack.must("connect", "redis", ...args)).stdout;
	const variables = await form("--form", "env", "--reveal");
	const script = `${variables}
header() { printf 'x-api-key: %s\\n' "$REDIS_MANAGER_KEY"; }
header | curl -sf -H @- -H 'content-type: application/json' -d '{"key": "greeting", "value": "hello"}' "$REDIS_MANAGER_URL/data" >/dev/null
header | curl -sf -H @- "$REDIS_MANAGER_URL/data/greeting"`;
	expect(JSON.parse(execFileSync("sh", ["-ec", script], { encoding: "utf8" })).value).toBe("hello");
	expect(execFileSync("sh", ["-ec", await form("--reveal")], { encoding: "utf8" })).toContain('"status":"ok"');
	expect((await form("--form", "key", "--reveal")).trimEnd()).toBe(given.apiKey);
	expect((await form("--form", "url")).trimEnd()).toBe(redis.url());
	expect((await form("--form", "urls")).trimEnd().split("\n")).toEqual([redis.url(0), redis.url(1)]);
	for (const hidden of ["curl", "url", "urls", "key", "env"])
		expect([hidden, told(await form("--form", hidden), given)]).toEqual([hidden, []]);
	const refused = await stack.holdfast("connect", "redis", "--form", "jdbc");
	expect([refused.code, refused.stderr]).toEqual([
		2,
		expect.stringContaining("HF_USAGE: there is no form jdbc: curl, url"),
	]);
});

/** A line that the README prints: what differs from run to run, and what it left out, may be anything. */
const printed = (line: string): RegExp => {
	const escaped = line.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&");
	const free = escaped.replaceAll("\\.\\.\\.", ".*").replaceAll(/\d{13}/g, "\\d{13}");
	const stamped = free.replaceAll(/"stamp":"[^"]*"/g, '"stamp":"[0-9a-f]{32}"');
	return new RegExp(`^${stamped.replaceAll(/:63\d\d/g, ":\\d+")}$`);
};

test("the session in the README works as printed", () => {
	const page = readFileSync(join(root, "README.md"), "utf8");
	const [session] = /```console\n[^`]*api-key\.header[^`]*```/.exec(page)!;
	const lines = session.split("\n").slice(1, -1);
	const command = `"${process.execPath}" scripts/holdfast.ts --stack ${stack.name}`;
	// Its files go into the stack's home; what it prints is compared, line by line.
	const script = lines
		.filter((line) => line.startsWith("$ "))
		.map((line) => line.slice(2).replace("npm run --silent holdfast --", command))
		.map((line) => line.replaceAll(/api-key\.header|answer\.json/g, (file) => join(stack.home, file)))
		.join("\necho\n");
	const said = execFileSync("sh", ["-ec", script], { cwd: root, env: stack.env, encoding: "utf8" });
	const expected = lines.filter((line) => !line.startsWith("$ "));
	const found = said.split("\n").filter((line) => line !== "");
	expect(found).toEqual(expected.map((line) => expect.stringMatching(printed(line))));
	expect(found.length).toBeGreaterThan(3);
	for (const file of ["api-key.header", "answer.json"]) rmSync(join(stack.home, file));
});

test("the managers' user can do what managers do, and nothing else; nobody gets in without a name", () => {
	expect(redis.cli(0, "holdfast", "SET", "d:by hand", "x")).toBe("OK");
	expect(redis.cli(0, "holdfast", "UNLINK", "d:by hand")).toBe("1");
	for (const command of [
		["SET", "other", "x"],
		["GET", "other"],
		["EVAL", "return redis.call('SET', 'other', 'x')", "0"],
		["EVAL", "return redis.call('FLUSHALL')", "0"],
		["CONFIG", "SET", "maxmemory", "1"],
		["FLUSHALL"],
		["DEBUG", "SLEEP", "0"],
		["MODULE", "LIST"],
		["ACL", "LIST"],
		["SHUTDOWN"],
		["KEYS", "*"],
	])
		expect([command, redis.cli(0, "holdfast", ...command)]).toEqual([
			command,
			expect.stringMatching(/NOPERM|permission|can't (access|run)|not allowed/i),
		]);
	for (const command of [
		["GET", "d:x"],
		["ACL", "SETUSER", "holdfast", "+@all"],
		["CONFIG", "SET", "maxmemory", "1"],
	])
		expect([command, redis.cli(0, "holdfast-admin", ...command)]).toEqual([
			command,
			expect.stringMatching(/NOPERM|permission|can't (access|run)|not allowed/i),
		]);
	const nobody = execFileSync("redis-cli", ["-p", String(redis.port(0)), "PING"], { encoding: "utf8" });
	expect(nobody).toMatch(/NOAUTH|NOPERM/);
});

test("exported state holds no secret, no path of this machine, and nothing undefined", async () => {
	const { stdout } = await stack.pulumi("stack", "export");
	expect(told(stdout, { ...given, admin: redis.record.adminPassword })).toEqual([]);
	const { resources } = JSON.parse(stdout).deployment as { resources: { inputs?: object; outputs?: object }[] };
	const said = JSON.stringify(
		resources.map(({ inputs, outputs }) => [inputs, outputs]),
		(key, value) => (key === "__provider" ? "" : value),
	);
	for (const text of [stack.home, process.cwd(), "undefined"]) expect(said).not.toContain(text);
	expect(said).toContain("redis0-manager-1");
});

test("status tells of every node and manager", async () => {
	expect(await redis.status()).toMatchObject({
		...{ name: "redis0", healthy: true, version: expect.stringMatching(/^\d+\.\d+\.\d+$/) },
		durability: expect.any(String),
		nodes: NODES.map((member, slot) => ({
			...{ member, address: `127.0.0.1:${redis.port(slot)}`, state: "ready", durability: "everysec" },
			memory: { used: expect.any(Number), limit: 64 * 1024 * 1024 },
			skewMs: expect.any(Number),
		})),
		managers: MANAGERS.map((member, slot) => ({ member, url: redis.url(slot), state: "ok", reasons: [] })),
	});
	const { stdout } = await stack.must("status");
	expect(stdout).toMatch(/Redis manager redis0 \(Redis [\d.]+\): whole/);
	expect(stdout).toMatch(/NODE +ADDRESS +STATE +MEMORY +FSYNC +SKEW +REASON/);
});

test("what was changed by hand shows as drift on refresh, and up repairs it", async () => {
	await localHost(stack.name).stop("redis0-1");
	await localHost(stack.name).stop("redis0-manager-1");
	expect((await stack.holdfast("status")).code).toBe(4);
	const { stdout } = await stack.must("refresh");
	expect(stdout.match(/run: "running" => "stopped"/g)).toHaveLength(2);
	expect(stdout).toMatch(/redis:Cluster/);
	expect(told(stdout, given)).toEqual([]);
	await stack.must("up");
	expect((await stack.must("status")).stdout).toContain("whole: 3 node(s), 2 manager(s)");
	await stack.must("refresh");
	expect(await stack.changes()).toEqual({ same: expect.any(Number) });
});

test("a setting that was changed on a running node shows as drift, and up takes it back", async () => {
	// No user can do this; whoever has the machine can make one that does.
	const file = join(redis.folder("redis0-1"), "live/users.acl");
	writeFileSync(file, readFileSync(file, "utf8").replace("+acl|load", "+acl|load +config|set"));
	expect(redis.cli(1, "holdfast-admin", "ACL", "LOAD")).toBe("OK");
	expect(redis.cli(1, "holdfast-admin", "CONFIG", "SET", "appendfsync", "no")).toBe("OK");
	const { stdout } = await stack.must("refresh");
	expect(stdout).toMatch(/appendfsync\s*: "everysec" => "no"/);
	const [before, untouched] = [redis.pid("redis0-1"), redis.pid("redis0-0")];
	await stack.must("up");
	expect(redis.cli(1, "holdfast-admin", "CONFIG", "GET", "appendfsync")).toContain("everysec");
	expect(redis.cli(1, "holdfast-admin", "CONFIG", "SET", "appendfsync", "no")).toMatch(/NOPERM|permission/i);
	expect([redis.pid("redis0-1") === before, redis.pid("redis0-0")]).toEqual([false, untouched]);
	expect(await stack.changes()).toEqual({ same: expect.any(Number) });
});

test("a changed setting restarts one node at a time, then the managers, under writers that lose nothing", async () => {
	const clients = [redis.client(0), redis.client(1)];
	const writers = new RedisWriters(clients);
	await writers.progress(100);
	const before = [...NODES, ...MANAGERS].map((member) => redis.pid(member));
	stack.configureRedis({ appendfsync: "always", maxSkewMs: 30_000 });
	const preview = await stack.must("preview");
	expect(preview.stdout).toContain(
		"redis0: restart redis0-0, redis0-1, redis0-2, redis0-manager-0, redis0-manager-1 one at a time",
	);
	await stack.must("up");
	await writers.progress(100);
	const written = await writers.stop();
	const after = [...NODES, ...MANAGERS].map((member) => redis.pid(member));
	expect(after.filter((pid) => before.includes(pid))).toEqual([]);
	expect(written.acknowledged.size).toBeGreaterThan(50);
	expect(await lost(clients[0]!, written)).toEqual({});
	expect(redis.cli(2, "holdfast-admin", "CONFIG", "GET", "appendfsync")).toContain("always");
	expect((await redis.status()).nodes.map(({ durability }) => durability)).toEqual(["always", "always", "always"]);
	expect(await stack.changes()).toEqual({ same: expect.any(Number) });
});

test("new passwords and a new key are taken up under writers, the former key counting until the next", async () => {
	const old = redis.record;
	const clients = [redis.client(0), redis.client(1)];
	const writers = new RedisWriters(clients);
	await writers.progress(50);
	const pids = [...NODES, ...MANAGERS].map((member) => redis.pid(member));
	await stack.give("redis.apiKey", "the-second-key-of-all");
	await stack.give("redis.nodePassword", "the-second-password");
	await stack.must("up");
	await writers.progress(50);
	const written = await writers.stop();
	expect(await lost(clients[0]!, written)).toEqual({});
	// Nobody had to be restarted.
	expect([...NODES, ...MANAGERS].map((member) => redis.pid(member))).toEqual(pids);
	expect(redis.record).toMatchObject({ apiKey: "the-second-key-of-all", previousApiKey: old.apiKey });
	expect(redis.record.changingUsers).toBeUndefined();
	for (const node of NODES) expect(redis.file(node, "live/users.acl").match(/#/g)).toHaveLength(2);
	await stack.give("redis.apiKey", "the-third-key-of-all");
	await stack.must("up");
	const { status } = await clients[0]!.get("early");
	expect(status).toBe(401);
	const second = redis.client(1, "the-second-key-of-all");
	expect((await second.get("early")).body.value).toBe("bird");
});

test("a rotation that was killed half-way goes on, and leaves the new passwords alone", async () => {
	for (const failpoint of ["redis/users", "redis/dropping"] as const) {
		const password = `rotated-at-${failpoint}`;
		await stack.give("redis.nodePassword", password);
		await killedAt(stack, failpoint);
		expect((await redis.status()).nodes.map(({ state }) => state)).toEqual(["ready", "ready", "ready"]);
		await stack.must("up");
		expect(redis.file("redis0-manager-0", "live/redis-password")).toBe(`${password}\n`);
		expect(redis.cli(0, "holdfast", "PING")).toBe("PONG");
	}
});

test("destroy is refused while protected; down needs the stack's name, and leaves no process, port or folder", async () => {
	const { code, stdout, stderr } = await stack.pulumi("destroy", "--yes", "--skip-preview");
	expect([code === 0, stdout + stderr]).toEqual([false, expect.stringMatching(/protect/)]);
	const refused = await stack.holdfast("down");
	expect([refused.code, refused.stderr]).toEqual([4, expect.stringMatching(/HF_PROTECTED: down deletes .* of redis0/)]);
	const pids = [...NODES, ...MANAGERS].map((member) => redis.pid(member));
	await stack.must("down", "--delete-data", stack.name);
	expect(pids.filter((pid) => existsSync(`/proc/${pid}`))).toEqual([]);
	for (const offset of [0, 1, 2, 10, 11]) await bindable(stack.basePort + offset);
	expect(existsSync(`${stack.home}/${stack.name}`)).toBe(false);
	await stack.must("down", "--delete-data", stack.name);
});

/** Fails where somebody listens on the port, at whatever address. */
const bindable = (port: number) =>
	new Promise<void>((resolve, reject) => {
		const server = createServer().once("error", reject);
		server.listen(port, "0.0.0.0", () => server.close(() => resolve()));
	});
