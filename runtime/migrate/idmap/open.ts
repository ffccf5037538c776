import { HoldfastError } from "../../errors.ts";
import { BlockCache } from "./blockCache.ts";
import { chainOf, openPlace } from "./chain.ts";
import type { IdFormat, IdMap } from "./idMap.ts";
import { idBytes } from "./idText.ts";
import type { Link } from "./manifest.ts";
import type { MapPlace } from "./place.ts";
import { Segment } from "./segment.ts";

export interface OpenOptions {
	/** The map it must be: one that has grown since is opened up to that segment. HF_FROZEN when it is another. */
	hash?: string;
	/** Base URL of a storage emulator, for a `gs://` location. */
	endpoint?: string;
	/** Bytes of blocks kept in memory, outside the heap. @default 512 MiB */
	cacheBytes?: number;
}

const CACHE_BYTES = 512 * 1024 * 1024;

/** The map at a folder or `gs://bucket/prefix`. HF_REJECTED when there is none, HF_FROZEN, HF_DAMAGED. */
export async function openIdMap(location: string, options: OpenOptions = {}): Promise<FrozenIdMap> {
	const place = openPlace(location, options.endpoint);
	try {
		const links = await chainOf(place);
		if (links.length === 0)
			throw new HoldfastError("HF_REJECTED", `there is no id map in ${place.name}`, { next: "holdfast idmap build" });
		return await openChain(place, pinned(links, options.hash, place.name), options.cacheBytes);
	} finally {
		await place.close();
	}
}

/** The segments up to the one with that hash. */
function pinned(links: Link[], hash: string | undefined, name: string): Link[] {
	if (hash === undefined) return links;
	const last = links.findIndex((link) => link.hash === hash);
	if (last === -1)
		throw new HoldfastError("HF_FROZEN", `the id map in ${name} is ${links.at(-1)!.hash}, not ${hash}`, {
			next: "bring back the map it was begun with, or begin another migration with this one",
		});
	return links.slice(0, last + 1);
}

/** The map of these segments, of which there is one at least. */
export async function openChain(
	place: MapPlace,
	links: readonly Link[],
	cacheBytes = CACHE_BYTES,
): Promise<FrozenIdMap> {
	const cache = new BlockCache(cacheBytes);
	const segments: Segment[] = [];
	try {
		for (const link of links) segments.push(new Segment(await place.file(link), link, cache));
	} catch (error) {
		for (const segment of segments) segment.close();
		throw error;
	}
	return new FrozenIdMap(links, segments);
}

export class FrozenIdMap implements IdMap {
	readonly hash: string;
	readonly former: readonly string[];
	readonly count: number;
	readonly format: IdFormat;
	/** Manifests and segments, the first one first. */
	readonly links: readonly Link[];
	readonly segments: readonly Segment[];

	constructor(links: readonly Link[], segments: readonly Segment[]) {
		const last = links.at(-1)!;
		this.hash = last.hash;
		this.former = links.slice(0, -1).map(({ hash }) => hash);
		this.count = last.before + last.count;
		this.format = last.format;
		this.links = links;
		this.segments = segments;
	}

	lookup(key: Uint8Array): string | undefined {
		for (const segment of this.segments) {
			const id = segment.lookup(key);
			if (id !== undefined) return id;
		}
		return undefined;
	}

	reverse(newId: string): Buffer | undefined {
		const id = idBytes(this.format, newId);
		if (id === undefined) return undefined;
		for (const segment of this.segments) {
			const key = segment.reverse(id);
			if (key !== undefined) return key;
		}
		return undefined;
	}

	async close(): Promise<void> {
		for (const segment of this.segments) segment.close();
	}
}
