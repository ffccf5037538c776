import { bucketPlace } from "./bucketPlace.ts";
import { localPlace } from "./localPlace.ts";
import { checkChain, type Link, parseManifest, segmentName } from "./manifest.ts";
import type { MapPlace } from "./place.ts";

export const openPlace = (location: string, endpoint?: string): MapPlace =>
	location.startsWith("gs://") ? bucketPlace(location, endpoint) : localPlace(location);

/** The manifests of a map, the first one first; none when there is no map. HF_DAMAGED when they do not fit together. */
export async function chainOf(place: MapPlace): Promise<Link[]> {
	const links: Link[] = [];
	for (;;) {
		const text = await place.manifest(links.length);
		if (text === undefined) break;
		links.push(parseManifest(text, `${segmentName(links.length)}.json of ${place.name}`));
	}
	checkChain(links, place.name);
	return links;
}
