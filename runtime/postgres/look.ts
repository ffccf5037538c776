import type { ClusterView, PatroniStatus, PendingRestart, RolloutMember } from "./state.ts";

/** Of these a standby must have at least what its leader had when it wrote the WAL. */
const floors = [
	...["max_connections", "max_prepared_transactions", "max_locks_per_transaction"],
	...["max_worker_processes", "max_wal_senders"],
];

/** Why a member's PostgreSQL has to be restarted, as its Patroni says; a lowered floor apart from all else. */
export function pendingRestart(status: PatroniStatus | undefined): PendingRestart {
	if (!status?.pending_restart) return { lowered: false, other: false };
	const reasons = Object.entries(status.pending_restart_reason ?? {});
	const lowered = reasons.filter(
		([name, { old_value, new_value }]) => floors.includes(name.toLowerCase()) && Number(new_value) < Number(old_value),
	);
	return { lowered: lowered.length > 0, other: reasons.length === 0 || lowered.length < reasons.length };
}

/**
 * A member for the rollout planner, from one look at the cluster and the member's own word. `status` is `undefined`
 * when its REST API does not answer.
 */
export function rolloutMember(
	name: string,
	view: ClusterView,
	status: PatroniStatus | undefined,
	pending: { reload: boolean; process: boolean },
): RolloutMember {
	const seen = view.members.find((member) => member.name === name);
	const common = {
		...{ name, reloadPending: pending.reload, processPending: pending.process },
		restartPending: pendingRestart(status),
	};
	if (!seen || !status) return { ...common, role: "absent", state: "absent" };
	const role = {
		leader: "leader",
		standby_leader: "leader",
		sync_standby: "sync",
		quorum_standby: "sync",
		replica: "replica",
	};
	const lag = seen.lag === "unknown" ? undefined : seen.lag;
	return {
		...common,
		role: role[seen.role] as RolloutMember["role"],
		// What `/cluster` says of it is up to `loop_wait` old.
		state: status.state === "running" ? (status.replication_state ?? status.state) : status.state,
		...{ timeline: status.timeline ?? seen.timeline, lagBytes: lag },
	};
}

/** `server_version` as people write it: 180004 is 18.4. */
export const versionText = (version: number): string => `${Math.floor(version / 10_000)}.${version % 10_000}`;
