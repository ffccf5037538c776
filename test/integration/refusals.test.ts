import { spawn } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { ForeignSet } from "../support/foreignSet.ts";
import { adminUri, withMongo } from "../support/mongo.ts";
import { root } from "../support/node.ts";
import { refusedByPreview, said } from "../support/refusal.ts";
import { type Result, TestStack } from "../support/stack.ts";

jest.setTimeout(300_000);
afterAll(() => TestStack.destroyAll());

const users = { app: { database: "users", roles: [{ role: "readWrite", db: "workflows" }] } };

describe("refused by a preview, before there is anything", () => {
	let stack: TestStack;
	beforeAll(async () => {
		stack = await TestStack.create("refused");
	});

	const refused = (...patterns: RegExp[]) => refusedByPreview(stack, patterns);
	const configured = (change: object, more: object = {}) => {
		stack.mongo = { members: 3, basePort: stack.basePort };
		stack.configure({ ...change }, { ...more });
	};

	test("wrong settings, all of them in one answer, by name and with the file to correct", async () => {
		configured({
			members: 51,
			basePort: 70_000,
			cacheSizeGB: "a lot",
			nosuch: 1,
			arbiter: [1, 2],
			electionTimeoutMillis: 10,
			users: { "": users.app, other: { roles: [{ role: "", db: "x" }] } },
			existing: [{ host: "", port: 0 }],
		});
		await refused(
			/HF_SETTING: /,
			/holdfast:mongo\.members: a set has at most 50 members/,
			/holdfast:mongo\.basePort: /,
			/holdfast:mongo\.cacheSizeGB: .*expected number/,
			/holdfast:mongo: .*"nosuch"/,
			/holdfast:mongo\.arbiter: at most one arbiter/,
			/holdfast:mongo\.electionTimeoutMillis: /,
			/holdfast:mongo\.users\./,
			/holdfast:mongo\.users\.other\.roles\.0\.role: must not be empty/,
			/holdfast:mongo\.existing\.0\.host/,
			/Next: correct stacks\/config\/Pulumi\.refused-/,
		);
	});

	test("the last port of the last member is within range", async () => {
		configured({ basePort: 65_530, members: 50 });
		await refused(/HF_SETTING: holdfast:mongo\.basePort: /);
	});

	test("a role that nobody has, of a user or of a role", async () => {
		const made = { auditor: { database: "workflows", roles: [{ role: "wirte", db: "workflows" }] } };
		configured({
			roles: made,
			users: {
				app: { roles: [{ role: "raed", db: "workflows" }] },
				fine: { roles: [{ role: "auditor", db: "workflows" }] },
			},
		});
		const words = await refused(
			/app has the unknown role raed on workflows/,
			/auditor has the unknown role wirte on workflows/,
		);
		expect(words).not.toContain("fine has");
	});

	test("eight voters, an arbiter that makes the number even, and two members with one address", async () => {
		configured({ members: 8 });
		await refused(/HF_SETTING: 8 of 8 members vote, at most 7 may: .*overrides\.<slot>\.votes/);
		configured({ members: 4, arbiter: 3 });
		await refused(/HF_SETTING: arbiter makes 4 voters, an even number.*Next: leave the arbiter out/);
		configured({
			existing: [
				{ host: "a", port: 1 },
				{ host: "b", port: 1 },
				{ host: "a", port: 1 },
			],
		});
		await refused(/HF_SETTING: two members have the address a:1/);
	});

	test("secrets that nothing asks for, or that cannot be, by name and never by value", async () => {
		const secrets = { ap: "hunter2-plain", app: ["hunter2-list"], keyfile: "hunter2 is no base64", admin: "" };
		configured({ users }, { "holdfast:secrets": secrets });
		const words = await refused(
			/HF_SETTING: /,
			/holdfast:secrets\.app: .*expected string/,
			/holdfast:secrets\.keyfile: use 6 to 1024 base64 characters/,
			/holdfast:secrets\.admin: must not be empty/,
			/holdfast:secrets: .*"ap"/,
		);
		expect(words).not.toContain("hunter2");
	});

	test("a file that does not parse, and a program that does not exist", async () => {
		const good = readFileSync(stack.config, "utf8");
		writeFileSync(stack.config, `${good}\n  holdfast:x: {hunter2: [hunter2 }`);
		const words = await refused(new RegExp(`HF_SETTING: .*Pulumi\\.${stack.name}\\.yaml is not valid YAML: line \\d+`));
		expect(words).not.toContain("hunter2");
		writeFileSync(stack.config, good.replace("holdfast:program: local", "holdfast:program: lokal"));
		await refused(/HF_SETTING: holdfast:program: /);
		writeFileSync(stack.config, good);
	});
});

describe("refused on the command line", () => {
	const holdfast = (args: string[], input = ""): Promise<Result> => {
		const env = { ...process.env, HOLDFAST_HOME: join(tmpdir(), `holdfast-none-${process.pid}`), NO_COLOR: "1" };
		const child = spawn(process.execPath, ["scripts/holdfast.ts", ...args], { cwd: root, env });
		child.stdin.end(input);
		const code = new Promise<number>((resolve) => child.once("close", (status) => resolve(status ?? 255)));
		return Promise.all([code, text(child.stdout), text(child.stderr)]).then(([code, stdout, stderr]) => ({
			code,
			stdout,
			stderr,
		}));
	};

	test.each([
		[
			["up", "--stack", "nosuch"],
			2,
			/HF_SETTING: there is no stack nosuch: .*Pulumi\.nosuch\.yaml does not exist.*Next: correct --stack/,
		],
		[["preview", "--stack", "nosuch"], 2, /HF_SETTING: there is no stack nosuch/],
		[["down", "--stack", "nosuch", "--delete-data", "nosuch"], 2, /HF_SETTING: there is no stack nosuch/],
		[["status", "--stack", "nosuch"], 2, /HF_SETTING: there is no stack nosuch/],
		[["connect", "mysql"], 2, /HF_USAGE: there is no system mysql: mongo/],
		[["explain", "HF_NOSUCH"], 2, /HF_USAGE: there is no error code HF_NOSUCH: HF_SETTING/],
		[["sevre"], 2, /unknown command 'sevre'/],
		[["serve", "mongo/Table", "read"], 2, /HF_USAGE: there is no kind mongo\/Table: .*mongo\/User/],
		[["serve", "mongo/User", "drop"], 2, /HF_USAGE: there is no verb drop: .*delete/],
	])("%j", async (args, code, pattern) => {
		const result = await holdfast(args);
		expect([result.code, result.stderr]).toEqual([code, expect.stringMatching(pattern)]);
	});

	test("serve refuses what is not a list of arguments without repeating it, and inputs that do not fit", async () => {
		for (const input of ['{"password": "hunter2"', '{"password": "hunter2"}', '"hunter2"', ""]) {
			const { code, stdout, stderr } = await holdfast(["serve", "mongo/User", "create"], input);
			expect([code, stderr]).toEqual([
				2,
				expect.stringMatching(/HF_USAGE: standard input is not a JSON array.*Next: e\.g\./),
			]);
			expect(stdout + stderr).not.toContain("hunter2");
		}
		const bad = await holdfast(["serve", "mongo/User", "create"], JSON.stringify([{ user: "", password: "hunter2" }]));
		expect([bad.code, bad.stderr]).toEqual([2, expect.stringMatching(/^HF_SETTING: /)]);
		expect(said(bad)).not.toContain("hunter2");
	});

	test("a refusal is data with --json", async () => {
		const { code, stdout } = await holdfast(["connect", "mysql", "--json"]);
		expect([code, JSON.parse(stdout).error]).toEqual([
			2,
			{ code: "HF_USAGE", message: expect.any(String), next: expect.any(String) },
		]);
	});
});

describe("refused beside a running set", () => {
	let stack: TestStack;
	let other: TestStack;
	let facts: unknown;

	const look = async () => {
		const config = await withMongo(
			adminUri(stack.record()),
			async (client) => (await client.db("admin").command({ replSetGetConfig: 1 })).config,
		);
		const { started: _, ...member } = Object.fromEntries(readdirSync(stack.member(0)).map((name) => [name, name]));
		const conf = readFileSync(join(stack.member(0), "conf", "mongod.conf"), "utf8");
		return JSON.parse(JSON.stringify({ config, pid: stack.pid(0), record: stack.record(), member, conf }));
	};
	/** `up` of `which` fails with `pattern`; the running set stays as it is. */
	const refused = async (which: TestStack, pattern: RegExp) => {
		const result = await which.holdfast("up");
		expect([result.code === 0, said(result)]).toEqual([false, expect.stringMatching(pattern)]);
		expect(await look()).toEqual(facts);
		return said(result);
	};
	/** No member of `other` came to be. */
	const nothingMade = () => expect(existsSync(join(other.home, other.name, "members", "rs0-0", "data"))).toBe(false);

	beforeAll(async () => {
		stack = await TestStack.create("running", { members: 1, users });
		other = await TestStack.create("other", { members: 1 });
		await stack.must("up");
		facts = await look();
	});

	test("a build that does not exist, or that is older than the data", async () => {
		stack.configure({ build: "9.9" });
		await refused(
			stack,
			/HF_TOOL: no mongod 9\.9 is known on this machine, only \d[\s\S]*Next: put mongod 9\.9 on PATH/,
		);
		stack.configure({ build: "/nonexistent/mongod" });
		await refused(stack, /HF_TOOL: \/nonexistent\/mongod is not an executable mongod/);
		const old = join(stack.home, "mongod");
		writeFileSync(old, "#!/bin/sh\necho db version v5.0.9\n", { mode: 0o755 });
		stack.configure({ build: old });
		await refused(
			stack,
			/HF_SETTING: build .* is MongoDB 5\.0\.9, older than the featureCompatibilityVersion \d\.0 of rs0.*Next: lower featureCompatibilityVersion first/,
		);
		stack.configure({ build: undefined });
	});

	test("a compatibility version that skips a major, or that no member runs", async () => {
		const now = await withMongo(adminUri(stack.record()), async (client) => {
			const { featureCompatibilityVersion } = await client
				.db("admin")
				.command({ getParameter: 1, featureCompatibilityVersion: 1 });
			return Number.parseInt(featureCompatibilityVersion.version, 10);
		});
		stack.configure({ featureCompatibilityVersion: `${now + 2}.0` });
		await refused(stack, /HF_SETTING: featureCompatibilityVersion of rs0 is \d+\.0: \d+\.0 would skip a major version/);
		stack.configure({ featureCompatibilityVersion: `${now + 1}.0` });
		await refused(stack, /HF_SETTING: 127\.0\.0\.1:\d+ runs MongoDB [\d.]+, too old for featureCompatibilityVersion/);
		stack.configure({ featureCompatibilityVersion: undefined });
	});

	test("a data folder that moves under the members", async () => {
		stack.configure({ dataRoot: join(stack.home, "elsewhere") });
		await refused(
			stack,
			/HF_SETTING: member rs0-0 has its data in .*members\/rs0-0, not in .*elsewhere.*Next: restore dataRoot/,
		);
		expect(existsSync(join(stack.home, "elsewhere"))).toBe(false);
		stack.configure({ dataRoot: undefined });
	});

	test("a user that somebody else made, and a password that the server does not take, which is not repeated", async () => {
		await withMongo(adminUri(stack.record()), (client) =>
			client.db("users").command({ createUser: "theirs", pwd: "x", roles: [] }),
		);
		stack.configure({ users: { ...users, theirs: users.app } });
		await refused(
			stack,
			/HF_FOREIGN: user theirs in users exists already and belongs to somebody else.*Next: set adopt: true/,
		);
		const password = "hunter2\u0007bell";
		stack.configure({ users: { ...users, bell: users.app } }, { "holdfast:secrets": { bell: password } });
		const words = await refused(
			stack,
			/HF_SETTING: the password of user bell of users has characters that MongoDB does not take.*Next: use one without/,
		);
		expect(words).not.toContain("hunter2");
		stack.configure({ users });
		await stack.must("up");
	});

	test("a port that is taken, by a member of another stack or by anybody", async () => {
		other.configure({ basePort: stack.basePort });
		await refused(
			other,
			new RegExp(
				`HF_PORT_IN_USE: member rs0-0: port ${stack.basePort} on 127\\.0\\.0\\.1 is in use by process ${stack.pid(0)} \\(.*Next: .*change the ports`,
			),
		);
		nothingMade();
		const server: Server = createServer().listen(other.basePort, "127.0.0.1");
		other.configure({ basePort: other.basePort });
		await refused(other, new RegExp(`HF_PORT_IN_USE: .*port ${other.basePort} .*process ${process.pid} `));
		await new Promise((resolve) => server.close(resolve));
		nothingMade();
	});

	test("data of another stack, and data without an owner", async () => {
		other.configure({ dataRoot: join(stack.home, stack.name, "members") });
		await refused(
			other,
			new RegExp(
				`HF_FOREIGN: member rs0-0: the folder .*/members/rs0-0 belongs to member rs0-0 of cluster rs0 of stack ${stack.name}`,
			),
		);
		const ownerless = join(other.home, "ownerless");
		mkdirSync(join(ownerless, "rs0-0", "data"), { recursive: true });
		writeFileSync(join(ownerless, "rs0-0", "data", "WiredTiger"), "somebody's");
		other.configure({ dataRoot: ownerless });
		await refused(
			other,
			/HF_FOREIGN: member rs0-0: the folder .*ownerless\/rs0-0 holds files, and no record says whose they are.*Next: adopt it by name, or choose another dataRoot/,
		);
		expect(readdirSync(join(ownerless, "rs0-0"))).toEqual(["data"]);
		rmSync(ownerless, { recursive: true });
		other.configure({ dataRoot: undefined });
		nothingMade();
	});

	test("taking down what was not named, or was named wrongly", async () => {
		for (const args of [[], ["--delete-data", "rs0"], ["--delete-data", other.name]]) {
			const { code, stderr } = await stack.holdfast("down", ...args);
			expect([code, stderr]).toEqual([
				4,
				expect.stringMatching(
					new RegExp(`HF_PROTECTED: down deletes the data of rs0.*Next: .*--delete-data ${stack.name}`),
				),
			]);
		}
		expect(await look()).toEqual(facts);
	});

	test("connecting as a user that does not exist", async () => {
		const { code, stderr } = await stack.holdfast("connect", "mongo", "--user", "nobody");
		expect([code, stderr]).toEqual([2, expect.stringMatching(/HF_USAGE: stack .* has no user nobody: app/)]);
	});
});

test("two sets among the hosts are refused, by host and id", async () => {
	const sets = await Promise.all([ForeignSet.start(1), ForeignSet.start(1)]);
	try {
		const [a, b] = sets as [ForeignSet, ForeignSet];
		const before = await Promise.all([a.facts(), b.facts()]);
		const ids = before.map(({ config }) => config.settings.replicaSetId);
		const own = { members: undefined, basePort: undefined, shutdownTimeoutMillis: undefined };
		const adopt = { replicaSetId: ids[0], adminUser: a.admin.user };
		const stack = await TestStack.create("two", {
			...own,
			name: a.name,
			existing: [...a.addresses, ...b.addresses],
			adopt,
		});
		stack.configure({}, { "holdfast:secrets": { adopt: a.admin.password } });
		const result = await stack.holdfast("up");
		expect([result.code === 0, said(result)]).toEqual([
			false,
			expect.stringMatching(
				`HF_FOREIGN: the hosts of prod belong to different sets: ${a.hosts[0]} has ${ids[0]}, ${b.hosts[0]} has ${ids[1]}`,
			),
		]);
		expect(await Promise.all([a.facts(), b.facts()])).toEqual(before);
	} finally {
		await Promise.all(sets.map((set) => set.stop()));
	}
});
