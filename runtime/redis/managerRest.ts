import { Agent, request } from "undici";
import { z } from "zod";
import { HoldfastError } from "../errors.ts";
import type { RedisMemberInputs } from "./clusterArguments.ts";
import type { Health, NodeReport } from "./store.ts";
import { managerUrl } from "./url.ts";

const LOOK_MS = 5000;

const nodesSchema = z.looseObject({
	nodes: z.array(z.looseObject({ node: z.string(), state: z.string(), reason: z.string().optional() })),
});
const healthSchema = z.looseObject({ status: z.enum(["ok", "degraded", "down"]), reasons: z.array(z.string()) });

/**
 * What one manager says of the nodes. HF_UNREACHABLE when it does not answer within 5 s, HF_CREDENTIALS when it refuses
 * the key, HF_REJECTED when it answers otherwise than ours does.
 */
export async function nodesOf(manager: RedisMemberInputs, apiKey: string): Promise<NodeReport[]> {
	return (await look(manager, apiKey, "/nodes", nodesSchema)).nodes as unknown as NodeReport[];
}

/** What one manager says of itself; errors as `nodesOf`. */
export async function healthOf(manager: RedisMemberInputs, apiKey: string): Promise<Health> {
	return (await look(manager, apiKey, "/health", healthSchema)) as unknown as Health;
}

async function look<T>(
	{ name, address }: RedisMemberInputs,
	apiKey: string,
	path: string,
	schema: z.ZodType<T>,
): Promise<T> {
	const { status, text } = await get(name, `${managerUrl(address)}${path}`, apiKey);
	// Without a majority its health is 503, and no less an answer.
	if (status === 401 || status === 403) throw new HoldfastError("HF_CREDENTIALS", `${name} refuses the API key`);
	try {
		return schema.parse(JSON.parse(text));
	} catch (cause) {
		throw new HoldfastError("HF_REJECTED", `${name} does not answer ${path} as a manager does (status ${status})`, {
			cause,
		});
	}
}

async function get(name: string, url: string, apiKey: string): Promise<{ status: number; text: string }> {
	const agent = new Agent({ connect: { timeout: 3000 }, pipelining: 0 });
	try {
		const limits = { signal: AbortSignal.timeout(LOOK_MS), headersTimeout: LOOK_MS, bodyTimeout: LOOK_MS };
		const answer = await request(url, { dispatcher: agent, headers: { "x-api-key": apiKey }, ...limits });
		return { status: answer.statusCode, text: await answer.body.text() };
	} catch (cause) {
		throw new HoldfastError("HF_UNREACHABLE", `${name} does not answer at ${url}`, { cause });
	} finally {
		await agent.destroy();
	}
}
