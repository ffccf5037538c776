import { setTimeout as sleep } from "node:timers/promises";
import { describe } from "../errors.ts";
import type { Settled } from "./managerSettings.ts";
import { joiningMark } from "./mark.ts";
import type { Membership } from "./membership.ts";
import type { NodeWatch } from "./nodeWatch.ts";

export interface LookoutOptions {
	membership: Membership;
	settings: Pick<Settled, "probeMs" | "log">;
	/** Called after every look. */
	conclude: () => void;
	signal: AbortSignal;
}

/** Looks at every registered node again and again, and lets new ones join. */
export class Lookout {
	readonly #options: LookoutOptions;
	readonly #followed = new WeakSet<NodeWatch>();
	readonly #marking = new WeakSet<NodeWatch>();

	constructor(options: LookoutOptions) {
		this.#options = options;
	}

	/** Takes care of nodes that are new since the last time. */
	tick(): void {
		const { membership } = this.#options;
		for (const watch of membership.watches) {
			if (!this.#followed.has(watch)) void this.#follow(watch);
			if (membership.admissions.get(watch.name)?.standing === "unmarked") void this.#mark(watch);
		}
	}

	async lookAtAll(): Promise<void> {
		await Promise.all(this.#options.membership.watches.map((watch) => watch.look()));
		this.#options.conclude();
	}

	async #follow(watch: NodeWatch): Promise<void> {
		const { membership, settings, conclude, signal } = this.#options;
		this.#followed.add(watch);
		while (!signal.aborted && membership.watches.includes(watch)) {
			await watch.look();
			conclude();
			// One that does not answer is asked again sooner: asking waits for the connection itself.
			const pause = settings.probeMs * (0.9 + 0.2 * Math.random());
			await sleep(watch.isHere ? pause : pause / 4, undefined, { signal }).catch(() => undefined);
		}
	}

	/** Before anything is written to a node, so that every manager can tell what it holds from what is foreign. */
	async #mark(watch: NodeWatch): Promise<void> {
		const { membership, settings, conclude, signal } = this.#options;
		if (this.#marking.has(watch) || !watch.isHere || signal.aborted) return;
		this.#marking.add(watch);
		try {
			const mark = joiningMark(membership.now(), watch.facts!, membership.members());
			await watch.node.replaceMark(mark, watch.facts!.markText);
			await watch.look();
		} catch (error) {
			settings.log.warn({ node: watch.name, reason: describe(error) }, "node cannot join");
			await sleep(settings.probeMs, undefined, { signal }).catch(() => undefined);
		}
		this.#marking.delete(watch);
		conclude();
	}
}
