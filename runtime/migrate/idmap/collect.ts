import { HoldfastError } from "../../errors.ts";
import { ancestorEnds } from "../oldKey.ts";
import { MAX_KEY } from "./format.ts";
import type { Pace } from "./pace.ts";
import type { Sorter } from "./sorter.ts";
import type { KeySource } from "./sourceKeys.ts";

/** Puts all keys of a source and all their ancestors into a sorter. */
export async function collect(source: KeySource, sorter: Sorter, pace: Pace): Promise<void> {
	const parents = new Parents(sorter);
	for await (const keys of source.pages()) {
		for (const key of keys) {
			if (key.length > MAX_KEY)
				throw new HoldfastError("HF_REJECTED", `${source.note.name} has a key of more than ${MAX_KEY} bytes`, {
					next: "leave it out: Datastore takes keys of 6 KiB at most",
				});
			parents.add(key);
			sorter.add(key);
			pace.done++;
		}
		await pace.rest();
	}
}

/** Ancestors of keys. Those of a key are mostly those of the key before it, and then are not added again. */
class Parents {
	readonly #sorter: Sorter;
	#last = Buffer.alloc(0);

	constructor(sorter: Sorter) {
		this.#sorter = sorter;
	}

	add(key: Buffer): void {
		const ends = ancestorEnds(key);
		const parent = ends.at(-1) ?? 0;
		if (parent === 0 || this.#last.equals(key.subarray(0, parent))) return;
		for (const end of ends) this.#sorter.add(key, 0, end);
		this.#last = Buffer.from(key.subarray(0, parent));
	}
}
