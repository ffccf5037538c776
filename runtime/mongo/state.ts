/**
 * What the planners know of a replica set: plain data, read by observe.ts, made up by tests.
 * Field names follow `replSetGetConfig` and `replSetGetStatus`.
 */
export interface ConfigMember {
	_id: number;
	/** `host:port` */
	host: string;
	votes: 0 | 1;
	priority: number;
	hidden: boolean;
	arbiterOnly: boolean;
	/** Whatever else the server keeps on a member (tags, secondaryDelaySecs, horizons ...): carried over untouched. */
	rest: Record<string, unknown>;
}

export interface SetConfig {
	_id: string;
	version: number;
	term: number;
	members: ConfigMember[];
	settings: { replicaSetId: string; electionTimeoutMillis: number; rest: Record<string, unknown> };
	rest: Record<string, unknown>;
}

export interface MemberHealth {
	host: string;
	/** 1 PRIMARY, 2 SECONDARY, 7 ARBITER, 5 STARTUP2, 3 RECOVERING, 9 ROLLBACK; 8 or -1 when it does not answer. */
	state: number;
	/** Seconds behind the primary's last applied operation. */
	lagSeconds: number;
	/** The server holds its vote back until it has caught up (FCV 5.0 and later). */
	newlyAdded: boolean;
	/** Config version this member has installed, as its heartbeats tell. */
	configVersion: number;
}

/** One consistent look at an initiated set, taken on its primary. */
export interface ObservedSet {
	config: SetConfig;
	primary: string;
	members: MemberHealth[];
	/** `replSetGetStatus.votingMembersCount`: does not count `newlyAdded` members. */
	votingMembersCount: number;
	/** e.g. "6.0" */
	featureCompatibilityVersion: string;
	/** Hosts that are not in the config yet, by what a direct `hello` said: the planner adds only "ready" ones. */
	probes: Record<string, Probe>;
}

/** A `hello` on one host, before it is a member. */
export type Probe =
	| { answer: "ready" }
	/** Has the replicaSetId of our set already (e.g. removed earlier, its data still there). */
	| { answer: "ours" }
	| { answer: "foreign"; setName: string }
	| { answer: "unreachable"; reason: string };

export interface DesiredMember {
	host: string;
	votes: 0 | 1;
	priority: number;
	hidden: boolean;
	arbiterOnly: boolean;
}

export interface DesiredSet {
	members: DesiredMember[];
	electionTimeoutMillis: number;
}

/** The next thing to do to the membership; exactly one a look. */
export type MembershipStep =
	/** Send this config (version already raised) to the primary, never forced, always with maxTimeMS. */
	| { kind: "reconfig"; config: SetConfig; why: string }
	/** Let a caught-up secondary take over; the primary is about to be removed, demoted or restarted. */
	| { kind: "stepDown"; host: string; why: string }
	/** Nothing can be done safely now; look again shortly. `why` names hosts. */
	| { kind: "wait"; why: string }
	/** Nothing may be done until an operator acts. */
	| { kind: "refuse"; code: "HF_FOREIGN" | "HF_UNSAFE" | "HF_SETTING"; why: string; next: string }
	| { kind: "done" };

/** What the rollout planner knows of one member's process. */
export interface RolloutMember {
	host: string;
	/** As MemberHealth.state. */
	state: number;
	lagSeconds: number;
	votes: 0 | 1;
	/** 0: it never takes over from the primary. */
	priority: number;
	/** Is in the set's config: nobody misses the others. */
	joined: boolean;
	/** Its process runs with something else than what is staged on its disk. */
	pendingRestart: boolean;
	/** Which keys its key file on disk holds. */
	keys: "old" | "both" | "new";
}

export type RolloutStep =
	| { kind: "writeKeys"; host: string; keys: "both" | "new"; why: string }
	| { kind: "restart"; host: string; why: string }
	| { kind: "stepDown"; host: string; why: string }
	| { kind: "wait"; why: string }
	| { kind: "done" };
