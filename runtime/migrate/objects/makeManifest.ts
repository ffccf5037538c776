import { randomUUID } from "node:crypto";
import type { Collection } from "mongodb";
import { failpoint } from "../../failpoint.ts";
import type { Bucket, ObjectInfo } from "../../gcs/bucket.ts";
import { keptOf } from "../../gcs/resource.ts";
import type { Ledger } from "../ledger.ts";
import type { Partition } from "../work.ts";
import { atOnce } from "./atOnce.ts";
import { digestWith, type ManifestEntry, manifestOf, type ObjectRange } from "./manifest.ts";
import { type NameRange, nameRanges } from "./nameRanges.ts";
import type { Naming } from "./naming.ts";

const PART = 2000;
const MOST_PARTS = 1000;
const LISTINGS = 8;

/** A stretch of names, how many there were, and a digest over their entries. */
interface Stretch extends NameRange {
	count: number;
	digest: string;
}

/**
 * Lists the source into the ledger, and divides it. Every call makes a manifest of its own, so that one that broke off or
 * runs beside this one changes nothing: what counts is the one whose partitions are frozen.
 */
export async function makeManifest(
	ledger: Ledger,
	migration: string,
	{ source, prefix, naming }: { source: Bucket; prefix: string; naming: Naming },
): Promise<Partition<ObjectRange>[]> {
	const entries = manifestOf(ledger);
	await entries.createIndex({ "_id.manifest": 1, to: 1 });
	const manifest = randomUUID();
	const entryOf = (info: ObjectInfo): ManifestEntry => {
		const { name, generation, size, crc32c } = info;
		const named = naming.of(name);
		return {
			_id: { manifest, name },
			migration,
			...named,
			generation,
			size,
			crc32c,
			kept: JSON.stringify(keptOf(info)),
		};
	};
	const ranges = await nameRanges(source, prefix, LISTINGS * 2);
	const listed = await atOnce(ranges, LISTINGS, (range) => list(entries, source, prefix, range, entryOf));
	await markClashes(entries, manifest);
	return partitionsOf(manifest, listed.flat());
}

async function list(
	entries: Collection<ManifestEntry>,
	source: Bucket,
	prefix: string,
	range: NameRange,
	entryOf: (info: ObjectInfo) => ManifestEntry,
): Promise<Stretch[]> {
	const stretches: Stretch[] = [{ ...range, count: 0, digest: "" }];
	let pageToken: string | undefined;
	do {
		const page = await source.list({ prefix, startOffset: range.from || undefined, endOffset: range.until, pageToken });
		const found = page.objects.map(entryOf);
		for (const entry of found) extend(stretches, entry);
		if (found.length > 0) await entries.insertMany(found, { ordered: false });
		await failpoint("objects/manifest");
		pageToken = page.nextPageToken;
	} while (pageToken !== undefined);
	return stretches;
}

function extend(stretches: Stretch[], entry: ManifestEntry): void {
	let last = stretches.at(-1) as Stretch;
	if (last.count === PART) {
		const { name } = entry._id;
		stretches.push({ ...last, from: name, count: 0, digest: "" });
		last.until = name;
		last = stretches.at(-1) as Stretch;
	}
	last.count += 1;
	last.digest = digestWith(last.digest, entry);
}

/** Finds new names that two objects have, before anything is copied. */
async function markClashes(entries: Collection<ManifestEntry>, manifest: string): Promise<void> {
	const found = entries.aggregate<{ _id: string }>(
		[
			{ $match: { "_id.manifest": manifest, to: { $exists: true } } },
			{ $group: { _id: "$to", count: { $sum: 1 } } },
			{ $match: { count: { $gt: 1 } } },
		],
		{ allowDiskUse: true },
	);
	for await (const { _id: to } of found)
		await entries.updateMany({ "_id.manifest": manifest, to }, { $set: { clash: true } });
}

/** Neighbours are joined until there are no more than the ledger's record holds. */
export function partitionsOf(manifest: string, stretches: readonly Stretch[]): Partition<ObjectRange>[] {
	const joined = Math.ceil(stretches.length / MOST_PARTS);
	const groups = Array.from({ length: Math.ceil(stretches.length / joined) }, (_, index) =>
		stretches.slice(index * joined, (index + 1) * joined),
	);
	return groups.map((group, index) => {
		const until = group.at(-1)?.until;
		const stretches = group.map(({ count, digest }) => ({ count, digest }));
		const range = { manifest, from: group[0]?.from ?? "", ...(until !== undefined && { until }), stretches };
		const total = group.reduce((sum, { count }) => sum + count, 0);
		return { index, label: `objects ${index + 1}/${groups.length}`, total, range };
	});
}
