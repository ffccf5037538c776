import { HoldfastError } from "../errors.ts";

/**
 * What an acknowledged commit means. `async`: it is on the leader's disk. `sync`: on one named standby's too. `quorum`:
 * on any one of the standbys' too, and only members that may have it can be elected. `strict`: as `quorum`, and commits
 * wait while no standby is there; `sync` and `quorum` go on without one then, and let nobody else take over meanwhile.
 */
export type Durability = "async" | "sync" | "quorum" | "strict";

export const defaultDurability = (members: number): Durability =>
	members >= 3 ? "quorum" : members === 2 ? "sync" : "async";

/** Throws HF_SETTING for what so many members can never fulfil. */
export function checkDurability(durability: Durability, members: number, nodeCount: number): void {
	if (durability === "strict" && members === 1) {
		throw new HoldfastError("HF_SETTING", "durability is strict with members 1: no write could ever be acknowledged", {
			next: "declare members 2 or more, or durability async",
		});
	}
	if (durability !== "async" && members > 1 && nodeCount > members - 1) {
		throw new HoldfastError(
			"HF_SETTING",
			`synchronousNodeCount is ${nodeCount}, but members ${members} leaves only ${members - 1} standbys`,
		);
	}
}

/** How many standbys have to be synchronous before a cluster of so many members is as durable as declared. */
export const standbysNeeded = (durability: Durability, members: number, nodeCount: number): number =>
	durability === "async" ? 0 : Math.min(nodeCount, members - 1);

/**
 * Patroni's settings for it. `strict` is quorum commit too, not the older `on`: any standby may acknowledge, so a slow
 * one does not hold commits up, and Patroni keeps at least one in `synchronous_standby_names`.
 */
export function synchronousSettings(durability: Durability, nodeCount: number) {
	const mode = { async: false, sync: true, quorum: "quorum", strict: "quorum" }[durability];
	return {
		synchronous_mode: mode,
		synchronous_mode_strict: durability === "strict",
		synchronous_node_count: nodeCount,
	};
}

/** The durability that Patroni's settings stand for. */
export function durabilityOf(dynamic: Readonly<Record<string, unknown>> = {}): Durability {
	if (dynamic.synchronous_mode_strict === true) return "strict";
	if (dynamic.synchronous_mode === "quorum") return "quorum";
	return dynamic.synchronous_mode === true ? "sync" : "async";
}
