import type { Difference } from "../transfer.ts";
import type { Partition, VerifyCount, Work } from "../work.ts";
import type { ObjectEnds } from "./ends.ts";
import { entriesNamed, frozenManifest, type ObjectRange } from "./manifest.ts";
import { nameRanges } from "./nameRanges.ts";
import { sameBucket, targetsAmong } from "./verifyObjects.ts";

const RANGES = 16;

/** Looks for objects below the target's prefix that are nobody's copy. */
export function searchExtraObjects(ends: ObjectEnds, report: (found: Difference[]) => Promise<void>) {
	const { target, declaration, ledger } = ends;
	const { prefix } = declaration.target;
	const work: Work<string, ObjectRange, VerifyCount> = {
		async page({ range }, position) {
			const startOffset = (position ?? range.from) || undefined;
			const { objects, nextPageToken } = await target.list({ prefix, startOffset, endOffset: range.until });
			const items = objects.map(({ name }) => name).filter((name) => name !== position);
			return { items, position: items.at(-1) ?? position ?? range.from, done: nextPageToken === undefined };
		},
		async apply({ range: { manifest } }, names) {
			const known = await targetsAmong(ends, manifest, names);
			const originals = sameBucket(ends) ? await sourcesAmong(ends, manifest, names) : new Set<string>();
			const extra = names.filter((name) => !known.has(name) && !originals.has(name));
			await report(extra.map((name) => ({ target: name, kind: "extra" })));
			return { counts: { read: names.length, extra: extra.length } };
		},
	};
	const split = async (): Promise<Partition<ObjectRange>[]> => {
		const [manifest, ranges] = await Promise.all([
			frozenManifest(ledger, declaration.name),
			nameRanges(target, prefix, RANGES),
		]);
		const label = (index: number) => `objects backward ${index + 1}/${ranges.length}`;
		return ranges.map((range, index) => ({ index, label: label(index), range: { manifest, ...range } }));
	};
	return { split, work };
}

async function sourcesAmong({ ledger }: ObjectEnds, manifest: string, names: string[]): Promise<Set<string>> {
	const found = await entriesNamed(ledger, manifest, names);
	return new Set(found.flatMap((entry) => entry?._id.name ?? []));
}
