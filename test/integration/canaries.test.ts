import { randomBytes } from "node:crypto";
import { statSync } from "node:fs";
import { join } from "node:path";
import { openToOthers } from "../support/canaries.ts";
import { TestStack } from "../support/stack.ts";
import { WatchedStack } from "../support/watchedStack.ts";

jest.setTimeout(300_000);

const random = () => randomBytes(12).toString("hex");
const special = () => `p@ss:/%"' $ü${random()}`;
const users = {
	given: { database: "users", roles: [{ role: "readWrite", db: "workflows" }] },
	made: { database: "users", roles: [{ role: "read", db: "workflows" }] },
};

let stack: TestStack;
let watched: WatchedStack;

beforeAll(async () => {
	stack = await TestStack.create("canary", { users });
	watched = new WatchedStack(stack);
	await watched.must("preview");
	await watched.give("given", special());
	await watched.give("admin", special());
	await watched.give("keyfile", randomBytes(300).toString("base64"));
	await watched.must("preview", "--json");
	await watched.must("up");
});
afterAll(async () => {
	watched.close();
	await TestStack.destroyAll();
});

test("the scanner finds what may be known, and all that exists was collected", async () => {
	const names = await watched.expectAllFound();
	expect(names.length).toBeGreaterThanOrEqual(4);
	const { stdout } = await watched.run(["connect", "mongo", "--reveal"]);
	expect(watched.told(stdout)).toEqual([
		expect.stringMatching(/^given given/),
		expect.stringMatching(/^rs0-user-made/),
	]);
});

test("rotations, a refused password and a wrong key, drift and status, with the processes watched", async () => {
	const accepted = { given: special(), admin: special(), keyfile: randomBytes(300).toString("base64") };
	for (const [name, value] of Object.entries(accepted)) await watched.give(name, value);
	watched.configure("mongo", (mongo) => {
		mongo.users = { ...users, made: { ...users.made, generation: 2 } };
	});
	await watched.must("preview");
	await watched.must("preview", "--json");
	await watched.must("up", "--json");
	await watched.collect();
	await watched.give("given", `${special()}\u0007`);
	const { code, stdout } = await watched.kept("up");
	expect([code === 0, stdout]).toEqual([
		false,
		expect.stringMatching(/HF_SETTING: the password of user given of users/),
	]);
	await watched.give("keyfile", `${random()} is no key`);
	expect((await watched.kept("up")).code).not.toBe(0);
	await watched.give("given", accepted.given);
	await watched.give("keyfile", accepted.keyfile);
	for (const args of [
		["refresh"],
		["status"],
		["status", "--json"],
		["connect", "mongo"],
		["connect", "mongo", "--json"],
		["env"],
	])
		await watched.must(...args);
	await watched.must("up");
	await watched.must("pulumi", "stack", "export");
	await watched.must("pulumi", "stack", "history", "--full-dates");
	await watched.must("pulumi", "config");
});

test("no command printed a secret", () => watched.expectNonePrinted(12));

test("files hold secrets only where they are needed, and there for their owner alone", () => {
	const found = watched.files();
	const record = `${stack.name}/clusters/rs0.json`;
	const keyfiles = [0, 1, 2].map((slot) => `${stack.name}/members/rs0-${slot}/conf/keyfile`);
	expect(Object.keys(found).sort()).toEqual([record, ...keyfiles, "passphrase"].sort());
	const latest = (what: string) => Object.keys(watched.canaries).filter((name) => name.startsWith(`given ${what}`));
	expect(found[record]!.every((name) => [...latest("admin"), ...latest("keyfile")].includes(name))).toBe(true);
	expect(found[record]).toHaveLength(2);
	for (const file of keyfiles) expect(found[file]).toEqual([expect.stringMatching(/^given keyfile/)]);
	watched.expectPrivate(Object.keys(found));
});

test("nobody else can look into what belongs to the stack", () => {
	for (const folder of [".", "state", stack.name, `${stack.name}/members/rs0-0`, `${stack.name}/clusters`]) {
		expect([folder, statSync(join(stack.home, folder)).mode & 0o777]).toEqual([folder, 0o700]);
	}
	for (const slot of [0, 1, 2]) expect(openToOthers(stack.member(slot))).toEqual([]);
	expect(openToOthers(join(stack.home, stack.name, "clusters"))).toEqual([]);
	expect(openToOthers(stack.home).filter((path) => path.includes("passphrase"))).toEqual([]);
});

test("no process had a secret in its arguments or its environment", () =>
	watched.expectNoneInProcesses(["mongod\0--config", "dynamic-provider", "supervisord", "pulumi\0up"]));

test("down leaves no secret behind", () => watched.expectNoneLeft());
