import { setTimeout as sleep } from "node:timers/promises";
import { type Access, writeRecord } from "../access.ts";
import type { Deadline } from "../deadline.ts";
import { describe, HoldfastError } from "../errors.ts";
import { failpoint } from "../failpoint.ts";
import { stackLog } from "../log.ts";
import { report } from "../progress.ts";
import { adminCredential, isRefused, isUnreachable } from "./connect.ts";
import { rememberIds } from "./ids.ts";
import { type Look, lookAtSet, toDocument } from "./observe.ts";
import type { Reach } from "./reach.ts";
import type { MongoRecord } from "./record.ts";
import type { MembershipStep } from "./state.ts";

/** Everything a verb on one set needs: where it is, how to reach it, until when. */
export interface Work {
	access: Access;
	record: MongoRecord;
	reach: Reach;
	deadline: Deadline;
}

/** Longest time the server may hold a reconfig; it waits for the previous config to be committed. */
const RECONFIG_MS = 20_000;
/** Seconds a step-down waits for a caught-up secondary, and keeps the old primary from being elected again. */
const STEP_DOWN = { replSetStepDown: 60, secondaryCatchUpPeriodSecs: 30 };

/** What a reconfig may answer when the world moved meanwhile: look again, plan again. */
const MOVED = new Set([
	103, // NewReplicaSetConfigurationIncompatible: someone else's version came first
	109, // ConfigurationInProgress
	308, // CurrentConfigNotCommittedYet
	74, // NodeNotFound
	189, // PrimarySteppedDown
	10107, // NotWritablePrimary
	17405, // right after an election
	50, // MaxTimeMSExpired: outcome unknown
	91, // ShutdownInProgress
	11600, // InterruptedAtShutdown
	11602, // InterruptedDueToReplStateChange
]);

/**
 * Runs plan -> one step -> look again, until the plan says done. A step whose outcome is unknown is not repeated
 * blindly: the next look shows what it did.
 */
export async function converge(work: Work, plan: (look: Look) => MembershipStep): Promise<Look> {
	for (;;) {
		const look = await lookAt(work);
		work.record.ids = rememberIds(work.record.ids ?? {}, look.set.config);
		const step = plan(look);
		if (step.kind === "done") return look;
		if (step.kind === "refuse") throw new HoldfastError(step.code, step.why, { next: step.next });
		report({ phase: `mongo ${work.record.name}`, step: step.why });
		if (step.kind === "wait") await work.deadline.pause(100, step.why);
		else if (step.kind === "stepDown") await stepDown(work, look, step.why);
		else await reconfigure(work, look, step);
	}
}

/** Looks until there is a primary, or the deadline names who is missing. */
export async function lookAt({ record, reach, deadline }: Work): Promise<Look> {
	for (;;) {
		const look = await lookAsAdmin(reach, record);
		if (look) return look;
		const silent = (await reach.hellos(record.hosts)).filter(({ hello }) => !hello).map(({ host }) => host);
		const missing = silent.length > 0 ? `; no answer from ${silent.join(", ")}` : "";
		await deadline.pause(200, `replica set ${record.name} to have a primary${missing}`);
	}
}

async function lookAsAdmin(reach: Reach, record: MongoRecord): Promise<Look | undefined> {
	try {
		return await lookAtSet(reach, record.hosts, adminCredential(record.admin), record.keys);
	} catch (error) {
		if (!isRefused(error) || !record.previousAdmin) throw error;
		return lookAtSet(reach, record.hosts, adminCredential(record.previousAdmin), record.keys);
	}
}

async function reconfigure(
	{ access, record }: Work,
	look: Look,
	step: MembershipStep & { kind: "reconfig" },
): Promise<void> {
	const log = stackLog(access.stack).child({
		cluster: access.cluster,
		replicaSetId: look.set.config.settings.replicaSetId,
	});
	const members = (config: Look["set"]["config"]) =>
		config.members.map((m) => `${m._id} ${m.host} votes ${m.votes} priority ${m.priority}${m.hidden ? " hidden" : ""}`);
	log.info(
		{ why: step.why, version: step.config.version, before: members(look.set.config), after: members(step.config) },
		"reconfig",
	);
	await writeRecord(access, record);
	try {
		const command = { replSetReconfig: toDocument(step.config, look.document), maxTimeMS: RECONFIG_MS };
		await look.client.db("admin").command(command);
		await failpoint("mongo/reconfigured");
	} catch (error) {
		log.warn({ error: describe(error) }, "reconfig failed");
		const code = Number((error as { code?: unknown }).code);
		if (!isUnreachable(error) && !MOVED.has(code)) {
			throw new HoldfastError(
				"HF_REJECTED",
				`the primary ${look.set.primary} refuses to ${step.why} (${describe(error)})`,
				{ cause: error },
			);
		}
		await sleep(250);
	}
}

/** Lets a caught-up secondary take over; never forced. */
export async function stepDown({ access, record }: Work, look: Look, why: string): Promise<void> {
	stackLog(access.stack).info({ cluster: access.cluster, primary: look.set.primary, why }, "step down");
	report({ phase: `mongo ${record.name}`, step: why });
	try {
		await look.client.db("admin").command(STEP_DOWN);
	} catch (error) {
		const code = Number((error as { code?: unknown }).code);
		// 262 ExceededTimeLimit: no secondary caught up in time. The connection may also break: that is how it works.
		if (!isUnreachable(error) && !MOVED.has(code) && code !== 262) {
			throw new HoldfastError(
				"HF_REJECTED",
				`the primary ${look.set.primary} does not step down (${describe(error)})`,
				{ cause: error },
			);
		}
	}
	await sleep(250);
}
