import { type Access, readRecord } from "../access.ts";
import type { RedisClusterInputs } from "./clusterArguments.ts";
import type { RedisRecord } from "./clusterRecord.ts";

/** What `up` would do to nodes and managers that run, in its order. Only looks. Empty for what does not exist yet. */
export async function redisHints(
	access: Access,
	{ nodes, managers }: Pick<RedisClusterInputs, "nodes" | "managers">,
): Promise<string[]> {
	const record = await readRecord<RedisRecord>(access);
	if (!record) return [];
	const missing = (known: readonly { name: string }[], wanted: readonly { name: string }[]) =>
		known.filter(({ name }) => !wanted.some((one) => one.name === name)).map(({ name }) => name);
	return [
		...missing(record.nodes, nodes).map((name) => `stop ${name} and delete its data, once the others have everything`),
		...missing(nodes, record.nodes).map((name) => `fill ${name} from the others before it is read`),
		...missing(record.managers, managers).map((name) => `stop ${name}`),
		...missing(managers, record.managers).map((name) => `start ${name}`),
	];
}
