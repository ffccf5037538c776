import type { Entity } from "./entity.ts";

/** Entities of one kind in one namespace from `from` (included) to `to` (excluded), both encoded keys; open where absent. */
export interface KeyRange {
	namespace: string;
	kind: string;
	from?: Buffer;
	to?: Buffer;
}

/** A page in key order. `last` is the encoded key of its last entity: the next page begins after it. */
export interface EntityPage {
	entities: Entity[];
	/** Encoded keys of `entities`, at the same places. */
	keys: Buffer[];
	done: boolean;
}

export interface KeyPage {
	keys: Buffer[];
	done: boolean;
}

/**
 * A Datastore at one moment. Every call retries what may pass (UNAVAILABLE, ABORTED, DEADLINE_EXCEEDED, INTERNAL,
 * RESOURCE_EXHAUSTED) with back-off; HF_RETRY when it did not pass, HF_EXPIRED when the read time is too old,
 * HF_CREDENTIALS and HF_REJECTED as they say.
 */
export interface DatastoreSource {
	/** `projects/<project>/databases/<database>`: recorded, so that a resume from another source is refused. */
	readonly name: string;
	/** `host:port`, where it is an emulator. */
	readonly emulator?: string;
	/** ISO 8601 with the Z: what all reads are pinned to. Absent: reads see the present. */
	readonly readTime?: string;
	/** False for an emulator that ignores read times: answers then carry none. */
	readonly pinned: boolean;
	namespaces(): Promise<string[]>;
	kinds(namespace: string): Promise<string[]>;
	/** Exact number of entities of a kind at the read time, by an aggregation query. */
	count(namespace: string, kind: string): Promise<number>;
	page(range: KeyRange, after: Buffer | undefined, limit: number): Promise<EntityPage>;
	keys(range: KeyRange, after: Buffer | undefined, limit: number): Promise<KeyPage>;
	/** The entities of these encoded keys, `undefined` where there is none; in their order. At most 1,000. */
	lookup(keys: readonly Buffer[]): Promise<(Entity | undefined)[]>;
	/** Encoded keys at which a kind may be divided, sorted, by `__scatter__`; empty where the server has no such samples. */
	scatter(namespace: string, kind: string, wanted: number): Promise<Buffer[]>;
	/** When read times end to be served: the deadline of a run. Absent where reads are not pinned. */
	readonly expiresAt?: string;
	close(): Promise<void>;
}

export interface SourceOptions {
	project: string;
	/** "" is the default database. */
	database?: string;
	/** `host:port` of an emulator; plain text, no credentials. @default the environment's DATASTORE_EMULATOR_HOST */
	emulator?: string;
	/** ISO 8601, a whole second. */
	readTime?: string;
	/** Hours for which old versions are kept: 1, or up to 168 with point-in-time recovery. @default 1 */
	retentionHours?: number;
}
