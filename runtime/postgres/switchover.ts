import { type Access, requireRecord, withCluster } from "../access.ts";
import { Deadline } from "../deadline.ts";
import { HoldfastError } from "../errors.ts";
import { stackLog } from "../log.ts";
import { openHost } from "../platform/open.ts";
import { durabilityOf } from "./durability.ts";
import type { PostgresRecord } from "./record.ts";
import type { ClusterMember } from "./state.ts";
import { type Look, leaderOf, lookAt, type Work, withRest } from "./work.ts";

const DEADLINE_MS = 3 * 60_000;

export interface Switchover {
	from: string;
	to: string;
}

/**
 * Lets another member lead: `to`, else the standby that is least behind. Returns once that member really leads; without
 * a lost write, since the old leader stops cleanly first and a standby with all its commits takes over.
 */
export async function switchover(access: Access, to?: string): Promise<Switchover> {
	return withCluster(access, "switchover", async () => {
		const record = await requireRecord<PostgresRecord>(access);
		const deadline = new Deadline(`the switchover of ${record.scope}`, DEADLINE_MS);
		const work: Work = { access, record, host: openHost({ kind: "local", stack: access.stack }), deadline };
		const seen = await lookAt(work);
		const from = leaderOf(seen);
		if (from === undefined)
			throw new HoldfastError("HF_UNSAFE", `cluster ${record.scope} has no leader that could hand over`, {
				next: "see holdfast status; docs/runbook.md says what to do without a leader",
			});
		const heir = chooseHeir(record, seen, from, to);
		stackLog(access.stack).info({ cluster: access.cluster, from, to: heir }, "switchover");
		await withRest(work, from, (rest) => rest.switchover(from, heir));
		return { from, to: heir };
	});
}

function chooseHeir({ hosts, scope, dynamic }: PostgresRecord, { view }: Look, from: string, to?: string): string {
	const names = hosts.map(({ name }) => name);
	if (to !== undefined && !names.includes(to))
		throw new HoldfastError("HF_USAGE", `cluster ${scope} has no member ${to}: ${names.join(", ")}`);
	if (to === from) throw new HoldfastError("HF_USAGE", `${to} leads already`, { next: "name another member" });
	const synchronous = durabilityOf(dynamic) !== "async";
	const fit = view.members.filter((member) => member.name !== from && isFit(member, synchronous));
	const [best] = fit.sort((a, b) => Number(a.lag) - Number(b.lag));
	if (to === undefined && best) return best.name;
	if (to !== undefined && fit.some(({ name }) => name === to)) return to;
	const who = to === undefined ? `no standby of ${scope} has` : `${to} does not have`;
	throw new HoldfastError("HF_UNSAFE", `${who} every commit of ${from}`, {
		next: "wait until it is a synchronous standby (holdfast status), or name another member",
	});
}

/** With synchronous durability only a synchronous standby has every acknowledged commit. */
const isFit = ({ role, state, lag }: ClusterMember, synchronous: boolean): boolean =>
	state === "streaming" &&
	typeof lag === "number" &&
	(!synchronous || role === "sync_standby" || role === "quorum_standby");
