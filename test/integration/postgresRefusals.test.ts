import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { long } from "../support/long.ts";
import { PatroniUnderTest } from "../support/patroni.ts";
import { refusedByPreview, said, unset } from "../support/refusal.ts";
import { TestStack } from "../support/stack.ts";

jest.setTimeout(300_000);
afterAll(() => TestStack.destroyAll());

describe("refused by a preview, before there is anything", () => {
	let stack: TestStack;
	beforeAll(async () => {
		stack = await TestStack.createPostgres("pgrefused");
	});

	/** Refused by `preview` with all of `patterns`, and taken back. */
	const refused = async (change: object, more: object, ...patterns: RegExp[]) => {
		stack.configurePostgres({ ...change }, { ...more });
		const words = await refusedByPreview(stack, patterns);
		stack.configurePostgres(unset(change));
		return words;
	};

	test("wrong settings, all of them in one answer, by name and with the file to correct", async () => {
		const change = {
			...{ voters: 2, durability: "always", version: 14, profile: "slow", ttl: 5, maxConnections: 3, nosuch: 1 },
			...{ superuser: 'o"dd', replicationUser: "pg_copier", parameters: { fsync: "off", "a b": 1 } },
			...{ archiveCommand: "two\nlines", address: "10.0.0.1", dataRoot: "here", superuserGeneration: 0 },
		};
		await refused(
			change,
			{},
			/HF_SETTING: /,
			/holdfast:postgres\.voters: voters is 1, 3 or 5: an even number of etcd voters/,
			/holdfast:postgres\.durability: durability is async, sync, quorum or strict/,
			/holdfast:postgres\.version: version is 15 to 18/,
			/holdfast:postgres\.profile: /,
			/holdfast:postgres\.ttl: ttl is at least 20 s/,
			/holdfast:postgres\.maxConnections: maxConnections is at least 25/,
			/holdfast:postgres\.superuser: must not contain quotes/,
			/holdfast:postgres\.replicationUser: names that begin with pg_/,
			/holdfast:postgres\.parameters\.fsync: .*a crash would damage the data/,
			/holdfast:postgres\.archiveCommand: must be one line/,
			/holdfast:postgres\.address: use a loopback address/,
			/holdfast:postgres\.dataRoot: use an absolute path/,
			/holdfast:postgres\.superuserGeneration: /,
			/holdfast:postgres: .*"nosuch"/,
			/Next: correct stacks\/config\/Pulumi\.pgrefused-/,
		);
	});

	test("a leader that would still be retrying when its lock runs out", async () => {
		await refused(
			{ ttl: 20, loopWait: 8 },
			{},
			/HF_SETTING: ttl is 20 s, but loopWait 8 \+ 2 \* retryTimeout \d \+ 2 s/,
		);
	});

	test("secrets that cannot be, or that nothing asks for, by name and never by value", async () => {
		const postgres = { superuser: "hunter2\nline", tls: "hunter2", nobody: "hunter2 too" };
		const words = await refused(
			{ tls: {} },
			{ "holdfast:secrets": { postgres } },
			/HF_SETTING: .*secrets.*"nobody"/,
			/secrets\.postgres\.superuser: must not contain line breaks/,
			/secrets\.postgres\.tls: .*16/,
		);
		expect(words).not.toContain("hunter2");
	});

	test("the name of the stack's replica set", async () => {
		stack.mongo = { members: 1, name: "pg0", basePort: stack.basePort + 24 };
		await refused({}, {}, /HF_SETTING: holdfast:postgres\.name: pg0 is the replica set's name/);
	});
});

describe("refused beside a running cluster", () => {
	let stack: TestStack;
	let other: TestStack;
	let cluster: PatroniUnderTest;
	let facts: unknown;

	const look = async () => {
		const files = ["live/patroni/10-patroni.yml", "live/patroni/50-secrets.yml", "conf/patroni.launch"];
		return JSON.parse(
			JSON.stringify({
				pid: cluster.postmaster(0),
				record: cluster.record,
				files: files.map((file) => readFileSync(join(cluster.folder(0), file), "utf8")),
				inside: readdirSync(cluster.folder(0)).sort(),
				row: await cluster.sql("SELECT word FROM kept"),
			}),
		);
	};
	/** `up` of `which` fails with `pattern`; the running cluster stays as it is. */
	const refused = async (which: TestStack, change: object, pattern: RegExp, more: object = {}) => {
		which.configurePostgres({ ...change }, { ...more });
		const result = await which.holdfast("up");
		which.configurePostgres(unset(change));
		expect([result.code === 0, said(result)]).toEqual([false, expect.stringMatching(pattern)]);
		expect(await look()).toEqual(facts);
	};
	const nothingMade = () => expect(existsSync(join(other.home, other.name, "members", "pg0-0", "data"))).toBe(false);
	const loseState = () => {
		for (const part of ["state", "passphrase"]) rmSync(join(stack.home, part), { recursive: true });
		writeFileSync(stack.config, readFileSync(stack.config, "utf8").replace(/^encryptionsalt:.*\n/m, ""));
	};

	beforeAll(async () => {
		stack = await TestStack.createPostgres("pgrunning", { members: 1 });
		other = await TestStack.createPostgres("pgother", { members: 1 });
		cluster = new PatroniUnderTest(stack);
		await stack.must("up");
		await cluster.sql("CREATE TABLE kept AS SELECT 'here' AS word");
		facts = await look();
	});

	test("what was fixed when the cluster was made", async () => {
		await refused(stack, { version: 16 }, /HF_SETTING: version is 16, but the data of pg0 is of PostgreSQL 18/);
		await refused(stack, { build: "16" }, /HF_SETTING: build is PostgreSQL 16\.\d+ \(.*\), but version is 18/);
		await refused(stack, { replicationUser: "copier" }, /HF_SETTING: replicationUser is copier, but pg0 was made with/);
		const dataRoot = join(stack.home, "elsewhere");
		await refused(stack, { dataRoot }, /HF_SETTING: member pg0-0 has its data in .*members\/pg0-0, not in .*elsewhere/);
		expect(existsSync(dataRoot)).toBe(false);
	});

	test("a port that is taken, whichever of its ports it is", async () => {
		const free = other.basePort;
		const ports = { postgres: free, patroni: free + 5, etcdClient: free + 10, etcdPeer: free + 11 };
		const taken = { postgres: 0, etcdPeer: 11, ...(long ? { patroni: 5, etcdClient: 10 } : {}) };
		for (const [name, offset] of Object.entries(taken)) {
			const port = stack.basePort + offset;
			const pattern = new RegExp(
				`HF_PORT_IN_USE: member pg0-0: port ${port} on 127\\.0\\.1\\.1 is in use by process \\d+`,
			);
			await refused(other, { ports: { ...ports, [name]: port } }, pattern);
			nothingMade();
		}
		other.configurePostgres({ ports });
	});

	test("data of another stack, data without an owner, and data of another cluster than is adopted", async () => {
		const dataRoot = join(stack.home, stack.name, "members");
		await refused(
			other,
			{ dataRoot },
			new RegExp(
				`HF_FOREIGN: member pg0-0: the folder .* belongs to member pg0-0 of cluster pg0 of stack ${stack.name}`,
			),
		);
		const ownerless = join(other.home, "ownerless");
		const data = join(ownerless, "pg0-0", "data", "postgres");
		mkdirSync(join(data, "global"), { recursive: true });
		writeFileSync(join(data, "PG_VERSION"), "18\n");
		await refused(other, { dataRoot: ownerless }, /HF_FOREIGN: member pg0-0: the folder .* holds files/);
		expect(readdirSync(join(ownerless, "pg0-0"))).toEqual(["data"]);
		cpSync(join(cluster.folder(0), "data", "postgres", "global", "pg_control"), join(data, "global", "pg_control"));
		const { systemIdentifier } = cluster.record;
		await refused(
			other,
			{ dataRoot: ownerless, adopt: { systemIdentifier: "7000000000000000001" } },
			new RegExp(`HF_FOREIGN: pg0-0 has data of the cluster ${systemIdentifier}, not of 7000000000000000001`),
		);
		expect(readFileSync(join(data, "PG_VERSION"), "utf8")).toBe("18\n");
	});

	test("a role that nobody has, and a system that does not run", async () => {
		const { code, stderr } = await stack.holdfast("connect", "postgres", "--user", "nobody");
		expect([code, stderr]).toEqual([2, expect.stringMatching(/HF_USAGE: stack .* has no user nobody: postgres/)]);
		const mongo = await stack.holdfast("connect", "mongo");
		expect([mongo.code, mongo.stderr]).toEqual([4, expect.stringMatching(/HF_UNREACHABLE: stack .* runs no mongo/)]);
	});

	test("a superuser's password that somebody changed, until it is given", async () => {
		await cluster.sql("ALTER ROLE postgres PASSWORD 'by hand'");
		const { stdout } = await stack.must("refresh");
		expect(stdout).toMatch(/~ superuser: \{\s+~ password: \[secret\] => \[secret\]/);
		const result = await stack.holdfast("up");
		expect([result.code === 0, said(result)]).toEqual([
			false,
			expect.stringMatching(/HF_CREDENTIALS: 127\.0\.1\.1:\d+ refuses the login of postgres/),
		]);
		stack.configurePostgres({}, { "holdfast:secrets": { postgres: { superuser: "by hand" } } });
		await stack.must("up");
		expect(cluster.record.superuser.password).toBe("by hand");
		facts = await look();
	});

	test("a cluster whose state was lost, until the operator says that it is the same; then it is managed again", async () => {
		loseState();
		await refused(stack, {}, /HF_FOREIGN: stack pgrunning-[\d-]+ already has members with data/);
		await refused(
			stack,
			{ adopt: { systemIdentifier: "7000000000000000001" } },
			/HF_FOREIGN: adopt\.systemIdentifier is 7000000000000000001, but cluster pg0 is known here as \d+/,
		);
		const { systemIdentifier, superuser } = cluster.record;
		const pid = cluster.postmaster(0);
		stack.configurePostgres({ adopt: { systemIdentifier }, parameters: { work_mem: "5MB" } });
		await stack.must("up");
		expect([cluster.postmaster(0), cluster.record.systemIdentifier]).toEqual([pid, systemIdentifier]);
		expect(await cluster.sql("SELECT word FROM kept")).toEqual([{ word: "here" }]);
		expect(await cluster.shown("work_mem")).toEqual(["5MB"]);
		// The new state has secrets of its own.
		expect(cluster.record.superuser.password).not.toBe(superuser.password);
		expect(await stack.changes()).toEqual({ same: expect.any(Number) });
	});
});
