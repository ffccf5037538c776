/** What a grant can be on. `tables` are views and foreign tables too, `routines` functions, procedures and aggregates. */
export const GRANT_KINDS = ["database", "schema", "tables", "sequences", "routines", "types"] as const;
export type GrantKind = (typeof GRANT_KINDS)[number];

export const PRIVILEGES = [
	"ALL",
	"SELECT",
	"INSERT",
	"UPDATE",
	"DELETE",
	"TRUNCATE",
	"REFERENCES",
	"TRIGGER",
	"MAINTAIN",
	"USAGE",
	"CREATE",
	"CONNECT",
	"TEMPORARY",
	"EXECUTE",
] as const;
export type Privilege = (typeof PRIVILEGES)[number];

const OF: Readonly<Record<GrantKind, readonly Privilege[]>> = {
	database: ["CREATE", "CONNECT", "TEMPORARY"],
	schema: ["USAGE", "CREATE"],
	tables: ["SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE", "REFERENCES", "TRIGGER", "MAINTAIN"],
	sequences: ["USAGE", "SELECT", "UPDATE"],
	routines: ["EXECUTE"],
	types: ["USAGE"],
};

/** First version (server_version_num) that has a privilege, where not all supported ones do. */
const SINCE: Partial<Record<Privilege, number>> = { MAINTAIN: 170_000 };

/** All privileges that the kind of object has on a server of this version; without one, on the newest. */
export const privilegesOf = (on: GrantKind, version = Number.POSITIVE_INFINITY): readonly Privilege[] =>
	OF[on].filter((privilege) => version >= (SINCE[privilege] ?? 0));

/** The privileges without `ALL`. */
export const expand = (privileges: readonly Privilege[], on: GrantKind, version: number): readonly Privilege[] =>
	privileges.includes("ALL") ? privilegesOf(on, version) : privileges;
