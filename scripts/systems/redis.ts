import type { RedisNodeStatus, RedisStatus } from "../../runtime/redis/status.ts";
import type { RedisOutputs } from "../outputs.ts";
import { table } from "../table.ts";
import { size } from "./size.ts";

/** A Redis manager's nodes and processes, as lines. */
export function redisLines(status: RedisStatus): string[] {
	const { name, version, durability, summary, nodes, managers } = status;
	const versions = version ? ` (Redis ${version})` : "";
	const rows = managers.map(({ member, url, state, reasons }) => [member, url, state, reasons.join("; ") || "-"]);
	return [
		`Redis manager ${name}${versions}: ${summary}`,
		...(durability ? [`  ${durability}`] : []),
		table([["NODE", "ADDRESS", "STATE", "MEMORY", "FSYNC", "SKEW", "REASON"], ...nodes.map(nodeRow)]),
		table([["MANAGER", "URL", "STATE", "REASON"], ...rows]),
	];
}

const nodeRow = ({ member, address, state, memory, durability, skewMs, reason }: RedisNodeStatus): string[] => [
	...[member, address, state],
	memory === undefined ? "-" : `${size(memory.used)}${memory.limit === 0 ? "" : ` of ${size(memory.limit)}`}`,
	durability ?? "-",
	skewMs === undefined ? "-" : `${skewMs} ms`,
	reason ?? "-",
];

const HIDDEN = "****";

/** Ways to reach the first manager; the key is hidden unless it is asked for. */
export function redisForms({ baseUrl, urls, apiKey }: RedisOutputs, reveal: boolean) {
	const key = reveal ? apiKey : HIDDEN;
	return {
		// The shell's own printf: the key stands in no process's arguments.
		curl: `printf 'x-api-key: %s\\n' ${quoted(key)} | curl -s -H @- ${baseUrl}/health`,
		url: baseUrl,
		urls: urls.join("\n"),
		key,
		env: `export REDIS_MANAGER_URL=${quoted(baseUrl)}\nexport REDIS_MANAGER_KEY=${quoted(key)}`,
	};
}

/** For a POSIX shell. */
const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;

/** How to reach the managers, without the key. */
export const redisConnections = (outputs: RedisOutputs): string[] => [`  ${redisForms(outputs, false).curl}`];
