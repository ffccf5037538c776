import type { Logger } from "pino";
import type { DiscoverySource } from "../discovery/source.ts";

/** How to sign in to the nodes; asked anew for every connection, so that a rotated password is used at once. */
export interface Credentials {
	/** @default the user "default" */
	username?: string;
	/** @default none */
	password?: string;
}

/** What a held node is treated like without a word of the operator. */
export type OnStale = "hold" | "merge";

/** Of `openManager`. Whatever has a default may be left out. */
export interface ManagerSettings {
	discovery: DiscoverySource;
	/** Port of every node, instead of what discovery says. @default the port that discovery says, else 6379 */
	port?: number;
	/** @default no sign-in */
	credentials?: () => Credentials;
	/** Events of nodes, rounds and discovery; never keys or values. */
	log: Logger;
	/** Milliseconds within which a node answers a write; later is `unknown`. @default 1000 */
	writeTimeoutMs?: number;
	/** Milliseconds within which a node answers a read. @default 1000 */
	readTimeoutMs?: number;
	/** Seconds that a tombstone, or an expired record, is kept. @default 864000, 10 days */
	graceSeconds?: number;
	/** Seconds that a node which discovery found no more, and nobody reaches, still counts. @default 600; 0 where the list is declared */
	removalGraceSeconds?: number;
	/** Milliseconds by which a stamp may be ahead of the clock. @default 60000 */
	maxSkewMs?: number;
	/** Seconds between two rounds. @default 3600 */
	roundSeconds?: number;
	/**
	 * Seconds for which nodes that are away, and may know more, are waited for: before a round with a majority is enough to
	 * read from a node that may have lost writes, before new nodes count without them, and before a manager that finds no
	 * mark takes the others for all there is. @default 10
	 */
	lossWaitSeconds?: number;
	/** `hold`: left alone and reported; `merge`: what only it has is given to the others, then it is filled anew. @default hold */
	onStale?: OnStale;
	/** Bytes that a value may have. @default 1048576 */
	valueBytes?: number;
	/** Parts of the key space that digests are compared by; a power of two. @default 4096 */
	buckets?: number;
	/** Records that travel together in a round. @default 500 */
	pageSize?: number;
	/** Milliseconds between two looks at a node. @default 1000 */
	probeMs?: number;
	/** Milliseconds between two looks at discovery. @default 30000; a file 1000 */
	discoveryMs?: number;
	/** Milliseconds since 1970; for tests. @default Date.now */
	now?: () => number;
}

/** With all defaults. */
export type Settled = Required<Omit<ManagerSettings, "port">> & Pick<ManagerSettings, "port">;

export function settle(settings: ManagerSettings): Settled {
	const declared = settings.discovery.kind !== "flux";
	return {
		credentials: () => ({}),
		writeTimeoutMs: 1000,
		readTimeoutMs: 1000,
		graceSeconds: 864_000,
		removalGraceSeconds: declared ? 0 : 600,
		maxSkewMs: 60_000,
		roundSeconds: 3600,
		lossWaitSeconds: 10,
		onStale: "hold",
		valueBytes: 1_048_576,
		buckets: 4096,
		pageSize: 500,
		probeMs: 1000,
		discoveryMs: settings.discovery.kind === "flux" ? 30_000 : 1000,
		now: Date.now,
		...stripped(settings),
	};
}

/** Without what is `undefined`, which would stand in the way of a default. */
function stripped(settings: ManagerSettings): ManagerSettings {
	return Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined)) as never;
}
