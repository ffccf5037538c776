import type { Difference } from "../transfer.ts";
import type { Counts, Partition, VerifyCount } from "../work.ts";
import type { ObjectEnds } from "./ends.ts";
import { type ManifestEntry, manifestOf, type ObjectRange } from "./manifest.ts";
import { compareNames } from "./nameRanges.ts";
import { compare } from "./verifyObjects.ts";

/** Compares about `size` random objects of the manifest with their copies. */
export async function sampleObjects(
	ends: ObjectEnds,
	report: (found: Difference[]) => Promise<void>,
	frozen: readonly Partition<ObjectRange>[],
	size: number,
): Promise<{ partition: Partition; counts: Counts<VerifyCount> }[]> {
	const manifest = frozen[0]?.range.manifest;
	const stages = [{ $match: { "_id.manifest": manifest } }, { $sample: { size } }];
	const entries = await manifestOf(ends.ledger).aggregate<ManifestEntry>(stages).toArray();
	const looked: { partition: Partition; counts: Counts<VerifyCount> }[] = [];
	for (const partition of frozen) {
		const own = entries.filter(({ _id: { name } }) => isIn(name, partition.range));
		if (own.length === 0) continue;
		const items = own.map(async (entry) => {
			const live = await ends.source.stat(entry._id.name);
			return { name: entry._id.name, entry, ...(live && { live }) };
		});
		const { counts, found } = await compare(ends, await Promise.all(items));
		await report(found);
		looked.push({ partition, counts });
	}
	return looked;
}

const isIn = (name: string, { from, until }: ObjectRange): boolean =>
	compareNames(name, from) >= 0 && (until === undefined || compareNames(name, until) < 0);
