import { randomBytes } from "node:crypto";
import type { RedisNode } from "./port.ts";

const LEASE_MS = 10_000;

/**
 * Runs `work` under a lease on the first of `nodes` that answers, or not at all while another manager has it. It only
 * saves work: a lease that ends too early means two rounds at once, which is harmless.
 */
export async function underLease<T>(nodes: readonly RedisNode[], work: () => Promise<T>): Promise<T | undefined> {
	const token = randomBytes(16).toString("hex");
	const holder = await firstThatAnswers(nodes, token);
	if (!holder) return undefined;
	const renewal = setInterval(() => void holder.lease(token, LEASE_MS).catch(() => undefined), LEASE_MS / 3);
	try {
		return await work();
	} finally {
		clearInterval(renewal);
		await holder.release(token).catch(() => undefined);
	}
}

async function firstThatAnswers(nodes: readonly RedisNode[], token: string): Promise<RedisNode | undefined> {
	for (const node of nodes) {
		try {
			return (await node.lease(token, LEASE_MS)) ? node : undefined;
		} catch {
			// The next one is asked.
		}
	}
	return undefined;
}
