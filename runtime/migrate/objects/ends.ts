import type { Bucket, ObjectInfo } from "../../gcs/bucket.ts";
import type { IdMap } from "../idmap/idMap.ts";
import type { Ledger } from "../ledger.ts";
import type { ObjectsMigration } from "../model.ts";
import { contentDigest, isPacked, remappedDigest, replacer } from "./contents.ts";
import { keptInfo, type ManifestEntry } from "./manifest.ts";
import type { Naming } from "./naming.ts";
import type { RateLimiter } from "./rate.ts";

/** What copying and verifying objects work with. */
export interface ObjectEnds {
	declaration: ObjectsMigration;
	source: Bucket;
	target: Bucket;
	map: IdMap;
	ledger: Ledger;
	naming: Naming;
	limiter: RateLimiter;
	/** Whether what stands in the target and differs is overwritten. */
	overwrite: boolean;
}

/** Keys of custom metadata that a copy has. */
export const SOURCE_GENERATION = "holdfast-source-generation";
export const MIGRATION = "holdfast-migration";

/** Metadata of an entry's copy: all of the source's, and where it comes from. */
export function copyInfo({ declaration }: ObjectEnds, entry: ManifestEntry): Partial<ObjectInfo> {
	const kept = keptInfo(entry);
	const metadata = { ...kept.metadata, [SOURCE_GENERATION]: entry.generation, [MIGRATION]: declaration.name };
	return { ...kept, metadata };
}

/**
 * In what the bytes of an object differ from what the copy of an entry has: `size`, `crc32c`, or the generation that it
 * was made from. Contents that are remapped are remapped again to know.
 */
export async function byteDifferences(ends: ObjectEnds, entry: ManifestEntry, found: ObjectInfo): Promise<string[]> {
	const wanted = await digestWanted(ends, entry);
	const given = isRemapped(ends, entry) && isPacked(found.contentEncoding) ? await unpackedDigest(ends, found) : found;
	const paths: string[] = [];
	if (wanted.size !== given.size) paths.push(`size: ${wanted.size} bytes, ${given.size} in the target`);
	if (wanted.crc32c !== given.crc32c) paths.push("crc32c");
	if (found.metadata?.[SOURCE_GENERATION] !== entry.generation) paths.push(`metadata.${SOURCE_GENERATION}`);
	return paths;
}

export const isRemapped = ({ naming }: ObjectEnds, { rule }: ManifestEntry): boolean =>
	naming.content(rule) !== undefined;

async function digestWanted({ source, naming, map }: ObjectEnds, entry: ManifestEntry) {
	const rule = naming.content(entry.rule);
	if (rule === undefined) return entry;
	const stored = await source.read(entry._id.name, { generation: entry.generation });
	return remappedDigest(stored, rule, keptInfo(entry).contentEncoding, replacer(map));
}

async function unpackedDigest({ target }: ObjectEnds, { name, generation, contentEncoding }: ObjectInfo) {
	return contentDigest(await target.read(name, { generation }), contentEncoding);
}
