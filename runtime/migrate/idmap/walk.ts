import { createHash } from "node:crypto";
import { idText } from "./idText.ts";
import type { Manifest } from "./manifest.ts";
import type { NewIds } from "./newIds.ts";
import type { FrozenIdMap } from "./open.ts";
import type { Pace } from "./pace.ts";
import type { Row } from "./rows.ts";

/** What a map is compared with: nothing yet, or what is there; and new ids, where old keys alone tell them. */
export interface Against {
	map: FrozenIdMap | undefined;
	expected: NewIds | undefined;
}

export interface Walked {
	/** As in a manifest. */
	keys: Manifest["keys"];
	/** Keys that the map has, and of these those with another id than expected. */
	known: number;
	otherIds: number;
	/** Keys that the map has not. */
	fresh: number;
}

interface Rows extends Row {
	next(): boolean;
}

/** Goes once through the sorted keys of all sources; `take` gets those that the map has not. */
export async function walk(rows: Rows, against: Against, pace: Pace, take?: (row: Row) => void): Promise<Walked> {
	const { map, expected } = against;
	const digest = new KeysDigest();
	const found = { known: 0, otherIds: 0, fresh: 0 };
	while (rows.next()) {
		digest.add(rows);
		const id = map?.lookup(rows.bytes.subarray(rows.from, rows.to));
		if (id === undefined) {
			found.fresh++;
			take?.(rows);
		} else {
			found.known++;
			const wanted = expected?.(rows.bytes, rows.from, rows.to, 0);
			if (wanted !== undefined && idText(map!.format, wanted, 0) !== id) found.otherIds++;
		}
		if (pace.isDue()) await pace.rest();
	}
	return { keys: digest.end(), ...found };
}

/** SHA-256 of keys in order, each with its length before it, a chunk at a time: a call for every key would cost more. */
class KeysDigest {
	readonly #hash = createHash("sha256");
	readonly #chunk = Buffer.alloc(256 * 1024);
	#length = 0;
	#count = 0;

	add({ bytes, from, to }: Row): void {
		if (this.#length + 4 + to - from > this.#chunk.length) this.#flush();
		this.#chunk.writeUInt32BE(to - from, this.#length);
		this.#length += 4 + bytes.copy(this.#chunk, this.#length + 4, from, to);
		this.#count++;
	}

	#flush(): void {
		this.#hash.update(this.#chunk.subarray(0, this.#length));
		this.#length = 0;
	}

	end(): Manifest["keys"] {
		this.#flush();
		return { count: this.#count, sha256: this.#hash.digest("hex") };
	}
}
