/** A role granted to a user or to another role. */
export interface RoleGrant {
	role: string;
	/** Database that holds the role, which need not be the user's. */
	db: string;
}

/** Roles that every database has. */
const EVERY = new Set(["read", "readWrite", "dbAdmin", "dbOwner", "userAdmin", "enableSharding"]);

/**
 * Roles that only `admin` has. The internal ones, `__system` and `__queryableBackup`, are left out on purpose:
 * nobody may be granted them.
 */
const ADMIN = new Set([
	"readAnyDatabase",
	"readWriteAnyDatabase",
	"userAdminAnyDatabase",
	"dbAdminAnyDatabase",
	"clusterAdmin",
	"clusterManager",
	"clusterMonitor",
	"hostManager",
	"backup",
	"restore",
	"root",
	"directShardOperations",
	"searchCoordinator",
]);

/** Whether MongoDB itself brings this role along (self-managed servers, 4.4 to 8.x). */
export const isBuiltin = ({ role, db }: RoleGrant): boolean => EVERY.has(role) || (db === "admin" && ADMIN.has(role));

/** The granted roles that are neither MongoDB's own nor declared: the server would refuse them half-way. */
export function unknownRoles(roles: readonly RoleGrant[], declared: readonly RoleGrant[]): RoleGrant[] {
	const known = (grant: RoleGrant) => declared.some(({ role, db }) => role === grant.role && db === grant.db);
	return roles.filter((grant) => !isBuiltin(grant) && !known(grant));
}
