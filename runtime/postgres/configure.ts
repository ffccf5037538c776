import { HoldfastError } from "../errors.ts";
import { stackLog } from "../log.ts";
import { type JsonObject, planDynamic } from "./dynamic.ts";
import { lookAt, save, say, type Work, withRest } from "./work.ts";

/**
 * Brings Patroni's configuration in etcd to what is declared, and reads it back. What an earlier program set and this one
 * does not is removed; what others set is left alone. Returns whether anything changed.
 */
export async function configure(work: Work, desired: JsonObject): Promise<boolean> {
	const { record, access } = work;
	const found = await readConfig(work);
	const patch = planDynamic(found, desired, record.dynamic);
	if (patch) {
		say(work, `change the configuration of ${Object.keys(patch).join(", ")}`);
		stackLog(access.stack).info({ cluster: access.cluster, patch }, "PATCH /config");
		const after = await onAny(work, (rest) => rest.patchConfig(patch));
		const rest = planDynamic(after, desired, record.dynamic);
		if (rest)
			throw new HoldfastError(
				"HF_REJECTED",
				`Patroni did not take the configuration of ${Object.keys(rest).join(", ")} of ${record.scope}`,
			);
	}
	record.dynamic = desired;
	await save(work);
	return patch !== undefined;
}

export async function readConfig(work: Work): Promise<JsonObject> {
	for (;;) {
		const found = await onAny(work, (rest) => rest.config());
		if (found) return found;
		await work.deadline.pause(250, `the configuration of ${work.record.scope} in etcd`);
	}
}

type Ask<T> = Parameters<typeof withRest<T>>[2];

/** Asks the members that answer, one after another, until one does. */
async function onAny<T>(work: Work, fn: Ask<T>): Promise<T> {
	for (;;) {
		const { statuses } = await lookAt(work);
		let last: unknown;
		for (const name of statuses.keys()) {
			try {
				return await withRest(work, name, fn);
			} catch (error) {
				last = error;
			}
		}
		if (last instanceof HoldfastError && last.code !== "HF_UNREACHABLE") throw last;
		await work.deadline.pause(250, `an answer from the Patronis of ${work.record.scope}`);
	}
}
