import { type Collection, type Filter, MaxKey } from "mongodb";
import { HoldfastError } from "../../errors.ts";
import type { ObjectInfo } from "../../gcs/bucket.ts";
import { sha256 } from "../../sha256.ts";
import { sortedJson } from "../digest.ts";
import { type Ledger, readMigration } from "../ledger.ts";
import type { NameRange } from "./nameRanges.ts";

/** An object of the source as it was when the migration began. Written once, before the migration is frozen. */
export interface ManifestEntry {
	/** Every listing has an id of its own; the frozen partitions name the one that counts. */
	_id: { manifest: string; name: string };
	migration: string;
	rule: number;
	/** New full name; absent for what is skipped or put aside. */
	to?: string;
	skip?: boolean;
	problem?: { code: string; reason: string };
	/** Another object has the same new name: none of them is copied. */
	clash?: boolean;
	generation: string;
	/** Bytes. */
	size: number;
	crc32c: string;
	/** What a copy keeps, as JSON: keys of metadata may be no names of fields. */
	kept: string;
}

/** Of a frozen partition: names of a manifest. */
export interface ObjectRange extends NameRange {
	manifest: string;
	/** How many entries it has, stretch by stretch, and the digest of each. Absent for other objects than the manifest's. */
	stretches?: { count: number; digest: string }[];
}

export const manifestOf = (ledger: Ledger): Collection<ManifestEntry> => ledger.collection<ManifestEntry>("objects");

/** Metadata of the source. */
export const keptInfo = ({ kept }: Pick<ManifestEntry, "kept">): Partial<ObjectInfo> => JSON.parse(kept);

/** A digest over entries, one after another; of what is in them from the beginning. */
export const digestWith = (digest: string, { _id, clash: _, migration: _m, ...entry }: ManifestEntry): string =>
	sha256(`${digest}\n${sortedJson({ ...entry, name: _id.name })}`);

/** HF_DAMAGED when the entries of a partition are not those that were listed. */
export async function checkEntries(entries: Collection<ManifestEntry>, range: ObjectRange): Promise<void> {
	const cursor = entries.find(within(range, undefined)).sort({ _id: 1 });
	let [digest, count] = ["", 0];
	const rest = (range.stretches ?? []).filter((stretch) => stretch.count > 0);
	let whole = true;
	for await (const entry of cursor) {
		if (count === rest[0]?.count) {
			whole &&= digest === rest.shift()?.digest;
			[digest, count] = ["", 0];
		}
		count += 1;
		digest = digestWith(digest, entry);
	}
	const last = rest.shift() ?? { count: 0, digest: "" };
	if (whole && rest.length === 0 && last.count === count && last.digest === digest) return;
	throw new HoldfastError("HF_DAMAGED", `the manifest of objects in ${entries.dbName} was altered`, {
		next: "restore the ledger's database from a backup, or begin another migration under another name",
	});
}

/** The next entries of a partition, after the name `position`. */
export function entriesAfter(
	entries: Collection<ManifestEntry>,
	range: ObjectRange,
	position: string | undefined,
	limit: number,
): Promise<ManifestEntry[]> {
	return entries.find(within(range, position)).sort({ _id: 1 }).limit(limit).toArray();
}

function within({ manifest, from, until }: ObjectRange, position: string | undefined): Filter<ManifestEntry> {
	const lower = position === undefined ? { $gte: { manifest, name: from } } : { $gt: { manifest, name: position } };
	// Names are text, and every text sorts before it.
	return { _id: { ...lower, $lt: { manifest, name: until ?? new MaxKey() } } } as Filter<ManifestEntry>;
}

/** The manifest that counts for a migration. */
export async function frozenManifest(ledger: Ledger, migration: string): Promise<string> {
	const record = await readMigration(ledger, migration);
	const range = record?.partitions[0]?.range as ObjectRange | undefined;
	if (range !== undefined) return range.manifest;
	throw new HoldfastError("HF_SETTING", `migration ${migration} was not begun`, {
		next: "run holdfast migrate run first",
	});
}

/** The entries of these names, in their order; absent where there is none. */
export async function entriesNamed(ledger: Ledger, manifest: string, names: readonly string[]) {
	const ids = names.map((name) => ({ manifest, name }));
	const found = await manifestOf(ledger)
		.find({ _id: { $in: ids } })
		.toArray();
	const entries = new Map(found.map((entry) => [entry._id.name, entry]));
	return names.map((name) => entries.get(name));
}

/** Takes away listings of this migration that never counted. */
export async function removeOthers(ledger: Ledger, migration: string, manifest: string): Promise<void> {
	await manifestOf(ledger).deleteMany({ migration, "_id.manifest": { $ne: manifest } });
}
