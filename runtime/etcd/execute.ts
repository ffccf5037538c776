import { join } from "node:path";
import type { Access } from "../access.ts";
import { HoldfastError } from "../errors.ts";
import { privateFolder, stackFolder } from "../home.ts";
import { stackLog } from "../log.ts";
import { report } from "../progress.ts";
import { EtcdGateway } from "./gateway.ts";
import { MembershipLock } from "./membershipLock.ts";
import { type Look, lookAtEtcd } from "./observe.ts";
import { type EtcdPlanOptions, planEtcd } from "./plan.ts";
import { remember } from "./record.ts";
import { saveSnapshot } from "./snapshot.ts";
import type { EtcdStep } from "./state.ts";
import { type Action, perform } from "./steps.ts";
import { EtcdError } from "./transport.ts";
import { type EtcdWork, keep } from "./work.ts";

/** Steps that only one run at a time may take. Starting what has data needs no quorum, and so no lock. */
const LOCKED = new Set<EtcdStep["kind"]>([
	"join",
	"add",
	"promote",
	"remove",
	"setAside",
	"update",
	"moveLeader",
	"restart",
]);
/** Steps that change the member list. */
const SAVED = new Set<EtcdStep["kind"]>(["add", "promote", "remove", "update"]);

/** What etcd answers when the world moved between the look and the step: look again, plan again. */
const MOVED = [
	"in sync with leader",
	"unhealthy cluster",
	"not enough started members",
	"too many learner members",
	"member not found",
	"Peer URLs already exists",
	"can only promote a learner",
	"not leader",
	"bad leader transferee",
];

/** Where the database is kept as it was before the last change of the member list. */
export const snapshotPath = ({ stack, cluster }: Access): string =>
	join(stackFolder(stack), "clusters", `${cluster}.etcd-snapshot.db`);

/**
 * Looks, plans, takes one step, looks again, until the plan says done. A step whose outcome is unknown is not repeated
 * blindly: the next look shows what it did. HF_DEADLINE says what was waited for last.
 */
export async function convergeEtcd(work: EtcdWork, phase: EtcdPlanOptions["phase"]): Promise<Look> {
	const { access, credentials, tls, desired, deadline } = work;
	const gateway = new EtcdGateway({ endpoints: [], credentials, tls });
	const lock = new MembershipLock(gateway, `${phase} of ${access.stack}/${access.cluster}`);
	const guard: Guard = { lock, saved: "" };
	try {
		for (;;) {
			const look = await lookAtEtcd({ ...work, gateway });
			await note(work, look);
			const step = planEtcd(look.seen, desired, work.record, { phase, keep: work.keep });
			if (step.kind === "done") return look;
			if (step.kind === "refuse") throw new HoldfastError(step.code, step.why, { next: step.next });
			report({ phase: `etcd ${access.cluster}`, step: step.why });
			if (step.kind === "wait") await deadline.pause(200, step.why);
			else await attempt({ work, gateway, look, step }, guard);
		}
	} finally {
		await lock.release();
		await gateway.close();
	}
}

async function note(work: EtcdWork, { seen }: Look): Promise<void> {
	if (!work.record) return;
	const record = remember(work.record, seen);
	if (record !== work.record) await keep(work, record);
}

/** What comes before a change. */
interface Guard {
	lock: MembershipLock;
	/** The member list of which a snapshot was saved last. */
	saved: string;
}

async function attempt(action: Action, guard: Guard): Promise<void> {
	const { work, look, step } = action;
	const { access, deadline } = work;
	const log = stackLog(access.stack).child({ cluster: access.cluster, etcd: look.seen.cluster?.clusterId });
	try {
		if (look.seen.cluster && LOCKED.has(step.kind)) {
			// Another run may have been at work until now: what was seen before does not count.
			if (!(await guard.lock.hold(deadline))) return;
		}
		if (SAVED.has(step.kind)) await snapshot(action, guard);
		log.info({ step: step.kind, why: step.why, members: look.seen.cluster?.members }, "etcd membership");
		await perform(action);
	} catch (error) {
		if (!(error instanceof EtcdError)) throw error;
		log.warn({ step: step.kind, outcome: error.outcome, error: error.message }, "etcd membership");
		const moved = error.outcome !== "refused" || MOVED.some((words) => error.reason.includes(words));
		if (!moved || error.code === "HF_CREDENTIALS") throw error;
		await deadline.pause(250, `${step.why} (${error.message})`);
	}
}

/** The leader's database; of another voter where it does not give it. A change that is tried again needs no second one. */
async function snapshot({ work, gateway, look }: Action, guard: Guard): Promise<void> {
	const { leader = "", members = [] } = look.seen.cluster ?? {};
	const list = JSON.stringify(members);
	if (guard.saved === list) return;
	await privateFolder(join(stackFolder(work.access.stack), "clusters"));
	const voters = members.filter(({ isLearner, id }) => !isLearner && id !== leader).map(({ id }) => id);
	const at = [leader, ...voters].flatMap((id) => look.endpoints[id] ?? []);
	await saveSnapshot(gateway, snapshotPath(work.access), at);
	guard.saved = list;
}
