import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { ForeignSet } from "../support/foreignSet.ts";
import { withMongo } from "../support/mongo.ts";
import { TestStack } from "../support/stack.ts";

jest.setTimeout(300_000);

const users = { app: { database: "users", roles: [{ role: "readWrite", db: "workflows" }] } };

describe("a set that somebody else made", () => {
	let set: ForeignSet;
	let stack: TestStack;
	let before: Awaited<ReturnType<ForeignSet["facts"]>>;
	let id: string;
	const WRONG = "0123456789abcdef01234567";

	const adopt = (replicaSetId: string, password?: string, more: object = {}) =>
		stack.configure(
			{ adopt: { replicaSetId, adminUser: set.admin.user } },
			password === undefined ? {} : { "holdfast:secrets": { adopt: password, ...more } },
		);
	const refused = async (pattern: RegExp) => {
		const { code, stdout, stderr } = await stack.holdfast("up");
		expect(code).not.toBe(0);
		expect(stdout + stderr).toMatch(pattern);
		expect(stdout + stderr).not.toContain("    at ");
		expect(await set.facts()).toEqual(before);
		const records = readdirSync(join(stack.home, stack.name, "clusters")).filter((file) => file.endsWith(".json"));
		expect(records).toEqual([]);
		return stdout + stderr;
	};

	beforeAll(async () => {
		set = await ForeignSet.start();
		const own = { members: undefined, basePort: undefined, shutdownTimeoutMillis: undefined };
		stack = await TestStack.create("adopt", { ...own, name: set.name, existing: set.addresses, users });
		before = await set.facts();
		id = before.config.settings.replicaSetId;
	});
	afterAll(async () => {
		await TestStack.destroyAll();
		await set.stop();
	});

	test("is not taken over without being told", async () => {
		const said = await refused(
			/HF_FOREIGN: 127\.0\.0\.1:\d+ belongs to a replica set that none of our credentials opens/,
		);
		expect(said).toContain(set.hosts[0]);
	});

	test("is not taken over under another set's id, nor with a wrong password, nor without one", async () => {
		adopt(WRONG, set.admin.password);
		expect(await refused(new RegExp(`HF_FOREIGN: .*should be ${WRONG}`))).toContain(`${set.hosts[0]} has ${id}`);
		adopt(id, "not-the-password");
		expect(await refused(/HF_CREDENTIALS: .*refuses the administrator bo@ss/)).not.toContain("not-the-password");
		adopt(id, "not-the-password", { keyfile: set.key });
		await refused(/HF_CREDENTIALS: .*refuses the administrator bo@ss/);
		adopt(id);
		await refused(/HF_SETTING: .*secrets\.adopt/);
	});

	test("is not taken over under another name", async () => {
		adopt(id, set.admin.password);
		stack.configure({ name: "other" }, { "holdfast:secrets": { adopt: set.admin.password } });
		await refused(/HF_SETTING: 127\.0\.0\.1:\d+ belongs to replica set prod, but name is other.*set name to prod/);
		stack.configure({ name: set.name });
		// The secrets of the misnamed set were born protected.
		await stack.pulumi("state", "unprotect", "--all", "--yes");
	});

	test("is taken over unchanged, and its users are managed", async () => {
		adopt(id, set.admin.password);
		await stack.must("up");
		expect(await set.facts()).toEqual(before);
		await withMongo(await stack.uri("app"), async (client) => {
			await client.db("workflows").collection("x").insertOne({ a: 1 });
			await expect(client.db("accounts").collection("x").countDocuments()).rejects.toThrow(/not authorized/);
		});
		expect(await stack.changes()).toEqual({ same: expect.any(Number) });
	});

	test("shows no drift, and what is changed by hand afterwards is its own business", async () => {
		await set.command(async (db) => {
			const { config } = await db.command({ replSetGetConfig: 1 });
			config.version += 1;
			config.members[1].priority = 1.5;
			await db.command({ replSetReconfig: config });
		});
		before = await set.facts();
		await stack.must("refresh");
		expect(await stack.changes()).toEqual({ same: expect.any(Number) });
		expect(await set.facts()).toEqual(before);
	});

	test("changes in just what the program comes to ask for", async () => {
		stack.configure(
			{ overrides: { 1: { priority: 2.5 } }, oplogSizeMB: 1200 },
			{ "holdfast:secrets": { adopt: set.admin.password } },
		);
		await stack.must("up");
		const { config, oplogs, concern, running } = await set.facts();
		const [first, second, third] = before.config.members;
		expect(config).toEqual({
			...before.config,
			version: before.config.version + 1,
			members: [first, { ...second, priority: 2.5 }, third],
		});
		expect([oplogs, concern, running]).toEqual([[1200, 1200, 1200], before.concern, before.running]);
	});

	test("is forgotten by down, and goes on", async () => {
		before = await set.facts();
		await stack.must("down", "--delete-data", stack.name);
		expect(await set.facts()).toEqual(before);
		expect(existsSync(join(stack.home, stack.name))).toBe(false);
	});
});
