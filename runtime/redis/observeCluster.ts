import { readRecord } from "../access.ts";
import { HoldfastError } from "../errors.ts";
import type { Observation } from "../kind.ts";
import type { RedisClusterInputs, RedisClusterOutputs, RedisMemberInputs } from "./clusterArguments.ts";
import type { RedisRecord } from "./clusterRecord.ts";
import { serving } from "./lacking.ts";
import { appendfsyncOf } from "./nodeAdmin.ts";
import { askManagers } from "./work.ts";

type State = RedisClusterInputs & RedisClusterOutputs;
type Seeing = Observation<RedisClusterInputs, RedisClusterOutputs>;

/**
 * What is really there. Nodes that are not ready and managers that do not answer show as missing, a refused key or
 * password as an empty one, an `appendfsync` that was changed by hand as it is: all are drift that the next `up` repairs.
 */
export async function observeCluster(state: State): Promise<Seeing | undefined> {
	const record = await readRecord<RedisRecord>(state.access);
	if (!record) return undefined;
	const seen = await askManagers({ record }, state.managers);
	const facts = await Promise.all(state.nodes.map((node) => lookAt(node, record.adminPassword)));
	const answering = seen.filter(({ nodes }) => nodes);
	const managers = state.managers.filter(({ name }) => answering.some(({ manager }) => manager === name));
	const ready = serving(state.nodes, seen);
	const nodes = state.nodes.filter((node, slot) => facts[slot] !== undefined && ready.includes(node));
	const other = facts.find((found) => found?.appendfsync !== undefined && found.appendfsync !== state.appendfsync);
	const { serverVersion } = state;
	return {
		inputs: {
			...{ nodes, managers },
			...(other ? { appendfsync: other.appendfsync as State["appendfsync"] } : {}),
			...(seen.some(({ silent }) => silent === "HF_CREDENTIALS") ? { apiKey: "" } : {}),
			...(facts.some((found) => found?.refused) ? { adminPassword: "" } : {}),
		},
		outputs: { serverVersion },
	};
}

async function lookAt(
	node: RedisMemberInputs,
	adminPassword: string,
): Promise<{ appendfsync?: string; refused?: boolean } | undefined> {
	try {
		return { appendfsync: await appendfsyncOf(node, adminPassword) };
	} catch (error) {
		if (error instanceof HoldfastError && error.code === "HF_CREDENTIALS") return { refused: true };
		return undefined;
	}
}
