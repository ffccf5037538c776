import type { Link, Manifest } from "./manifest.ts";

/** Where a map lies. What was put there is never written over. */
export interface MapPlace {
	/** For messages. */
	readonly name: string;
	/** Makes the folder of this machine where a segment is built, beside where it will lie. */
	workshop(): Promise<string>;
	/** Text of a segment's manifest; `undefined`: there is none. */
	manifest(segment: number): Promise<string | undefined>;
	/** Path of a file of this machine that has the segment's bytes; checked when it was brought here. */
	file(link: Link): Promise<string>;
	/** Path of the file of a segment that may lack its manifest; `undefined`: there is none. */
	unfinished(segment: number): Promise<string | undefined>;
	/** Puts a finished file there; it may be moved. False, and nothing done: the segment is there already. */
	put(segment: number, path: string, manifest: Manifest): Promise<boolean>;
	/** Puts a manifest there, unless there is one. */
	putManifest(segment: number, text: string): Promise<void>;
	close(): Promise<void>;
}
