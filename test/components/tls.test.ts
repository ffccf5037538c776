import { MongoReplicaSet, type MongoReplicaSetArgs } from "../../components/mongo/replicaSet.ts";
import { MongoUser } from "../../components/mongo/user.ts";
import { ExistingPlatform } from "../../components/platform/existing.ts";
import { LocalHost, LocalPlatform } from "../../components/platform/local.ts";
import { TlsIdentities, type TlsMember } from "../../components/tls/identities.ts";
import type { KindName } from "../../runtime/kinds.ts";
import { serve } from "../../runtime/lifecycle.ts";
import { known, only, type Registered, underMocks } from "../support/mocks.ts";

const IDENTITY = "pulumi-nodejs:dynamic/tls:Identity";
const SECRET = "pulumi-nodejs:dynamic/secret:Secret";
const MEMBER = "pulumi-nodejs:dynamic/platform:Member";
const SET = "pulumi-nodejs:dynamic/mongo:ReplicaSet";
const RETIRE = "pulumi-nodejs:dynamic/mongo:Retire";

const member = (slot: number): TlsMember => ({
	name: `pg-${slot}`,
	hosts: [`127.0.1.${1 + slot}`],
	services: ["postgres", "client"],
	users: ["replicator"],
});
const of = (resources: readonly Registered[], type: string) => resources.filter((resource) => resource.type === type);

/** What the runtime says against inputs. */
async function checked(kind: KindName, inputs: object): Promise<string[]> {
	const { failures } = (await serve(kind, "check", [inputs, inputs])) as { failures: { reason: string }[] };
	return failures.map(({ reason }) => reason);
}

describe("TlsIdentities", () => {
	const passphrase = { kind: "given", value: "correct horse battery staple" } as const;
	const make = (slots: number[], args = {}) =>
		underMocks(() => new TlsIdentities("pg", { passphrase, ...args }, slots.map(member)));

	test("one identity a member, whose inputs the runtime takes; the passphrase is secret", async () => {
		const { resources, result } = await make([0, 1]);
		expect(of(resources, IDENTITY).map(({ name }) => name)).toEqual(["pg-0-tls", "pg-1-tls"]);
		const { inputs, secrets, secretOutputs } = only(resources, IDENTITY, "pg-1-tls");
		expect(await checked("tls/Identity", inputs)).toEqual([]);
		expect(inputs).toMatchObject({
			cluster: "pg",
			member: "pg-1",
			hosts: ["127.0.1.2"],
			services: ["postgres", "client"],
			users: ["replicator"],
			passphrase: "correct horse battery staple",
			generation: 1,
			trusted: [1],
			epoch: "2026-01-01",
			days: 3650,
		});
		expect([secrets, secretOutputs]).toEqual([["passphrase"], ["files"]]);
		expect(only(resources, SECRET, "pg-tls").secrets).toEqual(["source.value"]);
		expect((await known(result.files("pg-1"))).secret).toBe(true);
		expect(await known(result.ca)).toEqual({ value: "ca of pg", secret: false });
	});

	test("a member that joins later changes nothing of the others", async () => {
		const one = await make([0]);
		const three = await make([0, 1, 2]);
		expect(only(three.resources, IDENTITY, "pg-0-tls")).toEqual(only(one.resources, IDENTITY, "pg-0-tls"));
	});

	test("a rotation, and the passphrase that is being replaced, go into every identity", async () => {
		const former = { passphrase: "the earlier passphrase", generation: 1 };
		const { resources } = await make([0, 1], { generation: 2, trusted: [1, 2], former });
		for (const { inputs, secrets } of of(resources, IDENTITY)) {
			expect(inputs).toMatchObject({ generation: 2, trusted: [1, 2], former });
			expect(secrets.sort()).toEqual(["former.passphrase", "passphrase"]);
		}
	});
});

describe("MongoReplicaSet", () => {
	const program = (args: Partial<MongoReplicaSetArgs>) =>
		underMocks(() => {
			const supervisor = new LocalHost("demo", { stack: "demo", run: "running", adopt: false });
			const platform = new LocalPlatform({ supervisor, stack: "demo", basePort: 27_017 });
			const replicaSet = new MongoReplicaSet("rs0", { stack: "demo", platform, ...args });
			return { replicaSet, user: new MongoUser("app", { replicaSet, roles: [{ role: "read", db: "a" }] }) };
		});

	test("without tls there is no certificate, no passphrase and no word of it anywhere", async () => {
		const { resources, result } = await program({});
		expect(of(resources, IDENTITY)).toEqual([]);
		expect(of(resources, SECRET).map(({ name }) => name)).not.toContain("rs0-tls");
		expect(JSON.stringify(resources)).not.toContain("tls");
		expect(result.replicaSet.tls).toBeUndefined();
	});

	test("every member gets the CA in the open and its own key in secret, as configuration that asks for a restart", async () => {
		const { resources, result } = await program({ tls: { mode: "require" } });
		for (const slot of [0, 1, 2]) {
			expect(only(resources, IDENTITY, `rs0-${slot}-tls`).inputs).toMatchObject({
				cluster: "rs0",
				member: `rs0-${slot}`,
				hosts: ["127.0.0.1"],
				services: ["mongod"],
				users: [],
				passphrase: "value+of/rs0/tls",
			});
			const { inputs, secrets } = only(resources, MEMBER, `rs0-${slot}`);
			const files = inputs.files as Record<string, string>;
			expect(files["conf/tls/ca.pem"]).toBe("ca of rs0");
			expect(files["conf/tls/mongod.pem"]).toBe(`key+of/rs0-${slot}`);
			expect(files["conf/mongod.conf"]).toContain("mode: requireTLS");
			expect(secrets.sort()).toEqual(["birthFiles.conf/keyfile", "files.conf/tls/mongod.pem"]);
		}
		expect(await known(result.replicaSet.tls!.ca)).toEqual({ value: "ca of rs0", secret: false });
	});

	test("the set, and what comes before the members, are told the mode and the CA", async () => {
		const tls = { mode: "prefer" as const, generation: 2, trusted: [1, 2], validityDays: 30, epoch: "2026-03-01" };
		const { resources } = await program({ tls });
		const told = { mode: "prefer", generation: 2, trusted: [1, 2], ca: "ca of rs0" };
		expect(only(resources, SET, "rs0").inputs.tls).toEqual(told);
		expect(only(resources, RETIRE, "rs0-retire").inputs.tls).toEqual(told);
		expect(only(resources, IDENTITY, "rs0-1-tls").inputs).toMatchObject({
			days: 30,
			epoch: "2026-03-01",
			trusted: [1, 2],
		});
	});

	test.each([
		["allow", false],
		["prefer", true],
		["require", true],
	] as const)("connection strings in mode %s say tls: %s", async (mode, says) => {
		const { result } = await program({ tls: { mode } });
		const { value, secret } = await known(result.user.uri);
		expect([value.includes("&tls=true&"), secret]).toEqual([says, true]);
	});

	test("the passphrase is no data: it goes when TLS goes, also from a protected set", async () => {
		const { resources } = await program({ tls: { mode: "allow" }, protect: true });
		expect(only(resources, SECRET, "rs0-tls")).toMatchObject({ protect: false, parent: "rs0" });
		for (const { protect, parent } of of(resources, IDENTITY)) expect([protect, parent]).toEqual([false, "rs0"]);
	});

	test("members that somebody else runs keep their own certificates", async () => {
		const { resources } = await underMocks(() => {
			const platform = new ExistingPlatform([{ host: "127.0.0.1", port: 27_017 }]);
			new MongoReplicaSet("rs0", { stack: "demo", platform, members: 1, tls: { mode: "allow" } });
		});
		expect(await checked("mongo/ReplicaSet", only(resources, SET, "rs0").inputs)).toEqual([
			expect.stringMatching(/^HF_SETTING: tls: members that somebody else runs/),
		]);
	});
});
