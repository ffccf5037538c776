import type { ProcessState } from "../platform/host.ts";

/**
 * What the planner knows of an etcd cluster: plain data, read by observe.ts, made up by tests, later found by discovery.
 * Ids are the lower-case hexadecimal text that etcdctl prints; names and URLs are compared as whole texts, never in part.
 */
export interface Voter {
	/** etcd's member name; the platform's member bears the same one. */
	name: string;
	/** e.g. `http://127.0.1.1:2380` */
	peerURL: string;
	clientURL: string;
}

/** All that shall vote, 1, 3 or 5 of them. */
export type DesiredVoters = readonly Voter[];

/** An entry of the member list. */
export interface EtcdMember {
	id: string;
	/** `""` until the member has started for the first time. */
	name: string;
	peerURLs: string[];
	clientURLs: string[];
	isLearner: boolean;
}

/** What one member says of itself (`/v3/maintenance/status`). */
export interface EtcdHealth {
	reachable: boolean;
	raftIndex: number;
	raftAppliedIndex: number;
	raftTerm: number;
	/** Id of the leader it follows; `""` when it knows none. */
	leader: string;
	/** Bytes. */
	dbSize: number;
	/** e.g. "etcdserver: no leader", or an alarm. */
	errors: string[];
}

/** What the machine of one voter has. */
export interface Machine {
	/** Of `data/etcd`: a write-ahead log, something without one (a first start that did not get that far), or nothing. */
	data: "present" | "partial" | "none";
	process: ProcessState | "missing";
	/** Why the process is not running, in words. */
	detail?: string;
	/** It runs with another configuration than what is staged. */
	pendingRestart: boolean;
	/** Who answers at its client address. */
	answer?: { clusterId: string; memberId: string };
}

export interface ObservedEtcd {
	/** A linearizable read of the member list, which only a quorum can answer. Without one nothing is changed. */
	cluster?: {
		clusterId: string;
		members: EtcdMember[];
		/** Id of the leader; `""` when nobody said. */
		leader: string;
	};
	/** By member id; a member that is missing here does not answer. */
	health: Readonly<Record<string, EtcdHealth>>;
	/** By name. A machine that is missing here could not be looked at: it may hold anything. */
	machines: Readonly<Record<string, Machine>>;
}

/** The next thing to do, exactly one a look; `why` is a sentence for the operator. */
export type EtcdStep =
	/** Begin the cluster with this one voter. */
	| { kind: "seed"; name: string; peerURL: string; why: string }
	/** Start a member on the data that it has. */
	| { kind: "start"; name: string; why: string }
	/** Let a learner that was added start for the first time, on an empty folder. */
	| { kind: "join"; name: string; id: string; initialCluster: string; why: string }
	/** Add as a learner. */
	| { kind: "add"; name: string; peerURL: string; why: string }
	| { kind: "promote"; name: string; id: string; why: string }
	| { kind: "remove"; name: string; id: string; why: string }
	/** Stop the process and rename its data folder. */
	| { kind: "setAside"; name: string; why: string }
	/** Tell the cluster a member's new address, before it is restarted there. */
	| { kind: "update"; name: string; id: string; peerURL: string; why: string }
	| { kind: "moveLeader"; from: string; to: string; why: string }
	| { kind: "restart"; name: string; why: string }
	/** Nothing can be done safely now; look again shortly. */
	| { kind: "wait"; why: string }
	/** Nothing may be done until an operator acts. */
	| { kind: "refuse"; code: "HF_FOREIGN" | "HF_UNSAFE" | "HF_SETTING" | "HF_DATA_LOST"; why: string; next: string }
	| { kind: "done" };
