import { createHash } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Deadline } from "../../runtime/deadline.ts";
import { keepLease, memberList, prefixEnd, putNew } from "../../runtime/etcd/api.ts";
import { ensureAuth, scopePrefix } from "../../runtime/etcd/auth.ts";
import { ETCD_FILE } from "../../runtime/etcd/config.ts";
import { convergeEtcd, snapshotPath } from "../../runtime/etcd/execute.ts";
import { EtcdGateway } from "../../runtime/etcd/gateway.ts";
import type { EtcdRecord } from "../../runtime/etcd/record.ts";
import { saveSnapshot } from "../../runtime/etcd/snapshot.ts";
import { etcdStatus } from "../../runtime/etcd/status.ts";
import type { EtcdWork } from "../../runtime/etcd/work.ts";
import { toolPath } from "../../runtime/tools.ts";
import { EtcdHost } from "../support/etcdHost.ts";
import { until } from "../support/until.ts";

const access = { stack: "test", cluster: "pg" };
const passwords = { root: "r$o'o\"t\\`\n", patroni: "p$a'\"\\`\nx", next: "next" };
const credentials = [{ user: "root", password: passwords.root }];

let folder: string;
let host: EtcdHost;
let record: EtcdRecord | undefined;
const before = process.env.HOLDFAST_HOME;

beforeAll(async () => {
	const binary = await toolPath("etcd");
	folder = mkdtempSync(join(tmpdir(), "holdfast-etcd-"));
	process.env.HOLDFAST_HOME = join(folder, "home");
	jest.spyOn(console, "log").mockImplementation(() => {});
	host = new EtcdHost(folder, binary);
	// Each name begins the next one.
	for (const name of ["pg-1", "pg-10", "pg-100"]) await host.member(name);
});
afterAll(async () => {
	await host?.close();
	if (before === undefined) delete process.env.HOLDFAST_HOME;
	else process.env.HOLDFAST_HOME = before;
	if (folder) rmSync(folder, { recursive: true, force: true });
	jest.restoreAllMocks();
});

async function up(names: readonly string[], changes: Partial<EtcdWork> = {}): Promise<void> {
	const work = (): EtcdWork => ({
		...{ access, host, record, credentials, others: host.voters.map(({ name }) => name) },
		desired: host.voters.filter(({ name }) => names.includes(name)),
		save: async (saved) => {
			record = structuredClone(saved);
		},
		deadline: new Deadline("the test", 40_000),
		...changes,
	});
	await convergeEtcd(work(), "retire");
	await convergeEtcd(work(), "join");
}

const endpoints = () => host.voters.map(({ clientURL }) => clientURL);
const status = () => etcdStatus({ endpoints: endpoints(), credentials });
const roles = async () =>
	Object.fromEntries((await status()).members.map(({ name, role }) => [name, role === "leader" ? "follower" : role]));
const all = { "pg-1": "follower", "pg-10": "follower", "pg-100": "follower" };
const pids = () => host.voters.map(({ name }) => host.pid(name));

test("a plain start without data begins no cluster", async () => {
	await host.release("pg-1", "etcd", ["--config-file", host.folder("pg-1", ETCD_FILE)]);
	await until("its end", 60_000, () => host.pid("pg-1") === undefined);
	expect(await host.exists("pg-1", "data/etcd/member/wal")).toBe(false);
	rmSync(host.folder("pg-1", "data/etcd"), { recursive: true, force: true });
});

test("grows from one to three, as the cluster that was foretold, and is idle then", async () => {
	await up(["pg-1"]);
	const foretold = record!.clusterId;
	await up(["pg-1", "pg-10", "pg-100"]);
	expect(await status()).toMatchObject({ healthy: true, clusterId: foretold, alarms: [] });
	expect(await roles()).toEqual(all);
	const [then, saved] = [pids(), record];
	await up(["pg-1", "pg-10", "pg-100"]);
	expect([pids(), record]).toEqual([then, saved]);
	const snapshot = readFileSync(snapshotPath(access));
	const hash = createHash("sha256").update(snapshot.subarray(0, -32)).digest();
	expect(hash.equals(snapshot.subarray(-32))).toBe(true);
});

test("users: Patroni sees its scope only, others nothing, root everything; also when it is done again", async () => {
	const deadline = new Deadline("the users", 30_000);
	const auth = (root: [string, ...string[]]) =>
		ensureAuth({
			...{ endpoints: endpoints(), deadline, scope: "pg", rootPasswords: root },
			patroni: { user: "patroni", password: passwords.patroni },
		});
	await auth([passwords.root]);
	await auth([passwords.root]);
	await auth([passwords.next, passwords.root]);
	await auth([passwords.root, passwords.next]);
	await expect(auth(["wrong"])).rejects.toThrow(/HF_CREDENTIALS/);
	const patroni = new EtcdGateway({
		endpoints: endpoints(),
		credentials: [{ user: "patroni", password: passwords.patroni }],
	});
	const nobody = new EtcdGateway({ endpoints: endpoints() });
	try {
		await expect(memberList(nobody)).rejects.toThrow(/HF_CREDENTIALS/);
		const lease = String((await patroni.call("lease/grant", { TTL: 20 })).ID);
		expect(await putNew(patroni, `${scopePrefix("pg")}leader`, "pg-1", lease)).toBe(true);
		expect(await keepLease(patroni, lease)).toBeGreaterThan(0);
		const range = (prefix: string) =>
			patroni.call("kv/range", { key: Buffer.from(prefix).toString("base64"), range_end: prefixEnd(prefix) });
		expect((await range(scopePrefix("pg"))).kvs).toHaveLength(1);
		expect((await memberList(patroni)).members).toHaveLength(3);
		for (const prefix of [scopePrefix("pg-1"), "/service/", "/holdfast/"])
			await expect(range(prefix)).rejects.toThrow(/permission denied/);
		await expect(saveSnapshot(patroni, join(folder, "stolen"))).rejects.toThrow(/permission denied/);
	} finally {
		await Promise.all([patroni.close(), nobody.close()]);
	}
});

test("a wiped folder comes back under a new id; a staged file is rolled out", async () => {
	const old = record!.ids["pg-100"]!.at(-1)!.id;
	await host.stop("pg-100", "etcd", "SIGKILL");
	rmSync(host.folder("pg-100", "data/etcd"), { recursive: true });
	await up(["pg-1", "pg-10", "pg-100"]);
	expect(record!.ids["pg-100"]!.at(-1)!.id).not.toBe(old);
	expect(await roles()).toEqual(all);
	const text = (await host.read("pg-10", ETCD_FILE))!;
	await host.write("pg-10", ETCD_FILE, text.replace("heartbeat-interval: 100", "heartbeat-interval: 120"));
	const restarted = host.pid("pg-10");
	await up(["pg-1", "pg-10", "pg-100"]);
	expect(host.pid("pg-10")).not.toBe(restarted);
	expect(await roles()).toEqual(all);
	expect((await status()).healthy).toBe(true);
});

test("shrinks to one, the leader last; what votes no more is set aside, at once or when it comes back", async () => {
	await up(["pg-100"], { others: ["pg-1"] });
	expect(await roles()).toEqual({ "pg-100": "follower" });
	expect(await status()).toMatchObject({ healthy: true, summary: "whole: 1 voter(s), leader pg-100" });
	expect((await host.status("pg-1")).state).toBe("held");
	expect(await host.exists("pg-10", "data/etcd/member/wal")).toBe(true);
	await up(["pg-1", "pg-10", "pg-100"]);
	expect(await roles()).toEqual(all);
	expect(readdirSync(host.folder("pg-10", "data")).sort()).toEqual(["etcd", expect.stringMatching(/^etcd\.aside-/)]);
});
