import { kindOf } from "../oldKey.ts";
import type { Link } from "./manifest.ts";
import { type OpenOptions, openIdMap } from "./open.ts";
import { Pace, type PaceOptions } from "./pace.ts";

export interface IdMapDescription {
	hash: string;
	count: number;
	name: string;
	strategy: string;
	format: string;
	/** Pairs by the kind of the old key. */
	kinds: Record<string, number>;
	/** The manifests, each with its own hash. */
	segments: readonly Link[];
}

/** What a map is and has; reads the old keys of all pairs. */
export async function describeIdMap(
	location: string,
	options: OpenOptions & PaceOptions = {},
): Promise<IdMapDescription> {
	const map = await openIdMap(location, options);
	try {
		const kinds = new Map<string, number>();
		const pace = new Pace(options, "counting", map.count);
		for (const segment of map.segments) {
			for (const { key } of segment.pairs()) {
				const kind = kindOf(key);
				kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
				if (pace.isDue()) await pace.rest();
			}
		}
		const { name, strategy, format } = map.links[0]!;
		const sorted = [...kinds].sort(([a], [b]) => (a < b ? -1 : 1));
		const { hash, count, links } = map;
		return { hash, count, name, strategy, format, kinds: Object.fromEntries(sorted), segments: links };
	} finally {
		await map.close();
	}
}
