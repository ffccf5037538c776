import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { adminUri, withMongo } from "../support/mongo.ts";
import { TestStack } from "../support/stack.ts";

jest.setTimeout(300_000);

const users = { app: { database: "users", roles: [{ role: "readWrite", db: "workflows" }] } };

describe("a stack whose state was lost", () => {
	let stack: TestStack;
	const record = () => stack.record();
	const pids = () => [0, 1, 2].map((slot) => stack.pid(slot));
	const loseState = () => {
		for (const part of ["state", "passphrase"]) rmSync(join(stack.home, part), { recursive: true });
	};
	const dropSalt = () =>
		writeFileSync(stack.config, readFileSync(stack.config, "utf8").replace(/^encryptionsalt:.*\n/m, ""));
	const documents = async () =>
		withMongo(await stack.uri("app"), (client) => client.db("workflows").collection("x").countDocuments({ a: 1 }));

	beforeAll(async () => {
		stack = await TestStack.create("lost", { users });
		await stack.must("up");
		await withMongo(await stack.uri("app"), (client) => client.db("workflows").collection("x").insertOne({ a: 1 }));
	});
	afterAll(() => TestStack.destroyAll());

	test("is refused until the operator says that it is the same, and nothing is touched", async () => {
		const before = [pids(), record()];
		loseState();
		const salted = await stack.holdfast("up");
		expect([salted.code, salted.stderr]).toEqual([
			3,
			expect.stringMatching(/HF_CREDENTIALS: .*passphrase.* is missing.*encryptionsalt/),
		]);
		expect(existsSync(join(stack.home, "passphrase"))).toBe(false);
		dropSalt();
		const { code, stdout, stderr } = await stack.holdfast("up");
		expect([code === 0, stdout + stderr]).toEqual([
			false,
			expect.stringMatching(/HF_FOREIGN: stack lost-[\d-]+ already has members with data/),
		]);
		expect([pids(), record()]).toEqual(before);
	});

	test("is not taken over under another set's id, nor with a wrong password, which changes nothing", async () => {
		const before = [pids(), record()];
		const { replicaSetId, admin, keys } = record();
		for (const [id, password, pattern] of [
			[
				"0123456789abcdef01234567",
				admin.password,
				/HF_FOREIGN: adopt\.replicaSetId is 0123456789abcdef01234567, but replica set rs0 is known here as [0-9a-f]{24}/,
			],
			[replicaSetId, "not-the-password", /HF_CREDENTIALS: 127\.0\.0\.1:\d+ refuses the administrator admin/],
		] as const) {
			const adopt = { replicaSetId: id, adminUser: admin.user };
			stack.configure({ adopt }, { "holdfast:secrets": { adopt: password, keyfile: keys[0] } });
			const { code, stdout, stderr } = await stack.holdfast("up");
			expect([code === 0, stdout + stderr]).toEqual([false, expect.stringMatching(pattern)]);
			expect(stdout + stderr).not.toContain("not-the-password");
			expect([pids(), record()]).toEqual(before);
		}
	});

	test("is taken over by what its record says, without a restart, and is managed again", async () => {
		const { replicaSetId, admin, keys } = record();
		const before = pids();
		stack.configure(
			{ adopt: { replicaSetId, adminUser: admin.user } },
			{ "holdfast:secrets": { adopt: admin.password, keyfile: keys[0] } },
		);
		await stack.must("up");
		expect(pids()).toEqual(before);
		expect(record()).toMatchObject({ replicaSetId, admin, keys });
		expect(await documents()).toBe(1);
		expect(await stack.changes()).toEqual({ same: expect.any(Number) });
		// What was given stays when it is given no longer.
		stack.configure({ members: 5, adopt: undefined });
		await stack.must("up");
		expect(pids()).toEqual(before);
		expect(record()).toMatchObject({ replicaSetId, admin, keys });
		await withMongo(adminUri(record()), async (client) => {
			const { config } = await client.db("admin").command({ replSetGetConfig: 1 });
			expect(config.members.map(({ votes }: { votes: number }) => votes)).toEqual([1, 1, 1, 1, 1]);
			expect(String(config.settings.replicaSetId)).toBe(replicaSetId);
		});
		stack.configure({ members: 3 });
		await stack.must("up");
	});

	test("is taken over with the administrator's password alone; a new key rolls in", async () => {
		const { replicaSetId, admin, keys } = record();
		loseState();
		dropSalt();
		rmSync(join(stack.home, stack.name, "clusters"), { recursive: true });
		stack.configure(
			{ adopt: { replicaSetId, adminUser: admin.user } },
			{ "holdfast:secrets": { adopt: admin.password } },
		);
		await stack.must("up");
		expect(record()).toMatchObject({ replicaSetId, admin });
		expect(record().keys).toHaveLength(1);
		expect(record().keys[0]).not.toBe(keys[0]);
		for (const slot of [0, 1, 2]) {
			expect(readFileSync(join(stack.member(slot), "conf", "keyfile"), "utf8")).toBe(`${record().keys[0]}\n`);
		}
		expect(await documents()).toBe(1);
		expect(await stack.changes()).toEqual({ same: expect.any(Number) });
	});
});
