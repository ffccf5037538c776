import type { Readable } from "node:stream";

/** Metadata of an object that a copy keeps. */
export interface ObjectInfo {
	name: string;
	/** 64-bit number as text. */
	generation: string;
	/** Bytes. */
	size: number;
	/** base64 of 4 bytes, big-endian. */
	crc32c: string;
	contentType?: string;
	cacheControl?: string;
	contentDisposition?: string;
	contentEncoding?: string;
	contentLanguage?: string;
	storageClass?: string;
	customTime?: string;
	metadata?: Record<string, string>;
}

export interface ListPage {
	objects: ObjectInfo[];
	/** Absent on the last page. */
	nextPageToken?: string;
}

/** What must hold for a write: `"0"` for the generation means that there is no such object. */
export interface Preconditions {
	ifGenerationMatch: string;
}

/** What came of one call of a rewrite: go on with the token, or done. */
export type Rewrite = { done: false; token: string; written: number } | { done: true; object: ObjectInfo };

/**
 * A bucket over Google's JSON API. Every call retries 408, 429 and 5xx with back-off, and only writes that carry a
 * precondition. HF_RETRY when it did not pass, HF_CREDENTIALS (401, 403), HF_REJECTED with what the service said;
 * a precondition that does not hold (412) is an answer, not an error: `undefined`.
 */
export interface Bucket {
	/** `gs://bucket`, with the endpoint of an emulator before it. */
	readonly name: string;
	list(options: {
		prefix?: string;
		startOffset?: string;
		endOffset?: string;
		pageToken?: string;
		maxResults?: number;
	}): Promise<ListPage>;
	/** `undefined`: there is none. */
	stat(object: string): Promise<ObjectInfo | undefined>;
	/**
	 * Contents of one generation, as a stream of bytes; as stored, never decompressed on the way. A broken connection is
	 * taken up where it broke; the whole is checked against its CRC32C at the end (HF_DAMAGED). ObjectGone.
	 */
	read(object: string, options: { generation: string; start?: number }): Promise<Readable>;
	/** A resumable upload. `undefined`: the precondition does not hold. */
	write(
		object: string,
		contents: Readable | Buffer,
		info: Partial<ObjectInfo>,
		when: Preconditions,
	): Promise<ObjectInfo | undefined>;
	/** One call of `objects.rewrite` to another name or bucket; preconditions and `info` go with every call. ObjectGone. */
	rewrite(
		source: { object: string; generation: string },
		target: { bucket: string; object: string },
		info: Partial<ObjectInfo>,
		when: Preconditions,
		token?: string,
	): Promise<Rewrite | undefined>;
	close(): Promise<void>;
}
