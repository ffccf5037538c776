import { patroniArgumentsSchema } from "../../../runtime/postgres/arguments.ts";
import { patroniSettings } from "../../../runtime/postgres/settings.ts";
import { memberNameProblems, patroniTopology } from "../../../runtime/postgres/topology.ts";
import { loopback } from "../../support/loopback.ts";

const topology = (declared: object = {}, cluster = "pg") =>
	patroniTopology(cluster, patroniSettings(patroniArgumentsSchema.parse(declared)), loopback);

test("slots are identity: names, loopback addresses and ports follow from them", () => {
	const { members } = topology({ members: 3 });
	expect(members.map(({ name, slot, voter }) => [name, slot, voter])).toEqual([
		["pg-0", 0, true],
		["pg-1", 1, true],
		["pg-2", 2, true],
	]);
	expect(members[2]!.addresses).toEqual({
		postgres: { host: "127.0.1.3", port: 5434 },
		patroni: { host: "127.0.1.3", port: 8010 },
		etcdClient: { host: "127.0.1.3", port: 2383 },
		etcdPeer: { host: "127.0.1.3", port: 2384 },
	});
	expect(topology({ members: 5 }).members.slice(0, 3)).toEqual(members);
});

test("five slots carry an etcd, held until it is let in; those beyond have none", () => {
	const { members } = topology({ members: 6, ports: { patroni: 9000 }, profile: "wan" });
	expect(members[4]!.processes).toEqual([
		{
			...{ name: "etcd", program: "etcd", args: ["--config-file", "{{folder}}/conf/etcd/etcd.yml"] },
			...{ port: 2387, ports: [2388], held: { evidence: "data/etcd/member/wal" } },
		},
		{ name: "guard", program: "guard", args: ["{{folder}}/conf/guard/guard.sh", "{{folder}}", "18"] },
		{
			...{ name: "patroni", program: "patroni", args: ["{{folder}}/live/patroni"], port: 9004, ports: [5436] },
			...{ finds: { postgres: { build: "18", tls: false } }, held: {} },
		},
	]);
	expect(members[5]!.processes.map(({ name }) => name)).toEqual(["guard", "patroni"]);
	expect(members.map(({ voter }) => voter)).toEqual([true, true, true, false, false, false]);
});

test("a member asks its own etcd first where it votes", () => {
	const { etcdFor } = topology({ members: 4 });
	const hosts = (slot: number) => etcdFor(slot).map(({ host }) => host);
	expect(hosts(1)).toEqual(["127.0.1.2", "127.0.1.1", "127.0.1.3"]);
	expect(hosts(3)).toEqual(["127.0.1.1", "127.0.1.2", "127.0.1.3"]);
});

test("says what a declaration cannot survive", () => {
	expect(topology().notes).toEqual([]);
	expect(topology({ members: 1 }).notes).toEqual(["pg-0 is the only member: nobody takes over when it fails"]);
	expect(topology({ members: 1, durability: "sync" }).notes[1]).toBe("durability sync has no effect with 1 member");
	expect(topology({ members: 2 }).notes).toEqual([
		"etcd runs on pg-0 only: while that member is down, nobody takes over and the others only read",
		"durability sync: when one of 2 members is down, the other's writes wait up to 40 s, then go on without a second copy until it is back",
	]);
	expect(topology({ members: 2, durability: "strict" }).notes[1]).toContain("wait until it is back");
	expect(topology({ durability: "async", profile: "fast" }).notes).toEqual([
		"durability async: a failover can lose 1048576 bytes of acknowledged writes and what was written in the last 20 s",
	]);
	expect(topology({ voters: 1 }).notes[0]).toContain("etcd runs on pg-0 only");
});

test("members' names can be told apart by any tool", () => {
	expect(memberNameProblems(["pg-0", "pg-1", "pg-2"])).toEqual([]);
	expect(memberNameProblems(["pg-1", "pg-10"])).toEqual([
		"member name pg-1 begins pg-10: they cannot be told apart safely",
	]);
	expect(memberNameProblems(["a", "b", "a"])).toEqual(["two members are named a"]);
	expect(memberNameProblems(["x".repeat(64)])[0]).toContain("more than 63 characters");
	expect(topology({ members: 10 }).members).toHaveLength(10);
	expect(() => topology({}, "x".repeat(62))).toThrow("more than 63 characters");
});
