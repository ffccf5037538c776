import { HoldfastError } from "../errors.ts";
import { stackLog } from "../log.ts";
import { type JsonObject, planDynamic } from "./dynamic.ts";
import { lookAt, save, say, type Work, withRest } from "./work.ts";

/**
 * Brings Patroni's configuration in etcd to what is declared. What an earlier program set and this one does not is
 * removed; what others set is left alone. Returns whether anything changed.
 */
export async function configure(work: Work, desired: JsonObject): Promise<boolean> {
	const { record } = work;
	const changed = await bringConfig(work, desired, record.dynamic);
	record.dynamic = desired;
	await save(work);
	return changed;
}

/** A Patroni answers from its own copy of etcd, which is a moment behind, and does not overwrite what it has not seen. */
const TRIES = 20;

/** Patches until what is read back is what is desired. Returns whether anything changed. HF_REJECTED names what does not. */
export async function bringConfig(work: Work, desired: JsonObject, former?: JsonObject): Promise<boolean> {
	const { record, access, deadline } = work;
	for (let tries = 0; ; tries++) {
		const patch = planDynamic(await readConfig(work), desired, former);
		if (!patch) return tries > 0;
		const what = Object.keys(patch).join(", ");
		if (tries === TRIES)
			throw new HoldfastError("HF_REJECTED", `Patroni did not take the configuration of ${what} of ${record.scope}`);
		say(work, `change the configuration of ${what}`);
		stackLog(access.stack).info({ cluster: access.cluster, patch }, "PATCH /config");
		await onAny(work, (rest) => rest.patchConfig(patch));
		await deadline.pause(tries === 0 ? 0 : 250, `the configuration of ${what}`);
	}
}

async function readConfig(work: Work): Promise<JsonObject> {
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
