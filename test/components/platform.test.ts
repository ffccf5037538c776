import * as pulumi from "@pulumi/pulumi";
import { MongoReplicaSet } from "../../components/mongo/replicaSet.ts";
import { ExistingPlatform } from "../../components/platform/existing.ts";
import { LocalHost, LocalPlatform } from "../../components/platform/local.ts";
import type { GroupOptions, MemberSpec, Platform } from "../../components/platform/platform.ts";
import { known, only, underMocks } from "../support/mocks.ts";

const HOST = "pulumi-nodejs:dynamic/platform:Host";
const MEMBER = "pulumi-nodejs:dynamic/platform:Member";
const SET = "pulumi-nodejs:dynamic/mongo:ReplicaSet";

/** A platform that only remembers what it was asked for. */
class Spy implements Platform {
	readonly host = { kind: "local", stack: "spy" } as const;
	readonly asked: { cluster: string; members: readonly MemberSpec[]; opts: GroupOptions }[] = [];

	addresses = (_cluster: string, slots: readonly number[]) => slots.map((slot) => ({ host: `m${slot}`, port: 1000 }));

	group(cluster: string, members: readonly MemberSpec[], opts: GroupOptions): pulumi.Resource[] {
		this.asked.push({ cluster, members, opts });
		const own = { parent: opts.parent, dependsOn: [...opts.after] };
		return members.map(({ name }) => new (class extends pulumi.ComponentResource {})("spy:Member", name, {}, own));
	}
}

test("a platform is asked once for all members, after the retirement and before the set", async () => {
	const spy = new Spy();
	const { resources } = await underMocks(() => new MongoReplicaSet("rs0", { stack: "spy", platform: spy }));
	expect(spy.asked.map(({ cluster, members }) => [cluster, members.map(({ slot, name }) => [slot, name])])).toEqual([
		[
			"rs0",
			[
				[0, "rs0-0"],
				[1, "rs0-1"],
				[2, "rs0-2"],
			],
		],
	]);
	expect(only(resources, "spy:Member", "rs0-1").after).toEqual(["rs0-retire"]);
	expect(only(resources, SET, "rs0").after).toEqual(expect.arrayContaining(["rs0-retire"]));
	const [{ members }] = spy.asked as [(typeof spy.asked)[0]];
	expect(members[2]!.processes).toEqual([
		{ name: "mongod", program: "mongod", args: ["--config", "{{folder}}/conf/mongod.conf"], port: 1000 },
	]);
	expect(members[2]!.files["conf/mongod.conf"]).toContain("bindIp: m2");
	expect(Object.keys(members[2]!.files)).toEqual(["conf/mongod.conf"]);
	const keyfile = await known(pulumi.output(members[2]!.birthFiles["conf/keyfile"]!));
	expect(keyfile).toEqual({ value: "value+of/rs0/keyfile\n", secret: true });
});

test("the local platform: one supervisor, a port and a name a slot, whatever the others are", async () => {
	const { resources, result } = await underMocks(() => {
		const supervisor = new LocalHost("demo", { stack: "demo", run: "running", adopt: true });
		const common = { supervisor, stack: "demo", basePort: 20_000 };
		const platform = new LocalPlatform({ ...common, dataRoot: "/data", address: "10.0.0.1" });
		const aliased = new LocalPlatform({ ...common, address: "127.0.1.1", aliases: true });
		expect(aliased.addresses("pg0", [0, 2])).toEqual([
			{ host: "127.0.1.1", port: 20_000 },
			{ host: "127.0.1.3", port: 20_002 },
		]);
		new MongoReplicaSet("rs0", { stack: "demo", platform, members: 2 });
		return platform.addresses("rs0", [0, 4]);
	});
	expect(result).toEqual([
		{ host: "10.0.0.1", port: 20_000 },
		{ host: "10.0.0.1", port: 20_004 },
	]);
	expect(only(resources, HOST, "demo").inputs).toMatchObject({ stack: "demo", run: "running", adopt: true });
	const member = only(resources, MEMBER, "rs0-1");
	expect(member.inputs).toMatchObject({
		stack: "demo",
		hostId: "host-id",
		cluster: "rs0",
		name: "rs0-1",
		slot: 1,
		address: { host: "10.0.0.1", port: 20_001 },
		dataRoot: "/data",
		run: "running",
	});
	expect([member.protect, member.after.includes("demo")]).toEqual([false, true]);
});

test("existing members are taken as they are: addresses by slot, and nothing to start", async () => {
	const addresses = [
		{ host: "a", port: 1 },
		{ host: "b", port: 2 },
	];
	const platform = new ExistingPlatform(addresses);
	expect([platform.addresses("rs0", [0, 1]), platform.host, platform.group()]).toEqual([
		addresses,
		{ kind: "existing" },
		[],
	]);
	const { resources } = await underMocks(() => new MongoReplicaSet("rs0", { stack: "demo", platform, members: 2 }));
	const { inputs, after } = only(resources, SET, "rs0");
	expect((inputs.members as { host: string; member: string }[]).map(({ host, member }) => [host, member])).toEqual([
		["a:1", ""],
		["b:2", ""],
	]);
	expect(after).toContain("rs0-retire");
	expect(resources.some(({ type }) => type.includes("platform:"))).toBe(false);
});
