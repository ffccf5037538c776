import { setTimeout as sleep } from "node:timers/promises";
import { HoldfastError } from "../errors.ts";
import { type HeaderRange, isCarried } from "./headerRange.ts";
import { offer } from "./heal.ts";
import { majority } from "./majority.ts";
import { joiningMark, wipingMark } from "./mark.ts";
import type { Party } from "./party.ts";
import type { RedisNode } from "./port.ts";

/**
 * Gives the others what only the held node has, by compare-and-set. Throws HF_UNREACHABLE unless a majority of the
 * registered nodes has got all of it: only then may it be wiped.
 */
export async function mergeFrom(
	held: Party,
	others: readonly Party[],
	options: { registered: number; pageSize: number; range: HeaderRange },
): Promise<number> {
	let carried = 0;
	for await (const page of held.pages(options.pageSize)) {
		const entries = page.filter(({ header }) => isCarried(options.range, header));
		carried += await offer(
			held,
			others.map((to) => ({ to, entries })),
		);
	}
	const whole = others.filter(({ failure }) => failure === undefined).length;
	if (held.failure !== undefined || whole < majority(options.registered)) {
		const why = [held, ...others].flatMap(({ failure }) => failure ?? []).join("; ");
		throw new HoldfastError(
			"HF_UNREACHABLE",
			`what only ${held.name} has did not reach a majority of the nodes (${why})`,
			{
				next: "bring a majority of the other nodes back; the merge then can be asked for again",
			},
		);
	}
	return carried;
}

export interface WipeOptions {
	/** Milliseconds after which every manager has seen that the node is being wiped, and writes nothing to it. */
	noticeMs: number;
	pageSize: number;
	now: () => number;
	signal: AbortSignal;
}

/**
 * Removes the records of a held node, and lets it join as an empty one. The mark comes first: whoever finds the node
 * half-wiped goes on, and its remains never reach the others. Throws HF_UNREACHABLE when the node stops answering.
 */
export async function wipe(held: Party, { noticeMs, pageSize, now, signal }: WipeOptions): Promise<void> {
	for (let isEmpty = false; !isEmpty; ) {
		await mustAsk(held, async (node) => node.writeMark(wipingMark(now(), await node.facts())));
		await sleep(noticeMs, undefined, { signal });
		isEmpty = await erase(held, pageSize);
	}
	await mustAsk(held, async (node) => node.writeMark(joiningMark(now(), await node.facts(), [])));
}

/** Whether all is gone, and nobody has taken the node for a member meanwhile. */
async function erase(held: Party, pageSize: number): Promise<boolean> {
	let cursor = "0";
	do {
		const from = cursor;
		const facts = await mustAsk(held, (node) => node.facts());
		if (facts.mark?.phase !== "wiping") return false;
		cursor = await mustAsk(held, (node) => node.erase(from, pageSize));
	} while (cursor !== "0");
	return !(await mustAsk(held, (node) => node.facts())).hasRecords;
}

async function mustAsk<T>(held: Party, call: (node: RedisNode) => Promise<T>): Promise<T> {
	// `undefined` is also what a call without an answer resolves to.
	const answer = await held.ask(call);
	if (held.failure === undefined) return answer as T;
	throw new HoldfastError("HF_UNREACHABLE", `${held.name} stopped answering while it was wiped (${held.failure})`, {
		next: "it goes on by itself when the node is back",
	});
}
