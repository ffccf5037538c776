import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Deadline } from "../../../runtime/deadline.ts";
import { convergeEtcd, snapshotPath } from "../../../runtime/etcd/execute.ts";
import type { EtcdRecord } from "../../../runtime/etcd/record.ts";
import type { EtcdWork } from "../../../runtime/etcd/work.ts";
import { FakeEtcd } from "../../support/fakeEtcd.ts";

const access = { stack: "local", cluster: "pg" };
let fake: FakeEtcd;
let home: string;
/** Every saved state of the record, by how many calls had been made. */
let saved: { record: EtcdRecord; calls: number }[];

beforeEach(async () => {
	home = mkdtempSync(join(tmpdir(), "holdfast-etcd-"));
	process.env.HOLDFAST_HOME = home;
	jest.spyOn(console, "log").mockImplementation(() => {});
	fake = await new FakeEtcd().open(5);
	saved = [];
});
afterEach(async () => {
	await fake.close();
	delete process.env.HOLDFAST_HOME;
	rmSync(home, { recursive: true, force: true });
	jest.restoreAllMocks();
});

function work(voters: number, changes: Partial<EtcdWork> = {}): EtcdWork {
	return {
		...{ access, host: fake.host(), desired: fake.voters.slice(0, voters), record: saved.at(-1)?.record },
		save: async (record) => void saved.push({ record: structuredClone(record), calls: fake.calls.length }),
		deadline: new Deadline("the test", 20_000),
		...changes,
	};
}

const up = async (voters: number, changes: Partial<EtcdWork> = {}) => {
	await convergeEtcd(work(voters, changes), "retire");
	return convergeEtcd(work(voters, changes), "join");
};
const names = () => fake.etcd.members.map(({ name, isLearner }) => `${name}${isLearner ? "?" : ""}`);
const membership = () => fake.calls.filter((call) => /^(cluster|maintenance|release|setAside|start)/.test(call));

test("begins with one, grows one learner at a time, shrinks, and is idle then", async () => {
	await up(3);
	expect(names()).toEqual(["pg-0", "pg-1", "pg-2"]);
	expect(membership()).toEqual([
		"release pg-0 etcd",
		...[1, 2].flatMap((slot) => [
			"maintenance/snapshot pg-0",
			"cluster/member/add pg-0",
			`release pg-${slot} etcd`,
			"maintenance/snapshot pg-0",
			"cluster/member/promote pg-0",
		]),
	]);
	const { length } = fake.calls;
	await up(3);
	expect(fake.calls).toHaveLength(length);
	await up(1);
	expect(names()).toEqual(["pg-0"]);
	expect(fake.lock).toBeUndefined();
});

test("what it relies on is saved before: the token before the seed, ids before their first start", async () => {
	await up(3);
	const seeded = saved[0]!;
	expect(seeded.calls).toBe(0);
	expect(seeded.record).toMatchObject({ seed: "pg-0", formed: false, clusterId: fake.etcd.clusterId });
	expect(seeded.record.token).toMatch(/^pg-[0-9a-f]{24}$/);
	expect(fake.files.get("pg-0/live/etcd-join.yml")).toContain(`initial-cluster-token: ${seeded.record.token}`);
	for (const slot of [1, 2]) {
		const release = fake.calls.indexOf(`release pg-${slot} etcd`);
		const started = saved.find(({ record }) => record.ids[`pg-${slot}`]?.some((joined) => joined.started))!;
		expect(started.calls).toBeLessThanOrEqual(release);
		expect(fake.files.get(`pg-${slot}/live/etcd-join.yml`)).toContain("initial-cluster-state: existing");
	}
	expect(saved.at(-1)!.record).toMatchObject({ formed: true, voters: fake.etcd.members.map(({ id }) => id) });
});

test("a run that ends at any save is finished by the next one, as the same cluster", async () => {
	for (let at = 1; at < 30; at++) {
		await fake.close();
		fake = await new FakeEtcd().open(3);
		saved = [];
		let left = at;
		const save = async (record: EtcdRecord) => {
			saved.push({ record: structuredClone(record), calls: fake.calls.length });
			if (--left === 0) throw new Error("killed");
		};
		const whole = await up(3, { save }).then(
			() => true,
			(error) => {
				if (error.message !== "killed") throw error;
				return false;
			},
		);
		const id = saved[0]!.record.clusterId;
		await up(3);
		expect({ at, id: fake.etcd.clusterId, names: names() }).toEqual({ at, id, names: ["pg-0", "pg-1", "pg-2"] });
		if (whole) {
			expect(at).toBeGreaterThan(5);
			return;
		}
	}
	throw new Error("it never ends");
});

test("an answer that got lost is not asked for again: the next look tells", async () => {
	await up(1);
	for (const path of ["add", "promote", "remove"]) fake.lost.add(`cluster/member/${path}`);
	fake.lost.add("kv/txn");
	await up(3);
	expect(names()).toEqual(["pg-0", "pg-1", "pg-2"]);
	const count = (what: string) => fake.calls.filter((call) => call.startsWith(`cluster/member/${what} `)).length;
	expect([count("add"), count("promote")]).toEqual([2, 2]);
	await up(1);
	expect([names(), count("remove")]).toEqual([["pg-0"], 2]);
	expect(fake.lost.size).toBe(0);
});

test("the database is kept as it was before the change, whole and private; a damaged one stops the change", async () => {
	await up(3);
	const path = snapshotPath(access);
	expect(path).toBe(join(home, "local", "clusters", "pg.etcd-snapshot.db"));
	expect(statSync(path).mode & 0o777).toBe(0o600);
	expect(readFileSync(path).subarray(0, -32).equals(fake.database)).toBe(true);
	const before = readFileSync(path);
	fake.damaged = true;
	await expect(up(5)).rejects.toThrow(/HF_UNREACHABLE: the snapshot of etcd is not whole/);
	expect(names()).toEqual(["pg-0", "pg-1", "pg-2"]);
	expect(readFileSync(path).equals(before)).toBe(true);
	expect(readdirSync(join(home, "local", "clusters"))).toEqual(["pg.etcd-snapshot.db"]);
});

test("another run's lock is waited for, and named; its changes are looked at anew", async () => {
	await up(1);
	fake.lock = { value: "elsewhere pid 7 (join of local/pg)", lease: "999" };
	const { length } = fake.calls;
	await expect(up(3, { deadline: new Deadline("the test", 300) })).rejects.toThrow(
		/HF_DEADLINE: .*the membership lock of the etcd cluster, which elsewhere pid 7 .* holds/,
	);
	expect(fake.calls.slice(length).filter((call) => call.startsWith("cluster"))).toEqual([]);
	setTimeout(() => {
		fake.lock = undefined;
	}, 200);
	await up(3);
	expect(names()).toEqual(["pg-0", "pg-1", "pg-2"]);
});

test("a lost folder is replaced under a new id, and data of nobody's is set aside", async () => {
	await up(3);
	const old = fake.etcd.members.find(({ name }) => name === "pg-2")!.id;
	Object.assign(fake.etcd.at("pg-2"), { running: false, data: undefined });
	Object.assign(fake.etcd.at("pg-3"), { running: true, data: { clusterId: "f00", memberId: "f01", applied: 9 } });
	await up(3, { others: ["pg-3", "pg-9"] });
	const now = fake.etcd.members.find(({ name }) => name === "pg-2")!.id;
	expect(now).not.toBe(old);
	expect(fake.calls).toContain("setAside pg-3 data/etcd");
	expect(fake.calls.indexOf("stop pg-3")).toBeLessThan(fake.calls.indexOf("setAside pg-3 data/etcd"));
	expect(saved.at(-1)!.record.ids["pg-2"]!.map(({ id }) => id)).toEqual([old, now]);
});

test("all of them down: those with data are started, and nothing else", async () => {
	await up(3);
	for (const name of ["pg-0", "pg-1", "pg-2"]) fake.etcd.at(name).running = false;
	const { length } = fake.calls;
	await up(3);
	expect(fake.calls.slice(length).sort()).toEqual(["start pg-0", "start pg-1", "start pg-2"]);
});

test("what cannot be mended is refused, and changes nothing", async () => {
	await up(3);
	for (const name of ["pg-1", "pg-2"]) Object.assign(fake.etcd.at(name), { running: false, data: undefined });
	const { length } = fake.calls;
	await expect(up(3)).rejects.toThrow(
		/HF_UNSAFE: the etcd data of pg-1, pg-2 is gone, .*: 1 of 3 voters.*Next: restore/,
	);
	fake.etcd.at("pg-0").running = false;
	await expect(up(3, { record: undefined })).rejects.toThrow(/HF_FOREIGN: pg-0 already has etcd data/);
	expect(fake.calls.slice(length)).toEqual([]);
});

test("a quorum that stays silent is named when the time is up", async () => {
	await up(3);
	for (const name of ["pg-1", "pg-2"]) fake.etcd.at(name).alive = false;
	const { length } = fake.calls;
	await expect(up(3, { deadline: new Deadline("the test", 300) })).rejects.toThrow(
		/HF_DEADLINE: .* a quorum of the etcd cluster to answer; silent: pg-1, pg-2/,
	);
	expect(fake.calls.slice(length)).toEqual([]);
});
