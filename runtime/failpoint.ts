import { join } from "node:path";
import { writeText } from "./files.ts";
import { home } from "./home.ts";

/** Places where a run may be killed with the most to lose, in the order they are passed. */
export type Failpoint =
	| "mongo/initiating"
	| "mongo/initiated"
	| "mongo/admin"
	| "mongo/reconfigured"
	| "mongo/restarting"
	| "etcd/added"
	| "etcd/started"
	| "postgres/initiating"
	| "postgres/initiated"
	| "postgres/passwords"
	| "postgres/reloading"
	| "postgres/rolling"
	| "postgres/retiring"
	| "redis/users"
	| "redis/dropping"
	| "redis/rolling"
	| "redis/retiring"
	| "idmap/sorted"
	| "idmap/renamed"
	| "migrate/splitting"
	| "migrate/frozen"
	| "migrate/claimed"
	| "migrate/read"
	| "migrate/written"
	| "migrate/checkpointed"
	| "migrate/partition-done"
	| "migrate/indexed"
	| "migrate/completing"
	| "objects/manifest"
	| "objects/rewriting"
	| "objects/copied"
	| "verify/compared"
	| "verify/checkpointed";

/**
 * For fault tests: a run whose HOLDFAST_FAILPOINT names this place leaves a mark in the home folder and hangs here until
 * it is killed. Does nothing otherwise.
 */
export async function failpoint(name: Failpoint): Promise<void> {
	if (process.env.HOLDFAST_FAILPOINT !== name) return;
	await writeText(join(home(), "failpoint"), `${process.pid} ${name}\n`);
	await new Promise(() => setInterval(() => {}, 60_000));
}
