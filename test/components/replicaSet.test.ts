import type * as pulumi from "@pulumi/pulumi";
import { MongoReplicaSet, type MongoReplicaSetArgs } from "../../components/mongo/replicaSet.ts";
import { ExistingPlatform } from "../../components/platform/existing.ts";
import { LocalHost, LocalPlatform } from "../../components/platform/local.ts";
import { known, only, type Registered, underMocks } from "../support/mocks.ts";

const dynamic = (kind: string) => `pulumi-nodejs:dynamic/${kind}`;
const SECRET = dynamic("secret:Secret");
const RETIRE = dynamic("mongo:Retire");
const SET = dynamic("mongo:ReplicaSet");
const MEMBER = dynamic("platform:Member");
const ID = "0123456789abcdef01234567";
const host = (slot: number) => `127.0.0.1:${27017 + slot}`;

const local = (args: Partial<MongoReplicaSetArgs> = {}) =>
	underMocks(() => {
		const supervisor = new LocalHost("demo", { stack: "demo", run: "running", adopt: false });
		const platform = new LocalPlatform({ supervisor, stack: "demo", basePort: 27_017 });
		return new MongoReplicaSet("rs0", { stack: "demo", platform, ...args });
	});

const adopted = (args: Partial<MongoReplicaSetArgs> = {}) =>
	underMocks(() => {
		const platform = new ExistingPlatform([0, 1, 2].map((slot) => ({ host: "127.0.0.1", port: 27_017 + slot })));
		const adopt = { replicaSetId: ID, admin: { user: "boss", password: "adopt-pw" } };
		return new MongoReplicaSet("rs0", { stack: "demo", platform, adopt, ...args });
	});

const names = (resources: Registered[], type: string) =>
	resources.filter((resource) => resource.type === type).map(({ name }) => name);

test("makes a retirement, one member a slot, the set and two secrets, all its children", async () => {
	const { resources, result } = await local();
	expect(names(resources, MEMBER)).toEqual(["rs0-0", "rs0-1", "rs0-2"]);
	expect(names(resources, SECRET).sort()).toEqual(["rs0-admin", "rs0-keyfile"]);
	expect([names(resources, RETIRE), names(resources, SET)]).toEqual([["rs0-retire"], ["rs0"]]);
	const children = resources.filter(({ type }) => [RETIRE, SET, MEMBER, SECRET].includes(type));
	expect(children.map(({ parent }) => parent)).toEqual(children.map(() => "rs0"));
	expect([result.hosts, result.replicaSet, result.access]).toEqual([
		[host(0), host(1), host(2)],
		"rs0",
		{ stack: "demo", cluster: "rs0" },
	]);
	expect(await known(result.replicaSetId)).toEqual({ value: ID, secret: false });
});

test("the set's inputs are what was declared, defaults resolved", async () => {
	const { resources } = await local({ electionTimeoutMillis: 2000, overrides: { 1: { priority: 5 } }, build: "6.0" });
	const { inputs } = only(resources, SET, "rs0");
	expect(inputs).toMatchObject({
		access: { stack: "demo", cluster: "rs0" },
		host: { kind: "local", stack: "demo" },
		name: "rs0",
		settings: { electionTimeoutMillis: 2000 },
		mongod: { cacheSizeGB: 0.25, oplogSizeMB: 990, build: "6.0" },
		defaultWriteConcern: { w: "majority", wtimeout: 20_000 },
		admin: { user: "admin", password: "value+of/rs0/admin" },
		keyfile: "value+of/rs0/keyfile",
	});
	expect(inputs.members).toEqual(
		[1, 5, 1].map((priority, slot) => ({
			host: host(slot),
			member: `rs0-${slot}`,
			votes: 1,
			priority,
			hidden: false,
			arbiterOnly: false,
		})),
	);
	expect("featureCompatibilityVersion" in inputs).toBe(false);
	expect(only(resources, RETIRE, "rs0-retire").inputs).toMatchObject({
		keep: [host(0), host(1), host(2)],
		build: "6.0",
	});
});

test("keys and passwords are secret wherever they go", async () => {
	const { resources } = await local();
	expect(only(resources, SET, "rs0").secrets).toEqual(expect.arrayContaining(["keyfile"]));
	expect(only(resources, SET, "rs0").secrets.some((path) => path.startsWith("admin"))).toBe(true);
	for (const member of resources.filter(({ type }) => type === MEMBER)) {
		expect(member.secrets).toEqual([expect.stringMatching(/^birthFiles/)]);
		expect(JSON.stringify(member.inputs.files)).not.toContain("value+of");
	}
	const shown = resources.map(({ inputs, secrets }) => JSON.stringify(without(inputs, secrets)));
	expect(shown.join()).not.toContain("value+of");
});

/** Inputs as people see them. */
function without(inputs: Record<string, unknown>, secrets: string[]): unknown {
	const copy = structuredClone(inputs);
	for (const path of secrets) {
		const keys = path.split(".");
		const last = keys.pop()!;
		const at = keys.reduce<Record<string, unknown>>((value, key) => value[key] as Record<string, unknown>, copy);
		delete at[last];
	}
	return copy;
}

test("members leave the set before processes change, and join it afterwards", async () => {
	const { resources } = await local();
	for (const name of ["rs0-0", "rs0-1", "rs0-2"]) {
		expect(only(resources, MEMBER, name).after).toEqual(expect.arrayContaining(["rs0-retire", "demo"]));
	}
	expect(only(resources, SET, "rs0").after).toEqual(
		expect.arrayContaining(["rs0-retire", "rs0-0", "rs0-1", "rs0-2", "rs0-admin", "rs0-keyfile"]),
	);
	expect(only(resources, RETIRE, "rs0-retire").after.filter((name) => name.startsWith("rs0"))).toEqual([]);
});

test("protect sits on the identity and the secrets it was born with, never on members, and can be left off", async () => {
	const isProtected = ({ resources }: { resources: Registered[] }) =>
		resources.filter((resource) => resource.protect).map(({ type, name }) => [type, name]);
	expect((await isProtected(await local())).sort()).toEqual(
		[
			[SET, "rs0"],
			[SECRET, "rs0-admin"],
			[SECRET, "rs0-keyfile"],
		].sort(),
	);
	expect(isProtected(await local({ protect: false }))).toEqual([]);
});

test("an even count takes the last vote, said aloud", async () => {
	const said: string[] = [];
	const { log } = jest.requireActual<typeof pulumi>("@pulumi/pulumi");
	const spy = jest.spyOn(log, "info").mockImplementation(async (text) => void said.push(text));
	const { resources } = await local({ members: 4 });
	spy.mockRestore();
	const { members } = only(resources, SET, "rs0").inputs as { members: { votes: number; priority: number }[] };
	expect(members.map(({ votes, priority }) => [votes, priority])).toEqual([
		[1, 1],
		[1, 1],
		[1, 1],
		[0, 0],
	]);
	expect(said).toEqual([expect.stringContaining(`${host(3)} does not vote`)]);
});

test("an arbiter and a hidden member are not in the connection string's hosts", async () => {
	const { result } = await local({ members: 5, arbiter: "last", overrides: { 1: { hidden: true } } });
	expect(result.hosts).toEqual([host(0), host(2), host(3)]);
});

test.each([
	[{ members: 8 }, /^HF_SETTING: 8 of 8 members vote, at most 7 may/],
	[{ members: 51 }, /a set has at most 50 members/],
	[{ members: 0 }, /a set has at least 1 member/],
	[{ members: 4, arbiter: 3 }, /^HF_SETTING: arbiter makes 4 voters, an even number/],
	[{ overrides: { 0: { votes: 0 as const, priority: 3 } } }, /overrides\.0\.priority/],
])("what no set can be is refused before anything is registered: %j", async (args, message) => {
	const { resources } = await underMocks(() => {
		const platform = new ExistingPlatform(
			[...Array(51).keys()].map((slot) => ({ host: "127.0.0.1", port: 27_017 + slot })),
		);
		expect(() => new MongoReplicaSet("rs0", { stack: "demo", platform, ...args })).toThrow(message);
	});
	expect(resources.filter(({ type }) => type.startsWith("pulumi-nodejs"))).toEqual([]);
});

test("adopting keeps the administrator, and leaves alone what the program does not mention", async () => {
	const { resources } = await adopted();
	const { inputs, secrets } = only(resources, SET, "rs0");
	expect(inputs.admin).toEqual({ user: "boss", password: "adopt-pw" });
	expect(inputs.adopt).toEqual({ replicaSetId: ID, admin: { user: "boss", password: "adopt-pw" } });
	expect(secrets).toEqual(expect.arrayContaining(["adopt"]));
	expect(only(resources, RETIRE, "rs0-retire").secrets).toEqual(["adopt"]);
	expect(inputs.members).toEqual([0, 1, 2].map((slot) => ({ host: host(slot), member: "" })));
	expect([inputs.settings, inputs.mongod, "defaultWriteConcern" in inputs]).toEqual([{}, { cacheSizeGB: 0.25 }, false]);
	expect(names(resources, SECRET).sort()).toEqual(["rs0-admin", "rs0-keyfile"]);
	expect(names(resources, MEMBER)).toEqual([]);
});

test("what is given for an adopted set is said, and another administrator password is asked for by its own source", async () => {
	const { resources } = await adopted({
		adminPassword: { kind: "given", value: "new-pw" },
		oplogSizeMB: 2000,
		electionTimeoutMillis: 3000,
		defaultWriteConcern: {},
		overrides: { 2: { hidden: true } },
	});
	const { inputs } = only(resources, SET, "rs0");
	expect(inputs.admin).toEqual({ user: "boss", password: "new-pw" });
	expect(inputs).toMatchObject({
		settings: { electionTimeoutMillis: 3000 },
		mongod: { oplogSizeMB: 2000 },
		defaultWriteConcern: { w: "majority", wtimeout: 20_000 },
	});
	expect((inputs.members as object[])[2]).toEqual({ host: host(2), member: "", hidden: true, priority: 0 });
});
