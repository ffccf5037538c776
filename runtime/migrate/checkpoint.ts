import { HoldfastError } from "../errors.ts";
import { jsonDigest } from "./digest.ts";
import type { Counts } from "./work.ts";

/** Names a partition of a job: `load`, `verify-<n>`, `extras-<n>`, `split`, `retry`. */
export interface CheckpointId {
	migration: string;
	job: string;
	partition: number;
}

/** How far a partition is. */
export interface Reached {
	/** Where the next page begins; absent at the beginning. */
	position?: string;
	carry?: string;
	counts: Counts;
	done: boolean;
}

/** How far a partition is, and who may say so. */
export interface Checkpoint extends Reached {
	_id: CheckpointId;
	/** Raised by every claim: a checkpoint is written only under the fence of its claim. */
	fence: number;
	owner: Owner;
	/** By the server's clock; long past when it was given back. */
	leaseUntil: Date;
	/** When it was last written, by the server's clock. */
	at: Date;
	/** SHA-256 over all but the server's times. */
	check: string;
}

/** A process that holds a partition, so that another of the same machine can tell whether it still runs. */
export interface Owner {
	host: string;
	pid: number;
	/** Clock ticks since boot at which the process began. */
	born: string;
	boot: string;
	/** Process ids mean the same only in one pid namespace. */
	space: string;
	/** Unique for every run. */
	token: string;
}

export const BEGINNING: Reached = { counts: {}, done: false };

/** The digest that goes with a checkpoint. */
export const checkOf = (
	id: CheckpointId,
	fence: number,
	owner: Owner,
	{ position, carry, counts, done }: Reached,
): string => jsonDigest({ id, fence, owner, position, carry, counts, done });

/** What a checkpoint says. HF_DAMAGED when it is not what was written: to go on from it could leave a hole. */
export function reachedBy(checkpoint: Checkpoint): Reached {
	const { _id, fence, owner, check, position, carry, counts, done } = checkpoint;
	const reached = {
		...(typeof position === "string" && { position }),
		...(typeof carry === "string" && { carry }),
		counts,
		done,
	};
	if (check === checkOf(_id, fence, owner, reached)) return reached;
	throw new HoldfastError(
		"HF_DAMAGED",
		`the checkpoint of partition ${_id?.partition} of ${_id?.job} of migration ${_id?.migration} was altered or cut off`,
		{ next: "delete that checkpoint: the partition is done again from its beginning, and nothing is written twice" },
	);
}

/** Sums by name. */
export function addCounts<C extends string>(a: Counts<C>, b: Counts<C>): Counts<C> {
	const sum = { ...a };
	for (const name of Object.keys(b) as C[]) sum[name] = (sum[name] ?? 0) + (b[name] ?? 0);
	return sum;
}
