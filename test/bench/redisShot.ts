import { runNode } from "../support/node.ts";

/** What autocannon is to do. `{key}` in path and body stands for one of `keys` keys that begin with `prefix`. */
export interface Shot {
	url: string;
	method: "GET" | "POST" | "PUT";
	path: string;
	headers: Record<string, string>;
	body?: string;
	prefix: string;
	keys: number;
	connections: number;
	seconds: number;
}

/** Answered with 2xx in a second; latencies in milliseconds; anything else is failed. */
export interface Hit {
	perSecond: number;
	p50: number;
	p99: number;
	failed: number;
}

/** One measurement. Throws where a request failed: what does not work is not fast. */
export async function fire(shot: Shot): Promise<Hit> {
	const hit = JSON.parse(await runNode("test/bench/redisCannon.ts", [JSON.stringify(shot)])) as Hit;
	if (hit.failed > 0) throw new Error(`${hit.failed} requests failed at ${shot.method} ${shot.url}${shot.path}`);
	return hit;
}
