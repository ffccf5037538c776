import type { Access } from "../access.ts";
import { HoldfastError } from "../errors.ts";
import type { Client } from "./connect.ts";
import { planGrants } from "./grants.ts";
import { findTargets } from "./grantsFound.ts";
import { GRANT_KINDS } from "./grantsPrivileges.ts";
import { quoteIdentifier } from "./identifiers.ts";
import type { Grant } from "./objectArguments.ts";
import type { Statement } from "./objectLedger.ts";
import { carryOut, transaction, versionOf, withLeader } from "./objectsRun.ts";
import type { PostgresRecord } from "./record.ts";

interface Dependency {
	/** Database that the objects are in; `null` for what all databases share. */
	database: string | null;
	open: boolean;
	/** Objects that the role owns there. */
	owned: number;
}

/** What depends on the role, by database, from the catalog that all databases share. */
const DEPENDENCIES = `SELECT datname AS database, coalesce(datallowconn, true) AS open,
		count(*) FILTER (WHERE deptype = 'o')::int AS owned
	FROM pg_shdepend LEFT JOIN pg_database d ON d.oid = dbid
	WHERE refclassid = 'pg_authid'::regclass AND refobjid = $1 GROUP BY 1, 2 ORDER BY 1 NULLS FIRST`;

/** At most five of the objects that the role owns, of those that can be named from the connected database. */
const OWNED = `SELECT pg_describe_object(classid, objid, objsubid) AS name FROM pg_shdepend
	WHERE refclassid = 'pg_authid'::regclass AND refobjid = $1 AND deptype = 'o'
		AND dbid IN (0, (SELECT oid FROM pg_database WHERE datname = current_database()))
	ORDER BY 1 LIMIT 5`;

/**
 * Drops a role that is ours. Refuses (HF_UNSAFE, naming databases and objects) while it owns anything; takes back what it
 * was granted, in every database; ends its sessions, which would go on without a role.
 */
export async function dropRole(record: PostgresRecord, access: Access, role: string, oid: number): Promise<void> {
	const { rows: dependencies } = await withLeader(record, (client) => client.query<Dependency>(DEPENDENCIES, [oid]));
	const closed = dependencies.find(({ open }) => !open);
	if (closed) throw unsafe(role, `has objects or privileges in ${closed.database}, which allows no connections`);
	await refuseOwner(record, role, oid, dependencies);
	for (const { database } of dependencies)
		await withLeader(record, (client) => disown(client, access, role, oid), { database: database ?? "postgres" });
	await withLeader(record, async (client) => {
		await carryOut(client, access, `role ${role}`, [
			{ what: "drop", sql: `DROP ROLE IF EXISTS ${quoteIdentifier(role)}` },
		]);
		await client.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usesysid = $1", [oid]);
	});
}

async function refuseOwner(record: PostgresRecord, role: string, oid: number, dependencies: readonly Dependency[]) {
	const owning = dependencies.filter(({ owned }) => owned > 0);
	if (owning.length === 0) return;
	const found = owning.map(async ({ database, owned }) => {
		const sql = { database: database ?? "postgres" };
		const { rows } = await withLeader(record, (client) => client.query<{ name: string }>(OWNED, [oid]), sql);
		const names = rows.map(({ name }) => name).join(", ");
		return `${database === null ? "" : `in database ${database}: `}${names}${owned > rows.length ? ", ..." : ""}`;
	});
	throw unsafe(role, `still owns ${(await Promise.all(found)).join("; ")}`);
}

/**
 * Takes back what the role was granted in one database. DROP OWNED would drop what it owns, too: so that there is
 * nothing of the kind, nobody else may note an owner between the look and the command.
 */
async function disown(client: Client, access: Access, role: string, oid: number) {
	await transaction(client, async () => {
		await client.query("LOCK TABLE pg_catalog.pg_shdepend IN SHARE ROW EXCLUSIVE MODE");
		const { rows } = await client.query<{ name: string }>(OWNED, [oid]);
		if (rows.length > 0) throw unsafe(role, `owns ${rows.map(({ name }) => name).join(", ")} since a moment ago`);
		const revoke = { what: "take back its privileges", sql: `DROP OWNED BY ${quoteIdentifier(role)}` };
		await carryOut(client, access, `role ${role}`, [revoke, ...(await grantedByOthers(client, role))]);
	});
}

/** DROP OWNED takes back what owners granted; the rest is what others with a grant option did. */
async function grantedByOthers(client: Client, role: string): Promise<Statement[]> {
	const { rows } = await client.query<{ schema: string }>("SELECT nspname AS schema FROM pg_namespace");
	const none = GRANT_KINDS.filter((on) => on !== "database").flatMap((on) =>
		rows.map(({ schema }): Grant => ({ role, on, schema, privileges: [] })),
	);
	const grants: Grant[] = [...none, { role, on: "database", privileges: [] }];
	const targets = await findTargets(client, grants);
	const others = targets.map((target) => ({
		...target,
		acl: target.acl.filter((item) => item.grantor !== target.owner),
	}));
	return planGrants(others, [], grants, await versionOf(client));
}

const unsafe = (role: string, why: string) =>
	new HoldfastError("HF_UNSAFE", `role ${role} is not dropped: it ${why}`, {
		next: `give what it owns to another role (REASSIGN OWNED BY ${quoteIdentifier(role)} TO ...), then run holdfast up again`,
	});
