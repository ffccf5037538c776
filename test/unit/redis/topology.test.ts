import { redisArgumentsSchema } from "../../../runtime/redis/arguments.ts";
import { redisTopology } from "../../../runtime/redis/topology.ts";
import { managerUrl } from "../../../runtime/redis/url.ts";

const hosts = { nodes: Array(9).fill("127.0.0.1"), managers: Array(9).fill("0.0.0.0") };
const topology = (declared: object = {}, cluster = "r") =>
	redisTopology(cluster, redisArgumentsSchema.parse(declared), hosts);

test("slots are identity: names, ports and processes follow from them, whatever their number", () => {
	const { nodes, managers } = topology({ managers: 2 });
	expect(nodes.map(({ name, slot, address }) => [name, slot, address.port])).toEqual([
		["r-0", 0, 6379],
		["r-1", 1, 6380],
		["r-2", 2, 6381],
	]);
	expect(managers[1]).toEqual({
		...{ slot: 1, name: "r-manager-1", address: { host: "0.0.0.0", port: 3001 } },
		processes: [
			{
				...{ name: "manager", program: "redis-manager", port: 3001 },
				args: ["--config", "{{folder}}/conf/manager/manager.json"],
			},
		],
	});
	expect(topology({ nodes: 9, build: "6.2" }).nodes[2]!.processes).toEqual([
		{
			...{ name: "redis", program: "redis-server", port: 6381, build: "6.2" },
			args: ["{{folder}}/conf/redis/redis.conf"],
		},
	]);
	expect(topology({ nodes: 5 }).nodes.slice(0, 3)).toEqual(nodes);
});

test("says what a declaration cannot survive", () => {
	expect(topology().notes).toEqual([]);
	expect(topology({ nodes: 1 }).notes).toEqual(["one node has the only copy: nothing is served while it is down"]);
	expect(topology({ nodes: 4 }).notes).toEqual([
		"4 nodes need 3 for every write: they survive no more failures than 3",
	]);
	expect(topology({ appendfsync: "no" }).notes).toEqual([expect.stringContaining("the last half minute can be lost")]);
});

test("a delete reaches every node before it is forgotten", () => {
	expect(() => topology({ roundSeconds: 1801, tombstoneGraceSeconds: 3600 })).toThrow(
		/^HF_SETTING: roundSeconds is 1801, more than half of tombstoneGraceSeconds, 3600/,
	);
	expect(topology({ roundSeconds: 1800, tombstoneGraceSeconds: 3600 }).nodes).toHaveLength(3);
});

test("ports of nodes and managers never meet", () => {
	expect(() => topology({ ports: { node: 3000, manager: 2998 }, managers: 3 })).toThrow(
		/^HF_SETTING: ports\.node and ports\.manager meet at port 3000 of r-0 and r-manager-2/,
	);
	expect(topology({ ports: { node: 3001, manager: 3000 } }).nodes).toHaveLength(3);
});

test.each([
	[{ nodes: 0 }, "nodes is at least 1"],
	[{ nodes: 10 }, "nodes is at most 9: every node has a copy of everything"],
	[{ managers: 0 }, "managers is at least 1"],
	[{ appendfsync: "sometimes" }, "appendfsync is always, everysec or no: how much"],
	[{ memoryMB: 15 }, "memoryMB is at least 16"],
	[{ tombstoneGraceSeconds: 60 }, "tombstoneGraceSeconds is at least 3600"],
	[{ rateLimit: 5 }, "rateLimit is 0 or at least 20"],
	[{ onStale: "wipe" }, "onStale is hold or merge"],
	[{ name: "x".repeat(53) }, "a name has at most 52 characters"],
	[{ nosuch: 1 }, "nosuch"],
])("%j is refused by name", (declared, message) => {
	const result = redisArgumentsSchema.safeParse(declared);
	expect(result.error?.issues.map((issue) => issue.message).join()).toContain(message);
});

test.each([
	["127.0.0.1", "http://127.0.0.1:3000"],
	["0.0.0.0", "http://127.0.0.1:3000"],
	["::", "http://[::1]:3000"],
	["fd00::1", "http://[fd00::1]:3000"],
])("a manager at %s is reached at %s", (host, url) => {
	expect(managerUrl({ host, port: 3000 })).toBe(url);
});
