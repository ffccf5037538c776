import { z } from "zod";

/** What sets a parameter instead; parameters that the cluster's safety rests on say why they cannot be set. */
const owned: Readonly<Record<string, string>> = {
	...from("it follows from the member's address", ["listen_addresses", "port", "unix_socket_directories"]),
	...from("it is the cluster's name", ["cluster_name"]),
	...from("it follows from the member's folder", [
		...["data_directory", "config_file", "hba_file", "ident_file", "external_pid_file"],
		...["logging_collector", "log_destination", "log_directory", "log_filename", "log_file_mode"],
		...["log_rotation_age", "log_rotation_size", "log_truncate_on_rotation"],
	]),
	...from("Patroni sets it", [
		...["hot_standby", "wal_log_hints", "max_wal_senders", "max_replication_slots", "primary_conninfo"],
		...["primary_slot_name", "synchronous_standby_names", "synchronized_standby_slots", "restore_command"],
		...["recovery_target", "recovery_target_action", "recovery_target_inclusive", "recovery_target_lsn"],
		...["recovery_target_name", "recovery_target_time", "recovery_target_timeline", "recovery_target_xid"],
		...["archive_cleanup_command", "recovery_end_command", "recovery_min_apply_delay", "promote_trigger_file"],
	]),
	...from("use maxConnections", ["max_connections"]),
	...from("use archiveCommand", ["archive_mode", "archive_command", "archive_library"]),
	...from("use maxSlotWalKeepSizeMB", ["max_slot_wal_keep_size"]),
	...from("only scram-sha-256 is admitted", ["password_encryption"]),
	...from("use tls", [
		...["ssl", "ssl_ca_file", "ssl_cert_file", "ssl_key_file", "ssl_crl_file", "ssl_crl_dir"],
		...["ssl_passphrase_command", "ssl_passphrase_command_supports_reload"],
	]),
	...from("a crash would damage the data", ["fsync", "full_page_writes", "data_sync_retry", "wal_sync_method"]),
	...from("damaged data would go unnoticed", [
		...["zero_damaged_pages", "ignore_checksum_failure", "ignore_invalid_pages", "ignore_system_indexes"],
	]),
};

function from(why: string, names: readonly string[]): Record<string, string> {
	return Object.fromEntries(names.map((name) => [name, why]));
}

/** Parameters of which only some values keep what the cluster promises. */
const allowed: Readonly<Record<string, readonly string[]>> = {
	wal_level: ["replica", "logical"],
	synchronous_commit: ["on", "remote_apply"],
};

/** PostgreSQL's own spelling of a value: lines cannot be broken in postgresql.conf. */
export const asText = (value: string | number | boolean): string =>
	typeof value === "boolean" ? (value ? "on" : "off") : String(value);

const valueSchema = z.union([
	z.string().regex(/^[^\0\r\n]*$/, "a parameter is one line"),
	z.number().refine(Number.isFinite, "use a finite number"),
	z.boolean(),
]);

/** Further PostgreSQL parameters (GUCs), by name. */
export const parametersSchema = z
	.record(z.string(), valueSchema)
	.superRefine((parameters, context) => {
		const seen = new Set<string>();
		for (const [name, value] of Object.entries(parameters)) {
			for (const message of problems(name.toLowerCase(), asText(value), seen))
				context.addIssue({ code: "custom", path: [name], message });
			seen.add(name.toLowerCase());
		}
	})
	.transform((parameters) =>
		Object.fromEntries(
			Object.entries(parameters)
				.map(([name, value]) => [name.toLowerCase(), asText(value)] as const)
				.sort(([a], [b]) => (a < b ? -1 : 1)),
		),
	);

const NAME = /^[a-z_][a-z0-9_$]*(\.[a-z_][a-z0-9_$]*)*$/;

function problems(name: string, value: string, seen: ReadonlySet<string>): string[] {
	if (!NAME.test(name)) return [`parameters.${name} is not the name of a parameter`];
	if (seen.has(name)) return [`parameters.${name} is given twice`];
	if (owned[name] !== undefined) return [`parameters.${name} cannot be set: ${owned[name]}`];
	const values = allowed[name];
	if (values && !values.includes(value.toLowerCase())) return [`parameters.${name} may only be ${values.join(" or ")}`];
	return [];
}
