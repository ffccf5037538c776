import { HoldfastError } from "../errors.ts";
import { type Address, FOLDER, type ProcessSpec } from "../platform/model.ts";
import type { RedisDeclared } from "./arguments.ts";
import { majority } from "./majority.ts";
import { MANAGER_FILE } from "./managerConf.ts";
import { REDIS_FILE } from "./redisConf.ts";

export interface RedisMember {
	slot: number;
	/** `<name>-<slot>`, a manager `<name>-manager-<slot>`. */
	name: string;
	address: Address;
	processes: ProcessSpec[];
}

export interface RedisTopology {
	/** In slot order. */
	nodes: RedisMember[];
	managers: RedisMember[];
	/** What the operator should know about the outcome; shown in preview. */
	notes: string[];
}

/** Addresses by slot. */
export interface RedisHosts {
	nodes: readonly string[];
	managers: readonly string[];
}

/** Who runs what where. `cluster` is the stem of the members' names. Throws HF_SETTING where two of them would meet. */
export function redisTopology(cluster: string, declared: RedisDeclared, hosts: RedisHosts): RedisTopology {
	const { ports, build } = declared;
	const nodes = slots(declared.nodes).map((slot): RedisMember => {
		const address = { host: hosts.nodes[slot]!, port: ports.node + slot };
		return { slot, name: `${cluster}-${slot}`, address, processes: [nodeProcess(address, build)] };
	});
	const managers = slots(declared.managers).map((slot): RedisMember => {
		const address = { host: hosts.managers[slot]!, port: ports.manager + slot };
		return { slot, name: `${cluster}-manager-${slot}`, address, processes: [managerProcess(address)] };
	});
	checkPorts(nodes, managers);
	checkRounds(declared);
	return { nodes, managers, notes: notesOf(declared) };
}

const slots = (count: number): number[] => [...Array(count).keys()];

const nodeProcess = ({ port }: Address, build: string | undefined): ProcessSpec => ({
	...{ name: "redis", program: "redis-server", args: [`${FOLDER}/${REDIS_FILE}`], port },
	...(build === undefined ? {} : { build }),
});

const managerProcess = ({ port }: Address): ProcessSpec => ({
	...{ name: "manager", program: "redis-manager", args: ["--config", `${FOLDER}/${MANAGER_FILE}`], port },
});

function checkPorts(nodes: readonly RedisMember[], managers: readonly RedisMember[]): void {
	for (const { name, address } of managers) {
		const met = nodes.find((node) => node.address.port === address.port);
		if (!met) continue;
		throw new HoldfastError(
			"HF_SETTING",
			`ports.node and ports.manager meet at port ${address.port} of ${met.name} and ${name}`,
			{ next: "move one of them" },
		);
	}
}

/** A delete has to reach every node before it is forgotten. */
function checkRounds({ roundSeconds, tombstoneGraceSeconds: grace }: RedisDeclared): void {
	if (2 * roundSeconds <= grace) return;
	throw new HoldfastError(
		"HF_SETTING",
		`roundSeconds is ${roundSeconds}, more than half of tombstoneGraceSeconds, ${grace}: deletes would be forgotten too early`,
		{ next: "lower roundSeconds, or raise tombstoneGraceSeconds" },
	);
}

function notesOf({ nodes, appendfsync }: RedisDeclared): string[] {
	const alone = nodes === 1 ? ["one node has the only copy: nothing is served while it is down"] : [];
	const even = nodes > 1 && nodes % 2 === 0;
	const unwise = even
		? [`${nodes} nodes need ${majority(nodes)} for every write: they survive no more failures than ${nodes - 1}`]
		: [];
	const lax =
		appendfsync === "no"
			? ["appendfsync no: when all machines lose power, acknowledged writes of the last half minute can be lost"]
			: [];
	return [...alone, ...unwise, ...lax];
}
