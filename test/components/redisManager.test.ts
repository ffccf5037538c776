import { createHash } from "node:crypto";
import type * as pulumi from "@pulumi/pulumi";
import { LocalHost, LocalPlatform } from "../../components/platform/local.ts";
import { RedisManager, type RedisManagerArgs } from "../../components/redis/redisManager.ts";
import type { KindName } from "../../runtime/kinds.ts";
import { serve } from "../../runtime/lifecycle.ts";
import { known, only, type Registered, underMocks } from "../support/mocks.ts";

const dynamic = (kind: string) => `pulumi-nodejs:dynamic/${kind}`;
const SECRET = dynamic("secret:Secret");
const RETIRE = dynamic("redis:Retire");
const CLUSTER = dynamic("redis:Cluster");
const MEMBER = dynamic("platform:Member");
const NODES = ["rds-0", "rds-1", "rds-2"];

const local = (args: Partial<RedisManagerArgs> = {}) =>
	underMocks(() => {
		const supervisor = new LocalHost("demo", { stack: "demo", run: "running", adopt: false });
		const platform = new LocalPlatform({ supervisor, stack: "demo", basePort: 6379 });
		return new RedisManager("rds", { stack: "demo", platform, ...args });
	});

const names = (resources: readonly Registered[], type: string) =>
	resources.filter((resource) => resource.type === type).map(({ name }) => name);
const births = (resources: readonly Registered[], name: string) =>
	only(resources, MEMBER, name).inputs.birthFiles as Record<string, string>;

/** What the runtime says against inputs. */
async function checked(kind: KindName, { inputs }: Registered): Promise<string[]> {
	const { failures } = (await serve(kind, "check", [inputs, inputs])) as { failures: { reason: string }[] };
	return failures.map(({ reason }) => reason);
}

test("makes a retirement, nodes, managers, the cluster and its secrets, as the runtime takes them", async () => {
	const { resources, result } = await local({ managers: 2 });
	expect(names(resources, MEMBER)).toEqual([...NODES, "rds-manager-0", "rds-manager-1"]);
	expect(names(resources, SECRET).sort()).toEqual(["rds-admin", "rds-api-key", "rds-node"]);
	const children = resources.filter(({ type }) => [RETIRE, CLUSTER, MEMBER, SECRET].includes(type));
	expect(children.map(({ parent }) => parent)).toEqual(children.map(() => "rds"));
	for (const member of resources.filter(({ type }) => type === MEMBER))
		expect(await checked("platform/Member", member)).toEqual([]);
	expect(await checked("redis/Retire", only(resources, RETIRE, "rds-retire"))).toEqual([]);
	expect(await checked("redis/Cluster", only(resources, CLUSTER, "rds"))).toEqual([]);
	expect([result.baseUrl, result.urls, result.nodes]).toEqual([
		"http://127.0.0.1:3000",
		["http://127.0.0.1:3000", "http://127.0.0.1:3001"],
		["127.0.0.1:6379", "127.0.0.1:6380", "127.0.0.1:6381"],
	]);
	expect(await known(result.apiKey)).toEqual({ value: "value+of/rds/api/key", secret: true });
});

test("nodes come after the retirement, managers after the nodes, the cluster last", async () => {
	const { resources } = await local();
	for (const node of NODES) {
		const { after } = only(resources, MEMBER, node);
		expect(after).toEqual(expect.arrayContaining(["demo", "rds-retire"]));
		expect(after).not.toContain("rds-manager-0");
	}
	expect(only(resources, MEMBER, "rds-manager-0").after).toEqual(expect.arrayContaining(["rds-retire", ...NODES]));
	expect(only(resources, CLUSTER, "rds").after).toEqual(
		expect.arrayContaining(["rds-retire", "rds-manager-0", ...NODES]),
	);
	expect(only(resources, RETIRE, "rds-retire").after.filter((name) => name.startsWith("rds-"))).toEqual([]);
});

test("nodes know passwords by their hashes only; managers by files that they are born with", async () => {
	const { resources } = await local();
	const sha256 = (text: string) => createHash("sha256").update(text).digest("hex");
	const users = births(resources, "rds-1")["live/users.acl"]!;
	expect(users).toContain(`user holdfast on #${sha256("value+of/rds/node")} `);
	expect(users).toContain(`user holdfast-admin on #${sha256("value+of/rds/admin")} `);
	expect(users).not.toContain("value+of");
	expect(births(resources, "rds-manager-0")).toEqual({
		"live/nodes.json": '["127.0.0.1:6379","127.0.0.1:6380","127.0.0.1:6381"]\n',
		"live/api-key": "value+of/rds/api/key\n",
		"live/redis-password": "value+of/rds/node\n",
	});
	for (const { inputs, secrets } of resources.filter(({ type }) => type === MEMBER)) {
		expect(JSON.stringify(inputs.files)).not.toContain("value+of");
		expect(secrets.every((path) => path.startsWith("birthFiles"))).toBe(true);
		expect(secrets.length).toBeGreaterThan(0);
	}
	expect(only(resources, CLUSTER, "rds").secrets.sort()).toEqual(["adminPassword", "apiKey", "nodePassword"]);
	expect(JSON.stringify(only(resources, RETIRE, "rds-retire").inputs)).not.toContain("value+of");
});

test("a node that joins changes nothing of those that are there, nor the managers' settings", async () => {
	const [three, five] = [await local(), await local({ nodes: 5 })];
	for (const node of NODES)
		expect(only(five.resources, MEMBER, node).inputs).toEqual(only(three.resources, MEMBER, node).inputs);
	const manager = ({ resources }: { resources: Registered[] }) => only(resources, MEMBER, "rds-manager-0").inputs.files;
	expect(manager(five)).toEqual(manager(three));
});

test("a setting of the nodes changes their files and the cluster, a secret only what it is", async () => {
	const [before, always, key] = [
		await local(),
		await local({ appendfsync: "always" }),
		await local({ apiKey: { kind: "given", value: "a-key-of-our-own-1" } }),
	];
	const configuration = ({ resources }: { resources: Registered[] }) =>
		only(resources, CLUSTER, "rds").inputs.configuration;
	expect(configuration(before)).toMatch(/^[0-9a-f]{64}$/);
	expect(configuration(always)).not.toBe(configuration(before));
	expect(configuration(key)).toBe(configuration(before));
	expect(only(always.resources, CLUSTER, "rds").inputs.appendfsync).toBe("always");
	expect(only(key.resources, CLUSTER, "rds").inputs.apiKey).toBe("a-key-of-our-own-1");
});

test("managers may listen elsewhere than the nodes", async () => {
	const { resources, result } = await local({ managerAddress: "0.0.0.0" });
	expect(only(resources, MEMBER, "rds-manager-0").inputs.address).toEqual({ host: "0.0.0.0", port: 3000 });
	expect(only(resources, MEMBER, "rds-0").inputs.address).toEqual({ host: "127.0.0.1", port: 6379 });
	expect(result.baseUrl).toBe("http://127.0.0.1:3000");
});

test("protect sits on the cluster and its secrets, never on members, and can be left off", async () => {
	const isProtected = ({ resources }: { resources: Registered[] }) =>
		resources.filter((resource) => resource.protect).map(({ type, name }) => `${type} ${name}`);
	expect(isProtected(await local()).sort()).toEqual(
		[`${CLUSTER} rds`, `${SECRET} rds-admin`, `${SECRET} rds-api-key`, `${SECRET} rds-node`].sort(),
	);
	expect(isProtected(await local({ protect: false }))).toEqual([]);
});

test("what can go wrong with the chosen numbers is said aloud", async () => {
	const said: string[] = [];
	const { log } = jest.requireActual<typeof pulumi>("@pulumi/pulumi");
	const spy = jest.spyOn(log, "info").mockImplementation(async (text) => void said.push(text));
	await local({ nodes: 2, appendfsync: "no" });
	spy.mockRestore();
	expect(said).toEqual([expect.stringMatching(/^2 nodes need 2/), expect.stringMatching(/^appendfsync no/)]);
});

test.each([
	[{ nodes: 0 }, /nodes is at least 1/],
	[{ managers: 10 }, /managers is at most 9/],
	[{ appendfsync: "sometimes" as never }, /appendfsync is always, everysec or no/],
	[{ ports: { node: 3000 } }, /^HF_SETTING: ports\.node and ports\.manager meet/],
])("what cannot be is refused before anything is registered: %j", async (args, message) => {
	const { resources } = await underMocks(() => {
		const supervisor = new LocalHost("demo", { stack: "demo", run: "running", adopt: false });
		const platform = new LocalPlatform({ supervisor, stack: "demo", basePort: 6379 });
		expect(() => new RedisManager("rds", { stack: "demo", platform, ...args })).toThrow(message);
	});
	expect(names(resources, MEMBER).concat(names(resources, CLUSTER))).toEqual([]);
});
