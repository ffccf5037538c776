import { createHash } from "node:crypto";
import type { IdFormat, IdMap } from "../../runtime/migrate/idmap/idMap.ts";
import { decodeKey } from "../../runtime/migrate/oldKey.ts";

const written: Record<IdFormat, (digest: Buffer) => string> = {
	hex: (digest) => digest.toString("hex", 0, 16),
	uuid: (digest) => digest.toString("hex", 0, 16).replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-"),
	objectId: (digest) => digest.toString("hex", 0, 12),
	integer: (digest) => String(digest.readBigUInt64BE() >> 1n),
};

/** A map that knows every key, but those that have one of the `unknown` kinds last in their path. */
export function fakeMap(format: IdFormat = "hex", unknown: readonly string[] = ["Gone"]): IdMap {
	const remembered = new Map<string, Buffer>();
	return {
		hash: "0".repeat(64),
		count: 0,
		format,
		lookup(key) {
			if (unknown.includes(decodeKey(Buffer.from(key)).path.at(-1)?.kind ?? "")) return undefined;
			const id = written[format](createHash("sha256").update(key).digest());
			remembered.set(id, Buffer.from(key));
			return id;
		},
		reverse: (id) => remembered.get(id),
		async close() {},
	};
}
