/** How new ids are written; in BSON: string, string, ObjectId, 64-bit integer. */
export type IdFormat = "hex" | "uuid" | "objectId" | "integer";

/** Old keys and their new ids, frozen: what is found in a map never changes, and a map that differs is refused. */
export interface IdMap {
	/** SHA-256 (hex) over the manifests of its segments; every step that uses a map records it. */
	readonly hash: string;
	/** Hashes it had before it grew. */
	readonly former?: readonly string[];
	/** Pairs. */
	readonly count: number;
	readonly format: IdFormat;
	/**
	 * New id of an encoded old key (`encodeKey`), as text: 32 hex digits, a UUID, 24 hex digits or a decimal number.
	 * Reads blocks of the local file as they are needed and checks each against its digest. HF_DAMAGED.
	 */
	lookup(key: Uint8Array): string | undefined;
	/** The encoded old key that has this new id. */
	reverse(newId: string): Buffer | undefined;
	close(): Promise<void>;
}
