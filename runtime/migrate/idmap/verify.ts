import { HoldfastError } from "../../errors.ts";
import type { IdMapOutputs, IdSource } from "../model.ts";
import { ancestorEnds } from "../oldKey.ts";
import { compareBytes } from "./bytes.ts";
import { fileDigest } from "./complete.ts";
import { damaged } from "./format.ts";
import { idText } from "./idText.ts";
import { type FrozenIdMap, type OpenOptions, openIdMap } from "./open.ts";
import { Pace, type PaceOptions } from "./pace.ts";
import type { Segment } from "./segment.ts";
import { openKeySource } from "./sourceKeys.ts";

export interface VerifyOptions extends OpenOptions, PaceOptions {
	/** Sources of which every key must be in the map. */
	sources?: readonly IdSource[];
}

export interface VerifiedIdMap extends IdMapOutputs {
	/** Keys that the sources had, repetitions included; absent without sources. */
	sourceKeys?: number;
}

/**
 * Reads all of a map: digests of the files and of every block, order, each old key and each new id once, both orders of
 * the same pairs. HF_DAMAGED; HF_DIFFERENT when sources have keys that it lacks.
 */
export async function verifyIdMap(location: string, options: VerifyOptions = {}): Promise<VerifiedIdMap> {
	const map = await openIdMap(location, options);
	try {
		for (const [index, segment] of map.segments.entries()) {
			if ((await fileDigest(segment.path)) !== segment.manifest.sha256)
				throw damaged(segment.path, "its SHA-256 is not the one of the manifest");
			await checkPairs(map, index, options);
			await checkEntries(map, index, options);
		}
		const { hash, count, segments } = map;
		const found = { hash, count, segments: segments.length };
		if (options.sources === undefined) return found;
		return { ...found, sourceKeys: await checkSources(map, options.sources, options) };
	} finally {
		await map.close();
	}
}

const isBefore = (map: FrozenIdMap, index: number, has: (segment: Segment) => boolean): boolean =>
	map.segments.slice(0, index).some(has);

/** Old keys ascend, and no segment before has them. */
async function checkPairs(map: FrozenIdMap, index: number, options: PaceOptions): Promise<void> {
	const segment = map.segments[index]!;
	const pace = new Pace(options, "verifying", 2 * segment.manifest.count);
	let last: Buffer = Buffer.alloc(0);
	for (const { key } of segment.pairs()) {
		if (compareBytes(last, 0, last.length, key, 0, key.length) >= 0)
			throw damaged(segment.path, "its old keys are not in order");
		if (isBefore(map, index, (earlier) => earlier.lookup(key) !== undefined))
			throw damaged(segment.path, "it has an old key that a segment before it has");
		last = Buffer.from(key);
		if (pace.isDue()) await pace.rest();
	}
	if (pace.done !== segment.manifest.count) throw damaged(segment.path, "it has not as many pairs as it says");
}

/**
 * New ids ascend, each is that of the pair it names, and there are as many as pairs (or the index would not fit): so each
 * pair is named once, and no new id is given twice.
 */
async function checkEntries(map: FrozenIdMap, index: number, options: PaceOptions): Promise<void> {
	const segment = map.segments[index]!;
	const { count, format } = segment.manifest;
	const pace = new Pace(options, "verifying", 2 * count);
	pace.done = count;
	let last: Buffer = Buffer.alloc(0);
	for (const { id, ordinal } of segment.entries()) {
		if (last.compare(id) >= 0) throw damaged(segment.path, "its new ids are not in order");
		if (ordinal >= count || !segment.id(ordinal).equals(id))
			throw damaged(segment.path, "a new id names the pair of another");
		if (isBefore(map, index, (earlier) => earlier.reverse(id) !== undefined))
			throw damaged(segment.path, `it has the new id ${idText(format, id, 0)} that a segment before it has`);
		last = id;
		if (pace.isDue()) await pace.rest();
	}
}

async function checkSources(map: FrozenIdMap, sources: readonly IdSource[], options: PaceOptions): Promise<number> {
	const pace = new Pace(options, "reading keys");
	let missing = 0;
	for (const declared of sources) {
		const source = await openKeySource(declared);
		try {
			for await (const keys of source.pages()) {
				for (const key of keys) {
					const all = [...ancestorEnds(key), key.length].map((end) => key.subarray(0, end));
					if (all.some((one) => map.lookup(one) === undefined)) missing++;
					pace.done++;
				}
				await pace.rest();
			}
		} finally {
			await source.close();
		}
	}
	if (missing === 0) return pace.done;
	throw new HoldfastError(
		"HF_DIFFERENT",
		`${missing} of ${pace.done} ids of the sources are not in the map ${map.hash}`,
		{
			next: "raise generation and build again: what is new is added as a segment of its own",
		},
	);
}
