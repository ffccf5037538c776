import { z } from "zod";
import type { Connection } from "./connection.ts";
import type { Mark, NodeFacts } from "./port.ts";
import { markKey, recordPrefix } from "./script.ts";

const markSchema = z.object({
	...{ phase: z.enum(["joining", "equal", "wiping"]), at: z.number() },
	...{ runId: z.string(), members: z.array(z.string()), former: z.array(z.string()).exactOptional() },
});

/** Asks a node about itself. CONFIG may be refused: then the durability is `unknown`, or `off` where INFO says so. */
export async function askFacts(connection: Connection): Promise<NodeFacts> {
	const [info, mark, time, config, hasRecords] = await Promise.all([
		connection.send(["INFO"]) as Promise<Buffer>,
		connection.send(["GET", markKey]) as Promise<Buffer | null>,
		connection.send(["TIME"]) as Promise<[Buffer, Buffer]>,
		connection.send(["CONFIG", "GET", "appendfsync"]).catch(() => []) as Promise<Buffer[]>,
		holdsRecords(connection),
	]);
	const fields = infoFields(info.toString());
	const facts: NodeFacts = {
		runId: fields.get("run_id") ?? "",
		version: fields.get("redis_version") ?? "",
		hasRecords,
		clock: Number(time[0].toString()) * 1000 + Math.floor(Number(time[1].toString()) / 1000),
		memory: { used: Number(fields.get("used_memory") ?? 0), limit: Number(fields.get("maxmemory") ?? 0) },
		durability: fields.get("aof_enabled") === "0" ? "off" : (config[1]?.toString() ?? "unknown"),
	};
	const readable = mark && parseMark(mark.toString());
	if (readable) facts.mark = readable;
	if (mark) facts.markText = mark.toString();
	return facts;
}

/** Nothing for a mark that cannot be read: a node without one is compared with the others, which is always right. */
export function parseMark(text: string): Mark | undefined {
	try {
		return markSchema.parse(JSON.parse(text));
	} catch {
		return undefined;
	}
}

/** `name:value` lines of INFO. */
export function infoFields(info: string): ReadonlyMap<string, string> {
	const fields = new Map<string, string>();
	for (const line of info.split("\r\n")) {
		const colon = line.indexOf(":");
		if (colon > 0) fields.set(line.slice(0, colon), line.slice(colon + 1));
	}
	return fields;
}

/** A page of SCAN may be empty although records follow. */
async function holdsRecords(connection: Connection): Promise<boolean> {
	let cursor = "0";
	do {
		const scan = ["SCAN", cursor, "MATCH", `${recordPrefix}*`, "COUNT", "1000"];
		const [next, keys] = (await connection.send(scan)) as [Buffer, Buffer[]];
		if (keys.length > 0) return true;
		cursor = next.toString();
	} while (cursor !== "0");
	return false;
}
