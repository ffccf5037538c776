import { Binary } from "mongodb";
import { type NewConflict, type NewDeadLetter, recordConflicts, recordLetters } from "../letters.ts";
import type { Counts, LoadCount, Partition, Work } from "../work.ts";
import { atOnce } from "./atOnce.ts";
import { type Copied, copy } from "./copy.ts";
import type { ObjectEnds } from "./ends.ts";
import { checkEntries, entriesAfter, type ManifestEntry, manifestOf, type ObjectRange } from "./manifest.ts";

const PAGE = 200;
/** Copies under way in one partition: each waits for the service most of its time. */
const AT_ONCE = 16;

/** Copies what the manifest lists. */
export function loadObjects(ends: ObjectEnds): Work<ManifestEntry, ObjectRange, LoadCount> {
	const entries = manifestOf(ends.ledger);
	return {
		async page({ range }, position) {
			if (position === undefined) await checkEntries(entries, range);
			const items = await entriesAfter(entries, range, position, PAGE);
			return { items, position: items.at(-1)?._id.name ?? position ?? range.from, done: items.length < PAGE };
		},
		async apply(partition, items, { signal }) {
			const copied = await atOnce(items, AT_ONCE, async (entry) => ({
				entry,
				...(await copy(ends, entry, signal)),
			}));
			await record(ends, partition, copied);
			const counts: Counts<LoadCount> = { read: items.length };
			for (const { is } of copied) counts[is] = (counts[is] ?? 0) + 1;
			return { counts };
		},
	};
}

async function record(
	{ ledger, declaration }: ObjectEnds,
	{ index }: Partition,
	copied: (Copied & { entry: ManifestEntry })[],
) {
	const letters: NewDeadLetter[] = [];
	const conflicts: NewConflict[] = [];
	for (const one of copied) {
		const { name } = one.entry._id;
		const common = { key: name, partition: index, text: name };
		if (one.is === "conflicts") conflicts.push({ ...common, target: one.entry.to ?? "", paths: one.paths });
		if (one.is !== "dead") continue;
		const raw = new Binary(Buffer.from(JSON.stringify(one.entry)));
		letters.push({ ...common, stage: one.stage, code: one.code, reason: one.reason, raw });
	}
	await recordLetters(ledger, declaration.name, letters);
	await recordConflicts(ledger, declaration.name, conflicts);
}
