import { isDeepStrictEqual } from "node:util";
import type { ObjectInfo } from "../../gcs/bucket.ts";
import { keptOf } from "../../gcs/resource.ts";
import type { Difference } from "../transfer.ts";
import type { Counts, VerifyCount, Work } from "../work.ts";
import { atOnce } from "./atOnce.ts";
import { byteDifferences, copyInfo, type ObjectEnds } from "./ends.ts";
import { itemProblem } from "./itemProblem.ts";
import { checkEntries, entriesAfter, keptInfo, type ManifestEntry, manifestOf, type ObjectRange } from "./manifest.ts";
import { compareNames } from "./nameRanges.ts";
import { rolled, type Seen } from "./rolling.ts";

/** A name: what the manifest says of it, and what the source has now. */
export interface Sighted {
	name: string;
	entry?: ManifestEntry;
	live?: ObjectInfo;
}
type Reporter = (found: Difference[]) => Promise<void>;
type Verdict = { is: Exclude<VerifyCount, "read" | "extra">; seen?: Seen; difference?: Difference };
/** What a page comes to, and what differs in it. */
interface Compared {
	counts: Counts<VerifyCount>;
	found: Difference[];
	seen: Seen[];
}

const PAGE = 200;
const AT_ONCE = 16;

/** Compares every object of the manifest with its copy, and the source with the manifest. */
export function verifyObjects(ends: ObjectEnds, report: Reporter): Work<Sighted, ObjectRange, VerifyCount> {
	return {
		async page({ range }, position) {
			if (position === undefined) await checkEntries(manifestOf(ends.ledger), range);
			const entries = await entriesAfter(manifestOf(ends.ledger), range, position, PAGE);
			const done = entries.length < PAGE;
			const end = entries.at(-1)?._id.name ?? position ?? range.from;
			const live = await sourceBetween(ends, {
				after: position,
				from: range.from,
				to: done ? undefined : end,
				until: range.until,
			});
			return { items: await sighted(ends, range.manifest, entries, live), position: end, done };
		},
		apply: async (_partition, items, { carry }) => {
			const { counts, found, seen } = await compare(ends, items);
			await report(found);
			return { counts, carry: rolled(carry, seen) };
		},
	};
}

/** What the source has after a page's beginning, to its last name or, on the last page, to the partition's end. */
async function sourceBetween(
	{ source, declaration }: ObjectEnds,
	{
		after,
		from,
		to,
		until,
	}: { after: string | undefined; from: string; to: string | undefined; until: string | undefined },
): Promise<ObjectInfo[]> {
	const found: ObjectInfo[] = [];
	// The end is not part of a listing; nothing stands between a name and the same with the least character after it.
	const bounds = { startOffset: (after ?? from) || undefined, endOffset: to === undefined ? until : `${to}\u0001` };
	let pageToken: string | undefined;
	do {
		const page = await source.list({ prefix: declaration.source.prefix, ...bounds, pageToken });
		found.push(...page.objects.filter(({ name }) => after === undefined || compareNames(name, after) > 0));
		pageToken = page.nextPageToken;
	} while (pageToken !== undefined);
	return found;
}

async function sighted(
	ends: ObjectEnds,
	manifest: string,
	entries: ManifestEntry[],
	live: ObjectInfo[],
): Promise<Sighted[]> {
	const names = new Map<string, Sighted>(entries.map((entry) => [entry._id.name, { name: entry._id.name, entry }]));
	const others: string[] = [];
	for (const info of live) {
		const known = names.get(info.name);
		if (known) known.live = info;
		else others.push(info.name);
	}
	const copies = sameBucket(ends) ? await targetsAmong(ends, manifest, others) : new Set<string>();
	for (const name of others)
		if (!copies.has(name)) names.set(name, { name, live: live.find((info) => info.name === name) });
	return [...names.values()];
}

export const sameBucket = ({ source, target }: ObjectEnds): boolean => source.name === target.name;

/** Those of these names that the manifest has as new names of copies. */
export async function targetsAmong({ ledger }: ObjectEnds, manifest: string, names: string[]): Promise<Set<string>> {
	if (names.length === 0) return new Set();
	const wanted = { "_id.manifest": manifest, to: { $in: names }, clash: { $ne: true } };
	const found = await manifestOf(ledger)
		.find(wanted, { projection: { to: 1 } })
		.toArray();
	return new Set(found.map(({ to }) => to as string));
}

/** Compares what was sighted with the target. */
export async function compare(ends: ObjectEnds, items: Sighted[]): Promise<Compared> {
	const letters = await lettersOf(ends, items);
	const verdicts = await atOnce(items, AT_ONCE, (item) => verdictOf(ends, item, letters));
	const counts: Counts<VerifyCount> = { read: items.length };
	for (const { is } of verdicts) counts[is] = (counts[is] ?? 0) + 1;
	return {
		counts,
		found: verdicts.flatMap(({ difference }) => difference ?? []),
		seen: verdicts.flatMap(({ seen }) => seen ?? []),
	};
}

async function verdictOf(ends: ObjectEnds, item: Sighted, letters: ReadonlySet<string>): Promise<Verdict> {
	const { name, entry, live } = item;
	// What is left out may come and go.
	if (entry === undefined ? "skip" in ends.naming.of(name) : entry.skip) return { is: "excused" };
	const found = entry?.to === undefined || entry.clash ? undefined : await ends.target.stat(entry.to);
	const source = seenOf(name, entry ?? live);
	const verdict = (is: "missing" | "different", ...paths: string[]): Verdict => ({
		is,
		seen: { source, ...(found && { target: seenOf(found.name, found) }) },
		difference: { source: name, target: entry?.to ?? "?", kind: is, ...(paths.length > 0 && { paths }) },
	});
	if (entry === undefined) return verdict("missing", "the source has it since the migration began");
	if (live === undefined) return verdict("different", "the source has it no more");
	if (live.generation !== entry.generation) return verdict("different", "the source changed since the migration began");
	if (found === undefined) return letters.has(name) ? { is: "excused", seen: { source } } : verdict("missing");
	const bytes = await bytePaths(ends, entry, found);
	const paths = [...bytes, ...metadataPaths(ends, entry, found), ...changedMetadata(entry, live)];
	if (paths.length > 0) return verdict("different", ...paths.slice(0, 10));
	return { is: "equal", seen: { source, target: source } };
}

const seenOf = (name: string, seen: Pick<ObjectInfo, "generation" | "size" | "crc32c"> | undefined) =>
	JSON.stringify([name, seen?.generation, seen?.size, seen?.crc32c]);

async function bytePaths(ends: ObjectEnds, entry: ManifestEntry, found: ObjectInfo): Promise<string[]> {
	try {
		return await byteDifferences(ends, entry, found);
	} catch (error) {
		const { code, reason } = itemProblem(error);
		return [`it cannot be compared (${code}): ${reason}`];
	}
}

/** Fields of the copy's metadata that are not as they should be. */
function metadataPaths(ends: ObjectEnds, entry: ManifestEntry, found: ObjectInfo): string[] {
	return unlike(copyInfo(ends, entry), keptOf(found)).filter((path) => !path.startsWith("metadata.holdfast-"));
}

const changedMetadata = (entry: ManifestEntry, live: ObjectInfo): string[] =>
	unlike(keptInfo(entry), keptOf(live)).map((path) => `${path}: the source's changed since the migration began`);

function unlike(
	{ metadata, ...wanted }: Partial<ObjectInfo>,
	{ metadata: given = {}, ...found }: Partial<ObjectInfo>,
): string[] {
	const fields = [...new Set([...Object.keys(wanted), ...Object.keys(found)])] as (keyof typeof wanted)[];
	const keys = [...new Set([...Object.keys(metadata ?? {}), ...Object.keys(given)])];
	return [
		...fields.filter((field) => !isDeepStrictEqual(wanted[field], found[field])),
		...keys.filter((key) => metadata?.[key] !== given[key]).map((key) => `metadata.${key}`),
	];
}

/** Names among these that the load put aside and that are still waiting. */
async function lettersOf({ ledger, declaration }: ObjectEnds, items: Sighted[]): Promise<ReadonlySet<string>> {
	const ids = items.map(({ name }) => ({ migration: declaration.name, key: name }));
	const found = await ledger.deadLetters.find({ _id: { $in: ids } }, { projection: { _id: 1 } }).toArray();
	return new Set(found.map(({ _id }) => _id.key));
}
