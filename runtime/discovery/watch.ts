import { setTimeout as sleep } from "node:timers/promises";
import { ExponentialBackoff, type IBackoffFactory } from "cockatiel";
import { type Answer, answerOf, type Ports } from "./answer.ts";
import { type Belief, type Verdict, weigh } from "./classify.ts";
import { readList } from "./file.ts";
import { askFlux } from "./flux.ts";
import { type Address, type DiscoverySource, isDeclared } from "./source.ts";

/** What one look came to. */
export interface Sighting {
	verdict: Verdict;
	/** What was wrong with the answer. */
	problem?: string;
	/** The last list that was believed; `undefined` before the first. */
	addresses?: readonly Address[];
}

export interface WatchOptions {
	ports: Ports;
	/** Milliseconds between two looks, give or take a fifth. */
	everyMs: number;
	/** Called after every look. */
	seen: (sighting: Sighting) => void;
	/** Milliseconds of a steady clock. @default performance.now */
	steady?: () => number;
}

export interface Watch {
	/** No look begins, and none is reported, after this. */
	stop(): void;
}

/** First pause after a source failed; doubled up to four times the usual one. */
const RETRY_MS = 1000;

/** Looks at a source again and again. */
export function watch(source: DiscoverySource, options: WatchOptions): Watch {
	const stopping = new AbortController();
	void follow(source, options, stopping.signal);
	return { stop: () => stopping.abort() };
}

async function follow(source: DiscoverySource, options: WatchOptions, signal: AbortSignal): Promise<void> {
	const { ports, everyMs, seen, steady = () => performance.now() } = options;
	const slow = (): IBackoffFactory<unknown> =>
		new ExponentialBackoff({ initialDelay: Math.min(RETRY_MS, everyMs), maxDelay: 4 * everyMs });
	let belief: Belief = {};
	let backoff = slow().next(undefined);
	while (!signal.aborted) {
		const answer = await look(source, ports, signal);
		if (signal.aborted) return;
		const [next, verdict] = weigh(belief, answer, steady(), isDeclared(source));
		belief = next;
		seen({ verdict, addresses: belief.addresses, ...("problem" in answer ? { problem: answer.problem } : {}) });
		const failed = answer.kind === "unavailable" || answer.kind === "malformed";
		const pause = failed ? backoff.duration : everyMs * (0.8 + 0.4 * Math.random());
		backoff = failed ? backoff.next(undefined) : slow().next(undefined);
		await sleep(pause, undefined, { signal }).catch(() => undefined);
	}
}

async function look(source: DiscoverySource, ports: Ports, signal: AbortSignal): Promise<Answer> {
	switch (source.kind) {
		case "static":
			return answerOf(source.nodes, ports, (i) => `entry ${i + 1} of the list`);
		case "file":
			return readList(source.path, ports);
		case "flux":
			return askFlux({ ...source, ports, signal });
	}
}
