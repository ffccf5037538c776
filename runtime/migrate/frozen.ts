import { identityOf } from "../datastore/identity.ts";
import { HoldfastError } from "../errors.ts";
import { jsonDigest } from "./digest.ts";
import type { IdMap } from "./idmap/idMap.ts";
import type { Frozen } from "./ledger.ts";
import type { BucketPlace, Migration } from "./model.ts";
import { rulesHash } from "./rulesHash.ts";
import type { Transfer } from "./transfer.ts";

/** What a declaration would freeze; a read time that it names counts, whether or not the source honours it. */
export function frozenOf(
	declaration: Migration,
	map: Pick<IdMap, "hash">,
	transfer: Pick<Transfer, "ends" | "readTime">,
): Frozen {
	const readTime = transfer.readTime;
	return {
		kind: declaration.kind,
		ends: transfer.ends,
		mapHash: map.hash,
		rulesHash: rulesOf(declaration),
		...(readTime !== undefined && { readTime }),
	};
}

const rulesOf = (declaration: Migration): string =>
	jsonDigest({ rules: rulesHash(declaration.rules), ...selectionOf(declaration) });

/** What of the source is moved: changed, it would leave holes in partitions that are done. */
const selectionOf = (declaration: Migration): object =>
	declaration.kind === "datastore"
		? { namespaces: sorted(declaration.source.namespaces), kinds: sorted(declaration.source.kinds) }
		: { unmatched: declaration.unmatched };

const sorted = (names: "all" | readonly string[]) => (names === "all" ? names : names.toSorted());

/** What a declaration says by itself of what is frozen: neither its map nor its source is looked at. */
export function declaredOf(declaration: Migration): Partial<Frozen> {
	const { kind, idMap } = declaration;
	const readTime = declaration.kind === "datastore" ? declaration.readTime : undefined;
	return {
		kind,
		rulesHash: rulesOf(declaration),
		ends: endsOf(declaration),
		...(idMap.hash !== undefined && { mapHash: idMap.hash }),
		...(readTime !== undefined && { readTime }),
	};
}

function endsOf(declaration: Migration): Frozen["ends"] {
	if (declaration.kind === "objects") {
		const place = ({ bucket, prefix }: BucketPlace) => `gs://${bucket}${prefix === "" ? "" : `/${prefix}`}`;
		return { source: place(declaration.source), target: place(declaration.target) };
	}
	return { source: identityOf(declaration.source).name, target: declaration.database };
}

/** As a declaration names them: without the address of an emulator. */
export const withoutAddress = ({ source, target }: Frozen["ends"]): Frozen["ends"] => {
	const bare = (end: string) => end.replace(/^\S+ (?=gs:\/\/|projects\/)/, "");
	return { source: bare(source), target: bare(target) };
};

/** What a migration was begun with, other than what it would be gone on with, as far as that is known; in words. */
export function differing(begun: Frozen, now: Partial<Frozen>, anyTime = false): string[] {
	const { kind, ends, mapHash, rulesHash } = { ...begun, ...now };
	const same = {
		"kind of migration": begun.kind === kind,
		source: begun.ends.source === ends.source,
		target: begun.ends.target === ends.target,
		"id map": begun.mapHash === mapHash,
		rules: begun.rulesHash === rulesHash,
		"read time": anyTime || timeOf(begun) === timeOf(now),
	};
	return Object.entries(same).flatMap(([what, is]) => (is ? [] : [what]));
}

const timeOf = ({ readTime }: Partial<Frozen>): number =>
	(readTime === undefined ? Number.NaN : Date.parse(readTime)) || 0;

/** HF_FROZEN, naming what differs. `anyTime`: the read time may be another, for a verification. */
export function refuseAnother(begun: Frozen & { _id: string }, now: Partial<Frozen>, anyTime: boolean): void {
	const found = differing(begun, now, anyTime);
	if (found.length === 0) return;
	const verb = found.length === 1 ? "is" : "are";
	throw new HoldfastError(
		"HF_FROZEN",
		`migration ${begun._id} was begun with another ${found.join(" and another ")} than what ${verb} declared now`,
	);
}
