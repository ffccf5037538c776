import type { Stamp } from "./stamp.ts";

/** What a node said to one record that it was offered. */
export interface Stored {
	/** Whether it stands there now. */
	stored: boolean;
	/** Header of the record that stood there before: the one that was in the way when `stored` is false. */
	before?: string;
}

/** What a node tells of itself. */
export interface NodeFacts {
	/** Of this run of the server; another one after every restart. */
	runId: string;
	/** Redis version. */
	version: string;
	/** When it last was found equal to the others, and in which run of the server. */
	mark?: Mark;
	/** As it stands there. */
	markText?: string;
	/** Whether it holds any record. */
	hasRecords: boolean;
	/** Milliseconds since 1970 by its own clock. */
	clock: number;
	/** Bytes in use, and the limit (0: none). */
	memory: { used: number; limit: number };
	/** Of its append-only file: "always", "everysec", "no", or "off" without one. */
	durability: string;
}

/**
 * What a node carries of its own standing, as JSON, so that a manager that starts anew knows it too. Written before the
 * first record, and whenever a round found or made the node equal to all others in it.
 */
export interface Mark {
	/** `joining`: not equal to the others yet; `wiping`: its records are worthless and being removed. */
	phase: "joining" | "equal" | "wiping";
	/** Milliseconds since 1970 when the round began, or it joined: it holds nothing that was deleted before. */
	at: number;
	/** Of the run of the server that this is true of. */
	runId: string;
	/** Names of all nodes that belonged together then, itself included. */
	members: readonly string[];
	/** Those of them that did before, until a majority of these is known to carry the new members: so long both count. */
	former?: readonly string[];
}

/** Part of a SCAN: entries of our own only. Keys without prefix. */
export interface HeaderPage {
	/** "0" after the last page. */
	cursor: string;
	entries: readonly { key: Buffer; header: string }[];
}

/**
 * Records as one buffer that a node packed and another unpacks, so that a page costs the manager next to nothing per
 * record. Records too large for a page are named apart and go one by one.
 */
export interface RecordPage {
	/** "0" after the last page; "" where the records were asked for by key. */
	cursor: string;
	records: Buffer;
	count: number;
	large: readonly Buffer[];
}

/** How a page is taken in: `fill` tries SET NX first (the node is empty), `merge` compares first. Both only let newer records in. */
export type StoreMode = "fill" | "merge";

/**
 * One Redis node. Every call has the node's deadline. Rejects with NodeFailure: `unknown` when the command was sent and
 * not answered, `failed` when it certainly had no effect.
 */
export interface RedisNode {
	/** `ip:port`. */
	readonly name: string;
	/** False while the breaker is open: calls fail at once, and a probe is due. */
	readonly isAvailable: boolean;
	/** How often it has connected: after a new connection the server may be another run, so earlier facts are void. */
	readonly connections: number;
	/** Compare-and-set of one record; those of one tick travel together. */
	store(key: Buffer, record: Buffer): Promise<Stored>;
	/** The record as it stands; those of one tick travel together. */
	read(key: Buffer): Promise<Buffer | undefined>;
	/** Asks for facts; also what closes an open breaker. */
	facts(): Promise<NodeFacts>;
	writeMark(mark: Mark): Promise<void>;
	/** Only where the mark is still the one that was `seen`; whether it stands now. */
	replaceMark(mark: Mark, seen?: string): Promise<boolean>;
	headers(cursor: string, count: number): Promise<HeaderPage>;
	records(cursor: string, count: number): Promise<RecordPage>;
	/** Those of `entries` that this node has not, or has an older record of. */
	lacking(entries: HeaderPage["entries"]): Promise<readonly Buffer[]>;
	/** Records by key; what has gone meanwhile is left out. */
	pick(keys: readonly Buffer[]): Promise<RecordPage>;
	/** Takes a page in; how many records were newer than what stood there. */
	take(page: RecordPage, mode: StoreMode): Promise<number>;
	/** Removes records of ours under this cursor, not the mark; only for a node that is wiped on purpose. */
	erase(cursor: string, count: number): Promise<string>;
	/** Whether this caller now holds the lease: a token of its own, or none was there. */
	lease(token: string, ms: number): Promise<boolean>;
	release(token: string): Promise<void>;
	close(): Promise<void>;
}

/** Why a node did not do what it was asked. */
export type FailureCode =
	| "UNREACHABLE"
	| "TIMEOUT"
	| "OUT_OF_MEMORY"
	| "STAMP_AHEAD"
	| "REFUSED"
	| "BREAKER_OPEN"
	| "HELD"
	| "OVERLOADED";

/** A registered node as reads and writes see it at this moment. */
export interface Place {
	readonly node: RedisNode;
	/** Takes writes. */
	readonly writes: boolean;
	/** Answers reads that count. */
	readonly reads: boolean;
	/** Counted before the change of members that is under way, if one is. */
	readonly isSettled: boolean;
}

/** Who is registered at this moment; a new object whenever it changes. Majority is counted of all places, of settled ones too for writes. */
export interface View {
	readonly places: readonly Place[];
}

/** Merges every stamp that is seen; draws new ones. */
export interface Clock {
	tick(): Stamp;
	/** False, and nothing merged, when it lies further ahead than the allowed skew. */
	observe(stamp: Stamp): boolean;
	now(): number;
}
