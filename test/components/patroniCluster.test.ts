import type * as pulumi from "@pulumi/pulumi";
import { parse } from "yaml";
import { LocalHost, LocalPlatform } from "../../components/platform/local.ts";
import { PatroniCluster, type PatroniClusterArgs } from "../../components/postgres/patroniCluster.ts";
import type { KindName } from "../../runtime/kinds.ts";
import { serve } from "../../runtime/lifecycle.ts";
import { known, only, type Registered, underMocks } from "../support/mocks.ts";

const dynamic = (kind: string) => `pulumi-nodejs:dynamic/${kind}`;
const SECRET = dynamic("secret:Secret");
const IDENTITY = dynamic("tls:Identity");
const RETIRE = dynamic("postgres:Retire");
const CLUSTER = dynamic("postgres:Cluster");
const MEMBER = dynamic("platform:Member");
const roles = ["superuser", "replication", "rewind", "restapi", "etcd", "etcd-root"];

const local = (args: Partial<PatroniClusterArgs> = {}) =>
	underMocks(() => {
		const supervisor = new LocalHost("demo", { stack: "demo", run: "running", adopt: false });
		const place = { supervisor, stack: "demo", basePort: 5432, address: "127.0.1.1", aliases: true };
		return new PatroniCluster("pg0", { stack: "demo", platform: new LocalPlatform(place), ...args });
	});

const names = (resources: readonly Registered[], type: string) =>
	resources.filter((resource) => resource.type === type).map(({ name }) => name);
const file = (resources: readonly Registered[], slot: number, path: string) =>
	(only(resources, MEMBER, `pg0-${slot}`).inputs.files as Record<string, string>)[path]!;
const yml = (resources: readonly Registered[], slot: number) =>
	parse(file(resources, slot, "live/patroni/10-patroni.yml"), { version: "1.1" });

/** What the runtime says against inputs. */
async function checked(kind: KindName, { inputs }: Registered): Promise<string[]> {
	const { failures } = (await serve(kind, "check", [inputs, inputs])) as { failures: { reason: string }[] };
	return failures.map(({ reason }) => reason);
}

test("makes a retirement, one member a slot, the cluster and its secrets, all its children, as the runtime takes them", async () => {
	const { resources, result } = await local();
	expect(names(resources, MEMBER)).toEqual(["pg0-0", "pg0-1", "pg0-2"]);
	expect(names(resources, SECRET).sort()).toEqual(roles.map((role) => `pg0-${role}`).sort());
	expect([names(resources, RETIRE), names(resources, CLUSTER)]).toEqual([["pg0-retire"], ["pg0"]]);
	const children = resources.filter(({ type }) => [RETIRE, CLUSTER, MEMBER, SECRET].includes(type));
	expect(children.map(({ parent }) => parent)).toEqual(children.map(() => "pg0"));
	for (const member of resources.filter(({ type }) => type === MEMBER))
		expect(await checked("platform/Member", member)).toEqual([]);
	expect(await checked("postgres/Retire", only(resources, RETIRE, "pg0-retire"))).toEqual([]);
	expect(await checked("postgres/Cluster", only(resources, CLUSTER, "pg0"))).toEqual([]);
	const hosts = [0, 1, 2].map((slot) => ({ host: `127.0.1.${1 + slot}`, port: 5432 + slot }));
	expect([result.hosts, result.superuser, result.access]).toEqual([
		hosts,
		"postgres",
		{ stack: "demo", cluster: "pg0" },
	]);
	expect(result.rest).toEqual(["http://127.0.1.1:8008", "http://127.0.1.2:8009", "http://127.0.1.3:8010"]);
	expect(await known(result.systemIdentifier)).toEqual({ value: "7000000000000000001", secret: false });
});

test("what the cluster is told is what was declared, defaults resolved", async () => {
	const { resources } = await local({ profile: "fast", maxConnections: 50, parameters: { jit: false } });
	const { inputs } = only(resources, CLUSTER, "pg0");
	expect(inputs).toMatchObject({
		access: { stack: "demo", cluster: "pg0" },
		host: { kind: "local", stack: "demo" },
		...{ scope: "pg0", version: 18, standbys: 1 },
		dynamic: { ttl: 20, synchronous_mode: "quorum", postgresql: { parameters: { max_connections: 50, jit: "off" } } },
		superuser: { user: "postgres", password: "value+of/pg0/superuser" },
		replication: { user: "replicator", password: "value+of/pg0/replication" },
		rewind: { user: "rewind_user", password: "value+of/pg0/rewind" },
		restapi: { user: "patroni", password: "value+of/pg0/restapi" },
		etcd: { root: "value+of/pg0/etcd/root", patroni: "value+of/pg0/etcd" },
	});
	expect(inputs.members).toEqual(
		[0, 1, 2].map((slot) => {
			const host = `127.0.1.${1 + slot}`;
			return {
				name: `pg0-${slot}`,
				postgres: { host, port: 5432 + slot },
				patroni: { host, port: 8008 + slot },
				etcd: { client: { host, port: 2379 + 2 * slot }, peer: { host, port: 2380 + 2 * slot } },
				votes: true,
			};
		}),
	);
	expect(only(resources, RETIRE, "pg0-retire").inputs).toMatchObject({
		...{ members: inputs.members, standbys: 1, version: 18 },
		synchronous: { synchronous_mode: "quorum", synchronous_mode_strict: false, synchronous_node_count: 1 },
	});
	expect(yml(resources, 1)).toMatchObject({
		...{ scope: "pg0", name: "pg0-1" },
		restapi: { listen: "127.0.1.2:8009" },
		etcd3: { hosts: ["127.0.1.2:2381", "127.0.1.1:2379", "127.0.1.3:2383"], protocol: "http" },
		postgresql: { listen: "127.0.1.2:5433", connect_address: "127.0.1.2:5433" },
	});
});

test("votes stay with the lowest slots, and members beyond the fifth have no etcd", async () => {
	const { resources } = await local({ members: 6 });
	const members = only(resources, CLUSTER, "pg0").inputs.members as { votes: boolean; etcd?: object }[];
	expect(members.map(({ votes }) => votes)).toEqual([true, true, true, false, false, false]);
	expect(members.map(({ etcd }) => etcd !== undefined)).toEqual([true, true, true, true, true, false]);
	const programs = [0, 5].map((slot) =>
		(only(resources, MEMBER, `pg0-${slot}`).inputs.processes as { name: string }[]).map(({ name }) => name),
	);
	expect(programs).toEqual([
		["etcd", "guard", "patroni"],
		["guard", "patroni"],
	]);
	expect(yml(resources, 5).etcd3.hosts).toEqual(["127.0.1.1:2379", "127.0.1.2:2381", "127.0.1.3:2383"]);
});

test("a member that joins changes no file that needs a restart, and no certificate, of those that are there", async () => {
	const args = { tls: {}, tlsPassphrase: { kind: "given", value: "correct horse battery staple" } } as const;
	const [three, four] = await Promise.all([]).then(async () => [
		await local(args),
		await local({ ...args, members: 5 }),
	]);
	for (const slot of [0, 1, 2]) {
		const [before, after] = [three!, four!].map(({ resources }) => only(resources, MEMBER, `pg0-${slot}`).inputs);
		expect(after).toEqual(before);
		expect(only(four!.resources, IDENTITY, `pg0-${slot}-tls`)).toEqual(
			only(three!.resources, IDENTITY, `pg0-${slot}-tls`),
		);
	}
});

test("passwords are secret wherever they go, and in no file but those a member is born with", async () => {
	const { resources, result } = await local();
	const { secrets } = only(resources, CLUSTER, "pg0");
	expect(secrets.sort()).toEqual(
		["superuser", "replication", "rewind", "restapi"]
			.map((role) => `${role}.password`)
			.concat("etcd.patroni", "etcd.root")
			.sort(),
	);
	for (const member of resources.filter(({ type }) => type === MEMBER)) {
		expect(member.secrets).toEqual([expect.stringMatching(/^birthFiles/)]);
		expect(JSON.stringify(member.inputs.files)).not.toContain("value+of");
		expect(Object.keys(member.inputs.birthFiles as object)).toEqual(["live/patroni/50-secrets.yml"]);
	}
	expect(JSON.stringify(only(resources, RETIRE, "pg0-retire").inputs)).not.toContain("value+of");
	const { uri, readOnlyUri, pgpass, jdbcUrl } = result.connection;
	for (const form of [uri, readOnlyUri, pgpass]) expect((await known(form)).secret).toBe(true);
	expect((await known(uri)).value).toContain("postgresql://postgres:value%2Bof%2Fpg0%2Fsuperuser@127.0.1.1:5432,");
	expect(jdbcUrl).not.toContain("value");
});

test("members leave the cluster before processes change, and join it afterwards", async () => {
	const { resources } = await local();
	for (const name of names(resources, MEMBER))
		expect(only(resources, MEMBER, name).after).toEqual(expect.arrayContaining(["pg0-retire", "demo"]));
	expect(only(resources, CLUSTER, "pg0").after).toEqual(
		expect.arrayContaining(["pg0-retire", "pg0-0", "pg0-1", "pg0-2", ...roles.map((role) => `pg0-${role}`)]),
	);
	expect(only(resources, RETIRE, "pg0-retire").after.filter((name) => name.startsWith("pg0"))).toEqual([]);
});

test("protect sits on the identity and the secrets it was born with, never on members, and can be left off", async () => {
	const isProtected = ({ resources }: { resources: Registered[] }) =>
		resources.filter((resource) => resource.protect).map(({ type, name }) => `${type} ${name}`);
	expect(isProtected(await local()).sort()).toEqual(
		[`${CLUSTER} pg0`, ...roles.map((role) => `${SECRET} pg0-${role}`)].sort(),
	);
	expect(isProtected(await local({ protect: false }))).toEqual([]);
});

test("with TLS every server gets its certificate, keys are secret, and connections verify", async () => {
	const passphrase = "correct horse battery staple";
	const { resources, result } = await local({ tls: {}, tlsPassphrase: { kind: "given", value: passphrase } });
	expect(names(resources, IDENTITY)).toEqual(["pg0-0-tls", "pg0-1-tls", "pg0-2-tls"]);
	for (const identity of resources.filter(({ type }) => type === IDENTITY))
		expect(await checked("tls/Identity", identity)).toEqual([]);
	const { files } = only(resources, MEMBER, "pg0-1").inputs as { files: Record<string, string> };
	for (const service of ["postgres", "patroni", "etcd", "peer", "client"])
		expect([files[`live/tls/${service}.key`], files[`live/tls/${service}.crt`]]).toEqual([
			"key+of/pg0-1",
			"certificate of pg0-1",
		]);
	const { secrets } = only(resources, MEMBER, "pg0-1");
	expect(secrets.join()).toContain("live/tls/postgres.key");
	expect(only(resources, CLUSTER, "pg0").inputs.ca).toBe("ca of pg0");
	expect(result.rest[0]).toBe("https://127.0.1.1:8008");
	expect((await known(result.connection.uri)).value).toMatch(/sslmode=verify-full&.*channel_binding=require/);
	expect(yml(resources, 0)).toMatchObject({ etcd3: { protocol: "https" }, restapi: { verify_client: "optional" } });
	const processes = only(resources, MEMBER, "pg0-0").inputs.processes as { finds?: object }[];
	expect(processes.at(-1)!.finds).toEqual({ postgres: { build: "18", tls: true } });
});

test("a password that changes shows as the cluster's change, a parameter as that and as nothing cold", async () => {
	const [before, after] = [
		await local(),
		await local({ archiveCommand: "cp %p /wal/%f", superuserPassword: { kind: "given", value: "new" } }),
	];
	for (const slot of [0, 1, 2]) {
		const cold = (resources: Registered[]) => {
			const { files, processes } = only(resources, MEMBER, `pg0-${slot}`).inputs as {
				files: object;
				processes: object;
			};
			return [processes, Object.entries(files).filter(([path]) => path.startsWith("conf/"))];
		};
		expect(cold(after.resources)).toEqual(cold(before.resources));
	}
	const inputs = [before, after].map(({ resources }) => only(resources, CLUSTER, "pg0").inputs);
	expect(inputs.map(({ superuser }) => superuser)).toEqual([
		{ user: "postgres", password: "value+of/pg0/superuser" },
		{ user: "postgres", password: "new" },
	]);
	expect(inputs[0]!.configuration).toMatch(/^[0-9a-f]{64}$/);
	const rebuilt = only((await local({ build: "18.4" })).resources, CLUSTER, "pg0").inputs.configuration;
	expect(rebuilt).not.toBe(inputs[0]!.configuration);
});

test("what can go wrong with the chosen numbers is said aloud", async () => {
	const said: string[] = [];
	const { log } = jest.requireActual<typeof pulumi>("@pulumi/pulumi");
	const spy = jest.spyOn(log, "info").mockImplementation(async (text) => void said.push(text));
	await local({ members: 2 });
	await local({ members: 1 });
	await local({ durability: "async" });
	spy.mockRestore();
	expect(said).toEqual([
		expect.stringMatching(/etcd runs on pg0-0 only/),
		expect.stringMatching(/durability sync: when one of 2 members is down/),
		expect.stringMatching(/pg0-0 is the only member/),
		expect.stringMatching(/durability async: a failover can lose 1048576 bytes/),
	]);
});

test.each([
	[{ voters: 2 as never }, /voters is 1, 3 or 5: an even number/],
	[{ members: 11 }, /members is at most 10/],
	[{ ttl: 20 }, /^HF_SETTING: ttl is 20 s, but loopWait 10/],
	[{ durability: "always" as never }, /durability is async, sync, quorum or strict/],
	[{ members: 1, durability: "strict" as const }, /^HF_SETTING: durability is strict with members 1/],
	[{ superuser: 'a"b' }, /must not contain quotes, dollar signs or backslashes/],
	[{ parameters: { fsync: "off" } }, /parameters\.fsync cannot be set: a crash would damage the data/],
])("what no cluster can be is refused before anything is registered: %j", async (args, message) => {
	const { resources } = await underMocks(() => {
		const supervisor = new LocalHost("demo", { stack: "demo", run: "running", adopt: false });
		const platform = new LocalPlatform({ supervisor, stack: "demo", basePort: 5432, aliases: true });
		expect(() => new PatroniCluster("pg0", { stack: "demo", platform, ...args })).toThrow(message);
	});
	expect(resources.filter(({ type }) => type.startsWith("pulumi-nodejs")).map(({ name }) => name)).toEqual(["demo"]);
});

test("adopting is said to the members and the cluster by its identifier", async () => {
	const adopt = { systemIdentifier: "7000000000000000002" };
	const { resources } = await local({ adopt });
	expect(only(resources, CLUSTER, "pg0").inputs.adopt).toEqual(adopt);
	expect(only(resources, RETIRE, "pg0-retire").inputs.adopt).toEqual(adopt);
	expect(only(resources, MEMBER, "pg0-2").inputs.adopt).toBe(true);
});
