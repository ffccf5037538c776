import { type Access, writeRecord } from "../access.ts";
import type { Deadline } from "../deadline.ts";
import { describe, HoldfastError } from "../errors.ts";
import type { Host } from "../platform/host.ts";
import { report } from "../progress.ts";
import type { RedisMemberInputs } from "./clusterArguments.ts";
import type { RedisRecord } from "./clusterRecord.ts";
import type { Lack, Seen } from "./lacking.ts";
import { nodesOf } from "./managerRest.ts";

/** Everything a verb on one cluster needs: where it is, how to reach it, until when. */
export interface Work {
	access: Access;
	record: RedisRecord;
	host: Host;
	deadline: Deadline;
}

export const save = ({ access, record }: Pick<Work, "access" | "record">): Promise<void> => writeRecord(access, record);

export const say = ({ access }: Pick<Work, "access">, step: string): void =>
	report({ phase: `redis ${access.cluster}`, step });

/** Runs `fn` with the key that is declared; while it is being changed, with the former one too. */
export async function withKey<T>(
	{ apiKey, previousApiKey }: Pick<RedisRecord, "apiKey" | "previousApiKey">,
	fn: (key: string) => Promise<T>,
): Promise<T> {
	if (previousApiKey === undefined) return fn(apiKey);
	return fn(apiKey).catch((error) => {
		if (error instanceof HoldfastError && error.code === "HF_CREDENTIALS") return fn(previousApiKey);
		throw error;
	});
}

/** What every one of these managers says of the nodes. */
export async function askManagers(
	{ record }: Pick<Work, "record">,
	managers: readonly RedisMemberInputs[],
): Promise<Seen[]> {
	return Promise.all(
		managers.map(async (manager): Promise<Seen> => {
			try {
				return { manager: manager.name, nodes: await withKey(record, (key) => nodesOf(manager, key)) };
			} catch (error) {
				return { manager: manager.name, silent: error instanceof HoldfastError ? error.code : describe(error) };
			}
		}),
	);
}

/** A node that is held may be on its way out of it: emptied, or merged because the program says so. */
const PATIENCE_MS = 15_000;

/** Waits until `look` has nothing to wait for any more. HF_NOT_READY after 15 s where only a person can help. */
export async function until(work: Work, look: () => Promise<Lack | undefined>): Promise<void> {
	let since: number | undefined;
	for (;;) {
		const lack = await look();
		if (!lack) return;
		since = lack.next === undefined ? undefined : (since ?? Date.now());
		if (since !== undefined && Date.now() - since > PATIENCE_MS)
			throw new HoldfastError("HF_NOT_READY", `${work.access.cluster} waits for ${lack.why}`, { next: lack.next });
		say(work, `waiting for ${lack.why}`);
		await work.deadline.pause(250, lack.why);
	}
}
