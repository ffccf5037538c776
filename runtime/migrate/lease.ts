import { setTimeout as sleep } from "node:timers/promises";
import type { ClientSession } from "mongodb";
import { HoldfastError } from "../errors.ts";
import {
	BEGINNING,
	type Checkpoint,
	type CheckpointId,
	checkOf,
	type Owner,
	type Reached,
	reachedBy,
} from "./checkpoint.ts";
import type { Ledger } from "./ledger.ts";
import { isGone, ownerText } from "./owner.ts";

/** Milliseconds for which a claim stands without a word from its holder. */
export const LEASE_MS = 30_000;
const RENEW_MS = 10_000;
const POLL_MS = 500;

export interface ClaimOptions {
	me: Owner;
	/** Take it from a holder that is still at work. */
	takeOver?: boolean;
	/** How long to wait while a holder's lease runs out. @default 60 s */
	waitMs?: number;
	signal: AbortSignal;
}

/** What a claim does about a checkpoint that is there already; `now` is the server's. */
export function decideClaim(
	{ owner, leaseUntil }: Pick<Checkpoint, "owner" | "leaseUntil">,
	{ me, now, gone, takeOver }: { me: Owner; now: Date; gone: boolean; takeOver: boolean },
): "force" | "expired" | "wait" {
	if (takeOver || gone || owner.token === me.token) return "force";
	return leaseUntil.getTime() < now.getTime() ? "expired" : "wait";
}

const until = (ms: number) => ({ $add: ["$$NOW", ms] });

/** What a write under a claim sets. `ms` 0 gives the lease back. */
function written(id: CheckpointId, fence: number, owner: Owner, reached: Reached, ms: number): [{ $set: object }] {
	const fields = Object.entries({ ...reached, fence, owner, check: checkOf(id, fence, owner, reached) });
	const plain = fields.map(([name, value]) => [name, { $literal: value }]);
	return [{ $set: { ...Object.fromEntries(plain), at: "$$NOW", leaseUntil: ms === 0 ? new Date(0) : until(ms) } }];
}

/**
 * Makes this process the one that may write checkpoints of a partition, by raising its fence. Waits for another's lease
 * to run out, unless its process has ended; HF_LOCKED when it does not. HF_RETRY when stopped meanwhile.
 */
export async function claim(ledger: Ledger, id: CheckpointId, options: ClaimOptions): Promise<Lease> {
	const { me, takeOver = false, waitMs = 2 * LEASE_MS, signal } = options;
	for (const end = performance.now() + waitMs; ; ) {
		const asked = performance.now();
		const found = await look(ledger, id);
		if (!found) {
			if (await first(ledger, id, me)) return new Lease(ledger, id, me, 1, BEGINNING, asked);
			continue;
		}
		const gone = await isGone(found.owner, me);
		const verdict = decideClaim(found, { me, now: found.now, gone, takeOver });
		if (verdict !== "wait") {
			const lease = await next(ledger, found, me, verdict, asked);
			if (lease) return lease;
			continue;
		}
		if (performance.now() > end) throw held(id, found.owner);
		await sleep(POLL_MS, undefined, { signal }).catch(() => {
			throw new HoldfastError("HF_RETRY", `stopped while ${ownerText(found.owner)} held ${textOf(id)}`);
		});
	}
}

async function look(ledger: Ledger, id: CheckpointId): Promise<(Checkpoint & { now: Date }) | undefined> {
	const found = ledger.checkpoints.aggregate<Checkpoint & { now: Date }>([
		{ $match: { _id: id } },
		{ $set: { now: "$$NOW" } },
	]);
	return (await found.toArray())[0];
}

/** False: another was first. */
async function first(ledger: Ledger, id: CheckpointId, me: Owner): Promise<boolean> {
	try {
		const update = written(id, 1, me, BEGINNING, LEASE_MS);
		const done = await ledger.checkpoints.updateOne({ _id: id, fence: { $exists: false } }, update, { upsert: true });
		return done.upsertedCount === 1;
	} catch (error) {
		if ((error as { code?: number }).code === 11_000) return false;
		throw error;
	}
}

/** `undefined`: the checkpoint is not what it was, look again. */
async function next(
	ledger: Ledger,
	found: Checkpoint,
	me: Owner,
	verdict: "force" | "expired",
	asked: number,
): Promise<Lease | undefined> {
	const reached = reachedBy(found);
	const { _id, fence } = found;
	const still = verdict === "expired" ? { $expr: { $lt: ["$leaseUntil", "$$NOW"] } } : {};
	const update = written(_id, fence + 1, me, reached, LEASE_MS);
	const { matchedCount } = await ledger.checkpoints.updateOne({ _id, fence, ...still }, update);
	return matchedCount === 1 ? new Lease(ledger, _id, me, fence + 1, reached, asked) : undefined;
}

const textOf = ({ migration, job, partition }: CheckpointId) =>
	`partition ${partition} of ${job} of migration ${migration}`;

const held = (id: CheckpointId, owner: Owner) =>
	new HoldfastError("HF_LOCKED", `${ownerText(owner)} is at work on ${textOf(id)}`, {
		next: "wait for it, stop it, or take over with --take-over: it can then write no checkpoint any more",
	});

/** A claim on a partition. Every write is conditional on its fence, so that one that was taken over writes nothing. */
export class Lease {
	readonly #ledger: Ledger;
	readonly #id: CheckpointId;
	readonly #me: Owner;
	readonly #fence: number;
	readonly #lost = new AbortController();
	readonly #timer: NodeJS.Timeout;
	#reached: Reached;
	/** By the monotonic clock of this process. */
	#stands: number;

	constructor(ledger: Ledger, id: CheckpointId, me: Owner, fence: number, reached: Reached, asked: number) {
		this.#ledger = ledger;
		this.#id = id;
		this.#me = me;
		this.#fence = fence;
		this.#reached = reached;
		this.#stands = asked + LEASE_MS;
		// What a renewal fails with, other than being fenced off, the next write meets again.
		this.#timer = setInterval(() => this.#renew().catch(() => {}), RENEW_MS).unref();
	}

	/** Where the partition stood when it was claimed, or was last saved. */
	get reached(): Reached {
		return this.#reached;
	}
	/** Aborted with HF_LOCKED when another has taken over. */
	get lost(): AbortSignal {
		return this.#lost.signal;
	}

	/** Makes sure that the lease stands; HF_LOCKED when it was taken over. A process may have slept since it last looked. */
	async stand(): Promise<void> {
		if (performance.now() > this.#stands - RENEW_MS / 2) await this.#renew();
		this.lost.throwIfAborted();
	}

	/** Within the transaction of `session`, if there is one. */
	async save(reached: Reached, session?: ClientSession): Promise<void> {
		await this.#write(written(this.#id, this.#fence, this.#me, reached, LEASE_MS), session);
		this.#reached = reached;
	}

	/** Saves, and lets others claim the partition at once. */
	async giveBack(reached: Reached): Promise<void> {
		this.end();
		await this.#write(written(this.#id, this.#fence, this.#me, reached, 0));
		this.#reached = reached;
	}

	/** Stops to renew it. */
	end(): void {
		clearInterval(this.#timer);
	}

	#renew(): Promise<void> {
		return this.#write([{ $set: { leaseUntil: until(LEASE_MS), at: "$$NOW" } }]);
	}

	async #write(update: [{ $set: object }], session?: ClientSession): Promise<void> {
		const asked = performance.now();
		const mine = { _id: this.#id, fence: this.#fence };
		const { matchedCount } = await this.#ledger.checkpoints.updateOne(mine, update, { ...(session && { session }) });
		if (matchedCount === 0) {
			this.end();
			this.#lost.abort(
				new HoldfastError("HF_LOCKED", `another run has taken over ${textOf(this.#id)}`, {
					next: "nothing is to be done: the other run goes on with it",
				}),
			);
		}
		this.lost.throwIfAborted();
		this.#stands = asked + LEASE_MS;
	}
}
