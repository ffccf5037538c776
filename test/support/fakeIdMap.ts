import { createHash } from "node:crypto";
import type { IdMap } from "../../runtime/migrate/idmap/idMap.ts";

const newId = (key: Uint8Array): string => createHash("sha256").update(key).digest("hex").slice(0, 32);

/** A map of these encoded keys, in memory; its ids are hashes of the keys. */
export function fakeIdMap(keys: Iterable<Uint8Array>, hash = "a".repeat(64)): IdMap {
	const ids = new Map<string, string>();
	for (const key of keys) ids.set(Buffer.from(key).toString("latin1"), newId(key));
	const old = new Map([...ids].map(([key, id]) => [id, key]));
	return {
		hash,
		count: ids.size,
		format: "hex",
		lookup: (key) => ids.get(Buffer.from(key.buffer, key.byteOffset, key.byteLength).toString("latin1")),
		reverse: (id) => {
			const key = old.get(id);
			return key === undefined ? undefined : Buffer.from(key, "latin1");
		},
		close: async () => {},
	};
}
