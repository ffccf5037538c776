import { execFile } from "node:child_process";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { type AddressInfo, createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { patroniArgumentsSchema } from "../../runtime/postgres/arguments.ts";
import { PATRONI_FILE, PATRONI_FOLDER, patroniYml } from "../../runtime/postgres/patroniYml.ts";
import { SECRETS_FILE, secretsYml } from "../../runtime/postgres/secretsYml.ts";
import { patroniSettings } from "../../runtime/postgres/settings.ts";
import { patroniTopology } from "../../runtime/postgres/topology.ts";
import { toolPath } from "../../runtime/tools.ts";
import { loopback } from "../support/loopback.ts";

const HOST = "127.0.1.1";
const nasty = "$ ' \" \\ ` : é漢😀 \u2028 %s #";
let folder = "";
/** Stands in for etcd: the validator only looks whether somebody answers there. */
let etcd: Server;

const listening = async (): Promise<Server> => {
	const server = createServer((socket) => socket.destroy());
	await new Promise<void>((done) => server.listen(0, HOST, done));
	return server;
};
const portOf = (server: Server): number => (server.address() as AddressInfo).port;

beforeEach(async () => {
	folder = await mkdtemp(join(tmpdir(), "holdfast patroni-"));
	for (const path of [PATRONI_FOLDER, "data", "log", "run"]) await mkdir(join(folder, path), { recursive: true });
	etcd = await listening();
});
afterEach(async () => {
	await new Promise((done) => etcd.close(done));
	await rm(folder, { recursive: true, force: true });
});

/** What `patroni --validate-config` says of the member's files; empty when it has nothing to say against them. */
async function objections(declared: object): Promise<string> {
	const [postgres, patroni] = await Promise.all([listening(), listening()]);
	const free = { postgres: portOf(postgres), patroni: portOf(patroni), etcdClient: portOf(etcd), etcdPeer: 2380 };
	for (const server of [postgres, patroni]) await new Promise((done) => server.close(done));
	const settings = patroniSettings(patroniArgumentsSchema.parse({ ...declared, members: 1, ports: free }));
	const { members, etcdFor } = patroniTopology("pg", settings, loopback);
	const { name, addresses } = members[0]!;
	const binDir = dirname(await toolPath("postgres", String(settings.version)));
	const secrets = { superuser: nasty, replication: nasty, rewind: nasty, rest: "r:'\"\\$`", etcd: nasty };
	const files = {
		[PATRONI_FILE]: patroniYml({ settings, name, addresses, etcd: etcdFor(0) }),
		[SECRETS_FILE]: secretsYml(secrets),
	};
	for (const [path, text] of Object.entries(files))
		await writeFile(join(folder, path), text.replaceAll("{{folder}}", folder));
	// As the platform starts it: with the programs of one PostgreSQL before all others.
	const options = { timeout: 30_000, env: { ...process.env, PATH: `${binDir}:${process.env.PATH}` } };
	const args = ["--validate-config", join(folder, PATRONI_FOLDER)];
	const run = promisify(execFile)(await toolPath("patroni"), args, options);
	const { stdout, stderr } = await run.catch((error: { stdout: string; stderr: string }) => error);
	return `${stdout}${stderr}`;
}

test.each([
	[18, "without TLS", {}],
	[18, "with TLS", { tls: {} }],
	[16, "without TLS", {}],
	[16, "with TLS", { tls: {} }],
])("Patroni's own validator has no objection: PostgreSQL %i %s", async (version, _, more) => {
	expect(await objections({ version, ...more })).toBe("");
});

test("with every durability, and with figures at their limits", async () => {
	for (const durability of ["async", "sync", "quorum"]) expect(await objections({ durability })).toBe("");
	const limits = { ttl: 20, loopWait: 1, retryTimeout: 3, maxConnections: 25, watchdog: "automatic", failsafe: false };
	expect(await objections({ ...limits, maximumLagOnFailover: 0, primaryStartTimeout: 0 })).toBe("");
});

test("the validator does object when something is wrong", async () => {
	await writeFile(join(folder, "data/postgres"), "a file where a folder should be");
	expect(await objections({})).toContain("is not a directory");
});
