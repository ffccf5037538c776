import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { RedisUnderTest } from "../support/redisStack.ts";
import { refusedByPreview, said, unset } from "../support/refusal.ts";
import { TestStack } from "../support/stack.ts";

jest.setTimeout(300_000);
afterAll(() => TestStack.destroyAll());

describe("refused by a preview, before there is anything", () => {
	let stack: TestStack;
	beforeAll(async () => {
		stack = await TestStack.createRedis("redisrefused");
	});

	/** Refused by `preview` with all of `patterns`, and taken back. */
	const refused = async (change: object, more: object, ...patterns: RegExp[]) => {
		stack.configureRedis({ ...change }, { ...more });
		const words = await refusedByPreview(stack, patterns);
		stack.configureRedis(unset(change));
		return words;
	};

	test("wrong settings, all of them in one answer, by name and with the file to correct", async () => {
		const change = {
			...{ nodes: 10, managers: 0, appendfsync: "sometimes", memoryMB: 1, onStale: "wipe", nosuch: 1 },
			...{ address: "localhost", dataRoot: "here", apiKeyGeneration: 0, timeoutMs: 1, tombstoneGraceSeconds: 5 },
		};
		await refused(
			change,
			{},
			/HF_SETTING: /,
			/holdfast:redis\.nodes: nodes is at most 9/,
			/holdfast:redis\.managers: managers is at least 1/,
			/holdfast:redis\.appendfsync: appendfsync is always, everysec or no/,
			/holdfast:redis\.memoryMB: memoryMB is at least 16/,
			/holdfast:redis\.onStale: onStale is hold or merge/,
			/holdfast:redis\.address: use an IP address/,
			/holdfast:redis\.dataRoot: use an absolute path/,
			/holdfast:redis\.apiKeyGeneration: /,
			/holdfast:redis\.timeoutMs: timeoutMs is at least 50/,
			/holdfast:redis\.tombstoneGraceSeconds: tombstoneGraceSeconds is at least 3600/,
			/holdfast:redis: .*"nosuch"/,
			/Next: correct stacks\/config\/Pulumi\.redisrefused-/,
		);
	});

	test("ports that meet, and rounds that come too late", async () => {
		const ports = { node: stack.basePort, manager: stack.basePort + 2 };
		const kept = { node: stack.basePort, manager: stack.basePort + 10 };
		await refused({ ports }, {}, /HF_SETTING: ports\.node and ports\.manager meet at port \d+ of redis0-2/);
		const late = { ports: kept, roundSeconds: 3600, tombstoneGraceSeconds: 3600 };
		await refused(late, {}, /HF_SETTING: roundSeconds is 3600, more than half of tombstoneGraceSeconds, 3600/);
		stack.configureRedis({ ports: kept });
	});

	test("secrets that cannot be, or that nothing asks for, by name and never by value", async () => {
		const secrets = { apiKey: "hunter2", nodePassword: "hunter2 with blanks in it", nobody: "hunter2 too" };
		const words = await refused(
			{},
			{ "holdfast:secrets": { redis: secrets } },
			/HF_SETTING: .*secrets.*"nobody"/,
			/secrets\.redis\.apiKey: use 16 to 200 printable ASCII characters/,
			/secrets\.redis\.nodePassword: use 16 to 200 printable ASCII characters/,
		);
		expect(words).not.toContain("hunter2");
	});

	test("the name of another system", async () => {
		stack.mongo = { members: 1, name: "redis0", basePort: stack.basePort + 19 };
		await refused({}, {}, /HF_SETTING: holdfast:redis\.name: redis0 is the replica set's name/);
	});
});

describe("refused beside a running manager", () => {
	let stack: TestStack;
	let other: TestStack;
	let redis: RedisUnderTest;
	let facts: unknown;

	const look = async () => {
		const client = redis.client();
		const { body } = await client.get("kept");
		return JSON.parse(
			JSON.stringify({
				pids: ["redis0-0", "redis0-manager-0"].map((member) => redis.pid(member)),
				record: redis.record,
				files: ["conf/redis/redis.conf", "live/users.acl"].map((file) => redis.file("redis0-0", file)),
				inside: readdirSync(redis.folder("redis0-0")).sort(),
				nodes: redis.file("redis0-manager-0", "live/nodes.json"),
				value: body.value,
			}),
		);
	};
	/** `up` of `which` fails with `pattern`; the running manager stays as it is. */
	const refused = async (which: TestStack, change: object, pattern: RegExp) => {
		which.configureRedis({ ...change });
		const result = await which.holdfast("up");
		which.configureRedis(unset(change));
		expect([result.code === 0, said(result)]).toEqual([false, expect.stringMatching(pattern)]);
		expect(await look()).toEqual(facts);
	};

	beforeAll(async () => {
		stack = await TestStack.createRedis("redisrunning", { nodes: 2 });
		other = await TestStack.createRedis("redisother", { nodes: 1 });
		redis = new RedisUnderTest(stack);
		await stack.must("up");
		const client = redis.client();
		expect((await client.post("kept", "here")).body.success).toBe(true);
		facts = await look();
	});

	test("a node that would move, too few that would stay, and a folder that would be left behind", async () => {
		const ports = { node: stack.basePort, manager: stack.basePort + 10 };
		await refused(
			stack,
			{ ports: { ...ports, node: stack.basePort + 1 } },
			/HF_SETTING: redis0-0 is at 127\.0\.0\.1:\d+, not at 127\.0\.0\.1:\d+: that cannot change/,
		);
		stack.configureRedis({ ports });
		await refused(stack, { nodes: 1 }, /HF_UNSAFE: without redis0-1 no majority would be left to hand over to/);
		stack.configureRedis({ nodes: 2 });
		const dataRoot = join(stack.home, "elsewhere");
		await refused(stack, { dataRoot }, /HF_SETTING: member redis0-\S+ has its data in .*, not in .*elsewhere/);
		expect(existsSync(join(dataRoot, "redis0-0"))).toBe(false);
	});

	test("data of another stack, and data without an owner", async () => {
		const dataRoot = join(stack.home, stack.name, "members");
		const whose = `belongs to member redis0-0 of cluster redis0 of stack ${stack.name}`;
		await refused(
			other,
			{ dataRoot, ports: { node: other.basePort + 5, manager: other.basePort + 15 } },
			new RegExp(whose),
		);
		other.configureRedis({ ports: { node: other.basePort, manager: other.basePort + 10 } });
		const ownerless = join(other.home, "ownerless");
		mkdirSync(join(ownerless, "redis0-0", "data"), { recursive: true });
		writeFileSync(join(ownerless, "redis0-0", "data", "appendonly.aof"), "");
		await refused(other, { dataRoot: ownerless }, /HF_FOREIGN: member redis0-0: the folder .* holds files/);
		expect(readdirSync(join(ownerless, "redis0-0"))).toEqual(["data"]);
	});

	test("a port that is taken, of a node or a manager", async () => {
		const free = { node: other.basePort, manager: other.basePort + 10 };
		const node = new RegExp(
			`HF_PORT_IN_USE: member redis0-0: port ${stack.basePort} on 127\\.0\\.0\\.1 is in use by process \\d+`,
		);
		await refused(other, { ports: { ...free, node: stack.basePort } }, node);
		expect(existsSync(join(other.home, other.name, "members", "redis0-0", "data"))).toBe(false);
		const manager = new RegExp(`HF_PORT_IN_USE: member redis0-manager-0: port ${stack.basePort + 10} on`);
		await refused(other, { ports: { ...free, manager: stack.basePort + 10 } }, manager);
		other.configureRedis({ ports: free });
	});

	test("a user of a system that has none, and a system that does not run", async () => {
		const { code, stderr } = await stack.holdfast("connect", "redis", "--user", "nobody");
		expect([code, stderr]).toEqual([2, expect.stringMatching(/HF_USAGE: a Redis manager has no users/)]);
		const mongo = await stack.holdfast("connect", "mongo");
		expect([mongo.code, mongo.stderr]).toEqual([4, expect.stringMatching(/HF_UNREACHABLE: stack .* runs no mongo/)]);
	});

	test("a manager whose state was lost, until the operator says that it is the same; then it is managed again", async () => {
		for (const part of ["state", "passphrase"]) rmSync(join(stack.home, part), { recursive: true });
		writeFileSync(stack.config, readFileSync(stack.config, "utf8").replace(/^encryptionsalt:.*\n/m, ""));
		await refused(stack, {}, /HF_FOREIGN: stack redisrunning-[\d-]+ already has members with data/);
		const { adminPassword } = redis.record;
		stack.configureRedis({ adopt: true });
		await stack.must("up");
		// The new state has secrets of its own.
		expect(redis.record.adminPassword).not.toBe(adminPassword);
		const client = redis.client();
		expect((await client.get("kept")).body.value).toBe("here");
		expect(await stack.changes()).toEqual({ same: expect.any(Number) });
	});
});
