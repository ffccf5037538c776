import { chmodSync, copyFileSync, existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { adminUri, withMongo } from "../support/mongo.ts";
import { TestStack } from "../support/stack.ts";
import { expectNothingLost, startWriters } from "../support/writers.ts";

jest.setTimeout(300_000);

let stack: TestStack;
let build: string;
const users = {
	app: { database: "users", roles: [{ role: "readWrite", db: "workflows" }] },
	"o'dd @:/%$ ü": { database: "users", roles: [{ role: "read", db: "workflows" }] },
};

beforeAll(async () => {
	stack = await TestStack.create("life", { users });
});
afterAll(() => TestStack.destroyAll());

const config = () =>
	withMongo(
		adminUri(stack.record()),
		async (client) => (await client.db("admin").command({ replSetGetConfig: 1 })).config,
	);
const hosts = (count: number) => [...Array(count).keys()].map((slot) => `127.0.0.1:${stack.basePort + slot}`);

test("up brings up three voters, and a second up changes nothing", async () => {
	const { stdout } = await stack.must("up");
	expect(stdout).toContain("whole: 3 member(s)");
	expect(stdout).not.toContain(stack.record().admin.password);
	expect((await config()).members.map((m: { host: string; votes: number }) => [m.host, m.votes])).toEqual(
		hosts(3).map((host) => [host, 1]),
	);
	expect(await stack.changes()).toEqual({ same: expect.any(Number) });
});

test("users log in with their connection strings, whatever they are called, and may do no more than declared", async () => {
	for (const name of Object.keys(users)) {
		await withMongo(await stack.uri(name), async (client) => {
			const found = await client.db("workflows").collection("x").countDocuments();
			expect(found).toBe(0);
			await expect(client.db("accounts").collection("x").countDocuments()).rejects.toThrow(/not authorized/);
		});
	}
	await withMongo(await stack.uri("app"), (client) => client.db("workflows").collection("x").insertOne({ a: 1 }));
});

test("the server lets nobody in without a login, and listens on the declared address only", async () => {
	await withMongo(`mongodb://${hosts(1)[0]}/?directConnection=true`, async (client) => {
		await expect(client.db("workflows").collection("x").countDocuments()).rejects.toThrow(/requires authentication/);
		await expect(client.db("admin").command({ createUser: "x", pwd: "x", roles: [] })).rejects.toThrow(/auth/);
	});
	const listening = readFileSync("/proc/net/tcp", "utf8") + readFileSync("/proc/net/tcp6", "utf8");
	const port = stack.basePort.toString(16).toUpperCase();
	expect(listening.split("\n").filter((line) => line.includes(`:${port} `) && / 0A /.test(line))).toHaveLength(1);
	expect(existsSync(`/tmp/mongodb-${stack.basePort}.sock`)).toBe(false);
});

test("preview names what changes, property by property, and masks secrets", async () => {
	stack.configure({ cacheSizeGB: 0.3, users: { ...users, app: { ...users.app, generation: 2 } } });
	const { stdout } = await stack.must("preview");
	expect(stdout).toContain("cacheSizeGB");
	expect(stdout).toMatch(/generation\s*:\s*1 => 2/);
	expect(stdout).toContain("[secret]");
	expect(stdout).toContain("restart rs0-0, rs0-1, rs0-2 one at a time");
	expect(stdout).not.toContain(stack.record().admin.password);
});

test("a build that does not exist is refused, and nothing changes", async () => {
	const good = stack.mongo;
	stack.configure({ build: "/nowhere/mongod" });
	const before = [0, 1, 2].map((slot) => stack.pid(slot));
	const { code, stdout } = await stack.holdfast("up");
	expect([code === 0, stdout]).toEqual([false, expect.stringMatching(/HF_TOOL.*nowhere/)]);
	expect([0, 1, 2].map((slot) => stack.pid(slot))).toEqual(before);
	stack.mongo = good;
	// Another file is another build: the members are to run this one.
	build = join(stack.home, "another-mongod");
	copyFileSync(JSON.parse(readFileSync(join(stack.home, "tools.json"), "utf8")).tools.mongod.path, build);
	chmodSync(build, 0o755);
	stack.configure({ build });
});

test("that change rolls the members one by one, rotates the password, and changes nothing else", async () => {
	const before = [0, 1, 2].map((slot) => stack.pid(slot));
	const old = await stack.uri("app");
	const id = stack.record().replicaSetId;
	const writers = await startWriters(stack.record(), "roll");
	await stack.must("up");
	await expectNothingLost(writers, stack.record(), "roll");
	expect([0, 1, 2].map((slot) => stack.pid(slot)).filter((pid) => before.includes(pid))).toEqual([]);
	expect(stack.record().replicaSetId).toBe(id);
	for (const host of hosts(3)) {
		await withMongo(adminUri(stack.record(), host), async (client) => {
			const { parsed, argv } = await client.db("admin").command({ getCmdLineOpts: 1 });
			expect(parsed.storage.wiredTiger.engineConfig.cacheSizeGB).toBe(0.3);
			expect(argv[0]).toBe(build);
		});
	}
	await expect(withMongo(old, (client) => client.db("workflows").command({ ping: 1 }))).rejects.toThrow(
		/Authentication failed/,
	);
	await withMongo(await stack.uri("app"), (client) => client.db("workflows").command({ ping: 1 }));
	expect(await stack.changes()).toEqual({ same: expect.any(Number) });
});

test("a hand-made change shows as drift on refresh, and up repairs it", async () => {
	await withMongo(adminUri(stack.record()), async (client) => {
		await client.db("users").command({ grantRolesToUser: "app", roles: [{ role: "root", db: "admin" }] });
	});
	const { stdout } = await stack.must("refresh");
	expect(stdout).toMatch(/root/);
	const { update } = await stack.changes();
	expect(update).toBe(1);
	await withMongo(adminUri(stack.record()), async (client) => {
		const { users: found } = await client.db("users").command({ usersInfo: { user: "app", db: "users" } });
		expect(found[0].roles).toEqual([{ role: "readWrite", db: "workflows" }]);
	});
});

test("settings inside the database change without a restart", async () => {
	const before = [0, 1, 2].map((slot) => stack.pid(slot));
	stack.configure({
		oplogSizeMB: 1000,
		featureCompatibilityVersion: "5.0",
		electionTimeoutMillis: 5000,
		defaultWriteConcern: { w: "majority", wtimeout: 10_000 },
		overrides: { 2: { hidden: true } },
	});
	await stack.must("up");
	expect([0, 1, 2].map((slot) => stack.pid(slot))).toEqual(before);
	const { members, settings } = await config();
	expect(settings.electionTimeoutMillis).toBe(5000);
	expect(members.map((m: { hidden: boolean; priority: number }) => [m.hidden, m.priority])).toEqual([
		[false, 1],
		[false, 1],
		[true, 0],
	]);
	await withMongo(adminUri(stack.record(), hosts(1)[0]), async (client) => {
		expect(Number((await client.db("local").command({ collStats: "oplog.rs" })).maxSize)).toBe(1000 * 1024 * 1024);
		const { featureCompatibilityVersion } = await client
			.db("admin")
			.command({ getParameter: 1, featureCompatibilityVersion: 1 });
		expect(featureCompatibilityVersion.version).toBe("5.0");
		const { defaultWriteConcern } = await client.db("admin").command({ getDefaultRWConcern: 1 });
		expect(defaultWriteConcern).toMatchObject({ w: "majority", wtimeout: 10_000 });
	});
	expect(await stack.uri("app")).not.toContain(String(stack.basePort + 2));
	stack.configure({ featureCompatibilityVersion: "6.0", overrides: {} });
	await stack.must("up");
});

test("admin and key file rotate by generation", async () => {
	const { admin, keys } = stack.record();
	stack.configure({ adminGeneration: 2, keyfileGeneration: 2 });
	await stack.must("up");
	const now = stack.record();
	expect(now.admin.password).not.toBe(admin.password);
	expect(now.keys).toHaveLength(1);
	expect(now.keys[0]).not.toBe(keys[0]);
	for (const slot of [0, 1, 2]) {
		const text = readFileSync(join(stack.member(slot), "conf", "keyfile"), "utf8");
		expect([text.includes(now.keys[0]!), text.includes(keys[0]!)]).toEqual([true, false]);
	}
	await withMongo(adminUri(now), (client) => client.db("admin").command({ ping: 1 }));
	expect(await stack.changes()).toEqual({ same: expect.any(Number) });
});

test("down needs the stack's name, and leaves nothing", async () => {
	const refused = await stack.holdfast("down");
	expect([refused.code, refused.stderr]).toEqual([4, expect.stringContaining("HF_PROTECTED")]);
	const pids = [0, 1, 2].map((slot) => stack.pid(slot));
	await stack.must("down", "--delete-data", stack.name);
	expect(existsSync(join(stack.home, stack.name))).toBe(false);
	expect(pids.filter((pid) => existsSync(`/proc/${pid}`))).toEqual([]);
	// Once more: nothing to take down is no error.
	await stack.must("down", "--delete-data", stack.name);
});
