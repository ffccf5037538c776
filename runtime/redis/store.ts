import type { FailureCode } from "./port.ts";
import type { Stamp } from "./stamp.ts";

export type Consistency = "one" | "quorum" | "all";

/** What a client wrote: text and JSON as UTF-8. */
export interface Value {
	kind: "text" | "json" | "bytes";
	payload: Buffer;
	/** Milliseconds since 1970. @default never */
	expiresAt?: number;
}

export interface NodeResult {
	/** `ip:port`. */
	node: string;
	/** The address alone, as the seed's users know it. */
	nodeIp: string;
	success: boolean;
	/** `unknown`: sent, and no answer within the write timeout; it may have landed. */
	outcome: "ok" | "failed" | "unknown";
	code?: FailureCode;
}

export interface WriteOutcome {
	/** Whether a majority of the registered nodes has it, or something newer; while a node joins, also of those before it. */
	success: boolean;
	/** A retry with this stamp is the same write. */
	stamp: Stamp;
	writtenTo: number;
	totalNodes: number;
	/** A newer record stood there: this write has taken effect and been overwritten. */
	superseded: boolean;
	results: readonly NodeResult[];
}

export type ReadOutcome =
	| { found: "value"; value: Value; stamp: Stamp }
	/** Deleted or expired, with the stamp of what says so; absent without one. */
	| { found: "nothing"; stamp?: Stamp }
	| { found: "unavailable"; answered: number; needed: number };

export interface WriteOptions {
	/** Of the write that this one repeats. @default a new one */
	stamp?: Stamp;
}

/** One write of a batch; `value` absent: delete. */
export interface Write extends WriteOptions {
	key: Buffer;
	value?: Value;
}

export type NodeState = "joining" | "ready" | "healing" | "restarted" | "held" | "leaving" | "unreachable";

export interface NodeReport {
	node: string;
	nodeIp: string;
	state: NodeState;
	reads: boolean;
	writes: boolean;
	/** Why it is not ready, and what to do; from Holdfast, never from the network. */
	reason?: string;
	version?: string;
	durability?: string;
	memory?: { used: number; limit: number };
	/** Milliseconds since 1970 when it was last found equal to the others. */
	equalAt?: number;
	/** Milliseconds by which its clock is ahead of the manager's. */
	skewMs?: number;
}

export interface Health {
	/** `ok`: all registered nodes ready; `degraded`: a majority reads and writes; `down`: no majority. */
	status: "ok" | "degraded" | "down";
	registered: number;
	readable: number;
	writable: number;
	needed: number;
	reasons: readonly string[];
	/** Last answer of discovery, and when it was last believed (milliseconds since 1970). */
	discovery: { answer: string; believedAt?: number };
	/** What an acknowledged write survives, in words. */
	durability: string;
}

export interface Divergence {
	/** Milliseconds since 1970 when the comparison began. */
	at: number;
	buckets: number;
	/** Of each node that took part: digest of all buckets (hex), records, and buckets that differ from the first node's. */
	nodes: readonly { node: string; digest: string; records: number; differing: number }[];
	equal: boolean;
}

export interface RoundReport {
	at: number;
	seconds: number;
	/** Nodes that took part; those that ended equal. */
	nodes: readonly string[];
	equal: readonly string[];
	/** Records carried to nodes that lacked them. */
	carried: number;
}

/** Counts since the manager began. */
export interface Figures {
	/** Repairs of stale nodes that reads found. */
	repairs: { waiting: number; done: number; outdated: number; failed: number; dropped: number };
	/** Fresh writes that met something newer and were stamped beyond it. */
	restamped: number;
	/** Records met on nodes that are none, are damaged, or carry a stamp from the future. */
	odd: { foreign: number; damaged: number; ahead: number };
	/** Anti-entropy: rounds that ended, or failed, and records carried. */
	rounds: { done: number; failed: number; carried: number; lastSeconds?: number };
}

/** What the HTTP service asks of the manager. */
export interface Store {
	/** Writes or deletes each; in order, one outcome each. */
	write(writes: readonly Write[]): Promise<readonly WriteOutcome[]>;
	read(keys: readonly Buffer[], consistency: Consistency): Promise<readonly ReadOutcome[]>;
	nodes(): readonly NodeReport[];
	health(): Health;
	/** For metrics. */
	figures(): Figures;
	divergence(): Promise<Divergence>;
	/** A round now; joins one that is under way. */
	sync(): Promise<RoundReport>;
	/** What the operator decides over a node that is held. */
	admit(node: string, action: "merge" | "wipe"): Promise<void>;
	/** Ends rounds and repairs at the next page, closes connections. */
	close(): Promise<void>;
}
