import type { DatastoreSource } from "../../runtime/datastore/source.ts";
import { collect } from "../../runtime/migrate/idmap/collect.ts";
import { Pace } from "../../runtime/migrate/idmap/pace.ts";
import type { Sorter } from "../../runtime/migrate/idmap/sorter.ts";
import { keysOf } from "../../runtime/migrate/idmap/sourceKeys.ts";
import { decodeKey, keyText } from "../../runtime/migrate/oldKey.ts";

export type Chosen = Parameters<typeof keysOf>[1];

/** The keys that a map takes from a source, as texts in the order in which they first come; a map drops repetitions. */
export async function collectedKeys(source: DatastoreSource, chosen: Chosen): Promise<string[]> {
	const found = new Set<string>();
	const sorter = {
		add: (key: Buffer, from = 0, to = key.length) => void found.add(keyText(decodeKey(key.subarray(from, to)))),
	};
	await collect(keysOf(source, chosen), sorter as unknown as Sorter, new Pace({}, "reading keys"));
	return [...found];
}
