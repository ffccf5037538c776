/**
 * What the planners and the REST client know of a Patroni cluster: plain data, field names as Patroni's own.
 */

/** As `/cluster` says it. */
export type MemberRole = "leader" | "standby_leader" | "sync_standby" | "quorum_standby" | "replica";

export interface ClusterMember {
	name: string;
	role: MemberRole;
	/** Of a standby `streaming` or `in archive recovery`; otherwise PostgreSQL's state: `running`, `starting`, `stopped`, … */
	state: string;
	/** Where PostgreSQL answers. */
	host?: string | undefined;
	port?: number | undefined;
	api_url: string;
	timeline?: number | undefined;
	/** Bytes behind the leader's position of up to `loop_wait` ago; not said of the leader. */
	lag?: number | "unknown" | undefined;
	pending_restart?: boolean | undefined;
}

/** `GET /cluster`: one look at etcd, the same from every member but up to `loop_wait` old. */
export interface ClusterView {
	members: ClusterMember[];
	scope?: string | undefined;
	/** Maintenance mode: nobody takes over, and PostgreSQL outlives its Patroni. */
	pause?: boolean | undefined;
	scheduled_switchover?: { at: string; from?: string | undefined; to?: string | undefined } | undefined;
}

/** `GET /patroni`: what one member says of itself now. */
export interface PatroniStatus {
	state: string;
	/** `primary`, `replica`, `demoted`, `uninitialized`, … */
	role: string;
	/** e.g. 180004 for 18.4; only of a running server. */
	server_version?: number | undefined;
	timeline?: number | undefined;
	replication_state?: string | undefined;
	pending_restart?: boolean | undefined;
	/** Parameters that count after a restart only, by name. */
	pending_restart_reason?: Record<string, { old_value: string; new_value: string }> | undefined;
	database_system_identifier?: string | undefined;
	cluster_unlocked?: boolean | undefined;
	failsafe_mode_is_active?: boolean | undefined;
	pause?: boolean | undefined;
	/** Seconds since 1970. */
	dcs_last_seen?: number | undefined;
	patroni: { version: string; scope: string; name: string };
}

/** A timeline that ended: number, last position, why, when (ISO 8601), who led next. */
export type HistoryEntry = [timeline: number, lsn: number, reason: string, time?: string, leader?: string];

/** What the rollout planner knows of one member. */
export interface RolloutMember {
	name: string;
	/** `absent`: it does not answer, or is not in `/cluster`. */
	role: "leader" | "sync" | "replica" | "absent";
	/** As `ClusterMember.state`. */
	state: string;
	timeline?: number | undefined;
	lagBytes?: number | undefined;
	/** Its files below live/ are newer than what Patroni has read. */
	reloadPending: boolean;
	/** Why PostgreSQL has to be restarted; from the member's own `/patroni`, `/cluster` is older. */
	restartPending: PendingRestart;
	/** Its Patroni runs with other files below conf/, or its PostgreSQL is another build, than what is staged. */
	processPending: boolean;
}

export interface PendingRestart {
	/** Parameters that no standby may have lower than its leader were lowered: the leader has to be restarted first. */
	lowered: boolean;
	/** Something else, which standbys can take first. */
	other: boolean;
}

/** The next thing to do; exactly one a look. */
export type RolloutStep =
	/** SIGHUP to Patroni (`POST /reload`). */
	| { kind: "reload"; member: string; why: string }
	/** `POST /restart`: PostgreSQL only; its Patroni and its lock stay. */
	| { kind: "restartPostgres"; member: string; why: string }
	/** Stop Patroni, which stops PostgreSQL, and start it anew. */
	| { kind: "restartProcess"; member: string; why: string }
	| { kind: "switchover"; from: string; to: string; why: string }
	/** Nothing can be done safely now; look again shortly. `why` names members. */
	| { kind: "wait"; why: string }
	| { kind: "done" };

/** Likewise, before members go. */
export type RetireStep =
	| { kind: "switchover"; from: string; to: string; why: string }
	/** Stop Patroni of a member that goes, which stops PostgreSQL. */
	| { kind: "stop"; member: string; why: string }
	| { kind: "wait"; why: string }
	| { kind: "refuse"; code: "HF_UNSAFE"; why: string; next: string }
	| { kind: "done" };
