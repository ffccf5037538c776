import { synchronousSettings } from "./durability.ts";
import { memoryParameters } from "./memory.ts";
import type { PatroniSettings } from "./settings.ts";

export type Json = string | number | boolean | null | Json[] | { [key: string]: Json };
export type JsonObject = { [key: string]: Json };

/** Standbys, backups being taken and a few tools; changing it would restart every member, so it does not follow `members`. */
const WAL_SENDERS = 32;

/**
 * The configuration that a cluster keeps in etcd: `bootstrap.dcs` at its birth, afterwards what `PATCH /config` brings
 * it to. Holds no secrets: whoever may read etcd or the REST API sees it.
 */
export function dynamicConfig(settings: PatroniSettings): JsonObject {
	return {
		ttl: settings.ttl,
		loop_wait: settings.loopWait,
		retry_timeout: settings.retryTimeout,
		maximum_lag_on_failover: settings.maximumLagOnFailover,
		...synchronousSettings(settings.durability, settings.synchronousNodeCount),
		failsafe_mode: settings.failsafe,
		check_timeline: settings.checkTimeline,
		primary_start_timeout: settings.primaryStartTimeout,
		primary_stop_timeout: settings.primaryStopTimeout,
		// A slot of a member that is away holds WAL no longer than this, and never more than max_slot_wal_keep_size.
		member_slots_ttl: "30min",
		postgresql: { use_pg_rewind: true, use_slots: true, parameters: parametersOf(settings) },
	};
}

function parametersOf(settings: PatroniSettings): JsonObject {
	return {
		wal_level: "replica",
		hot_standby: "on",
		wal_log_hints: "on",
		max_connections: settings.maxConnections,
		max_wal_senders: WAL_SENDERS,
		max_replication_slots: WAL_SENDERS,
		max_slot_wal_keep_size: `${settings.maxSlotWalKeepSizeMB}MB`,
		archive_mode: "on",
		archive_command: settings.archiveCommand,
		password_encryption: "scram-sha-256",
		...memoryParameters(settings.memoryMB, settings.maxConnections),
		logging_collector: "on",
		log_destination: "stderr",
		// 24 files that are used again the next day: what lies in the folder never grows for ever.
		log_filename: "postgresql-%H.log",
		log_file_mode: "0600",
		log_truncate_on_rotation: "on",
		log_rotation_age: "1h",
		log_rotation_size: 0,
		log_line_prefix: "%m [%p] %q%u@%d ",
		log_min_messages: "warning",
		// Statements can hold passwords.
		log_statement: "none",
		...settings.parameters,
	};
}

/**
 * The body of `PATCH /config` that brings what was found to what is desired; `undefined` when nothing differs. What
 * `former` (what was set last) names and `desired` no longer does is deleted; what others set is left alone.
 */
export function planDynamic(found: JsonObject, desired: JsonObject, former: JsonObject = {}): JsonObject | undefined {
	const patch: JsonObject = {};
	for (const [key, wanted] of Object.entries(desired)) {
		const now = found[key];
		if (isObject(wanted) && isObject(now)) {
			const before = former[key];
			const inner = planDynamic(now, wanted, isObject(before) ? before : {});
			if (inner) patch[key] = inner;
		} else if (now === undefined || !isSame(now, wanted)) patch[key] = wanted;
	}
	for (const [key, before] of Object.entries(former)) {
		const now = found[key];
		if (key in desired || now === undefined) continue;
		const gone = isObject(before) && isObject(now) ? planDynamic(now, {}, before) : null;
		if (gone !== undefined) patch[key] = gone;
	}
	return Object.keys(patch).length === 0 ? undefined : patch;
}

const isObject = (value: Json | undefined): value is JsonObject =>
	typeof value === "object" && value !== null && !Array.isArray(value);

/** As Patroni compares: by text. It would leave 1 in place of "1", and a stricter comparison would never settle. */
function isSame(now: Json, wanted: Json): boolean {
	const scalar = (value: Json) => typeof value === "string" || typeof value === "number";
	return scalar(now) && scalar(wanted)
		? String(now) === String(wanted)
		: JSON.stringify(now) === JSON.stringify(wanted);
}
