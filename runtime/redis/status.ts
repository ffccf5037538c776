import { type Access, readRecord } from "../access.ts";
import { HoldfastError } from "../errors.ts";
import { hostport } from "../platform/model.ts";
import type { RedisMemberInputs } from "./clusterArguments.ts";
import type { RedisRecord } from "./clusterRecord.ts";
import { lacking, type Seen } from "./lacking.ts";
import { healthOf } from "./managerRest.ts";
import type { Health, NodeReport } from "./store.ts";
import { managerUrl } from "./url.ts";
import { askManagers, withKey } from "./work.ts";

export interface RedisNodeStatus {
	member: string;
	/** `host:port` of Redis. */
	address: string;
	/** As the managers see it, the worst where they differ; `unknown` when no manager answers. */
	state: NodeReport["state"] | "unknown";
	/** Why it is not ready. */
	reason?: string;
	version?: string;
	/** `appendfsync` as it is in force, or off. */
	durability?: string;
	/** Bytes; limit 0: none. */
	memory?: { used: number; limit: number };
	/** Milliseconds by which its clock is ahead of a manager's. */
	skewMs?: number;
}

export interface RedisManagerStatus {
	member: string;
	url: string;
	/** What it says of itself; `refused` when it takes no key that is known here, `unreachable` when nobody answers. */
	state: Health["status"] | "refused" | "unreachable";
	reasons: readonly string[];
}

export interface RedisStatus {
	name: string;
	version?: string;
	/** What an acknowledged write survives, in the managers' words. */
	durability?: string;
	/** One sentence: whole, or degraded and by whom. */
	summary: string;
	healthy: boolean;
	nodes: RedisNodeStatus[];
	managers: RedisManagerStatus[];
}

/** How a Redis manager is, as far as can be told from here; never throws for one that is down. */
export async function redisStatus(access: Access): Promise<RedisStatus | undefined> {
	const record = await readRecord<RedisRecord>(access);
	if (!record) return undefined;
	const [seen, asked] = await Promise.all([
		askManagers({ record }, record.managers),
		Promise.all(record.managers.map((manager) => managerStatus(record, manager))),
	]);
	const nodes = record.nodes.map((node) => nodeStatus(node, seen));
	const lack = lacking(record.nodes, seen);
	const managers = asked.map(({ health: _, ...status }) => status);
	const durability = asked.find(({ health }) => health)?.health?.durability;
	const version = nodes.find((node) => node.version !== undefined)?.version;
	const count = `${nodes.length} node(s), ${managers.length} manager(s)`;
	return {
		name: access.cluster,
		...(version === undefined ? {} : { version }),
		...(durability === undefined ? {} : { durability }),
		summary: lack ? `degraded: waiting for ${lack.why}` : `whole: ${count}`,
		healthy: lack === undefined && managers.every(({ state }) => state === "ok"),
		...{ nodes, managers },
	};
}

async function managerStatus(
	record: RedisRecord,
	manager: RedisMemberInputs,
): Promise<RedisManagerStatus & { health?: Health }> {
	const common = { member: manager.name, url: managerUrl(manager.address) };
	try {
		const health = await withKey(record, (key) => healthOf(manager, key));
		return { ...common, state: health.status, reasons: health.reasons, health };
	} catch (error) {
		const isRefused = error instanceof HoldfastError && error.code === "HF_CREDENTIALS";
		return { ...common, state: isRefused ? "refused" : "unreachable", reasons: [] };
	}
}

function nodeStatus({ name, address }: RedisMemberInputs, seen: readonly Seen[]): RedisNodeStatus {
	const common = { member: name, address: hostport(address) };
	const reports = seen.flatMap(({ nodes = [] }) => nodes.filter(({ node }) => node === common.address));
	const report = reports.find(({ state }) => state !== "ready") ?? reports[0];
	if (!report) return { ...common, state: "unknown" };
	const { state, reason, version, durability, memory, skewMs } = report;
	return {
		...{ ...common, state },
		...(reason === undefined ? {} : { reason }),
		...(version === undefined ? {} : { version }),
		...(durability === undefined ? {} : { durability }),
		...(memory === undefined ? {} : { memory }),
		...(skewMs === undefined ? {} : { skewMs }),
	};
}
