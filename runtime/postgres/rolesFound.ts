import type { Session } from "./connect.ts";
import type { FoundRole } from "./roles.ts";

/** `name=value` items as an object. */
export const SETTINGS = (list: string): string =>
	`(SELECT coalesce(json_object_agg(split_part(item, '=', 1), substr(item, strpos(item, '=') + 1)), '{}')
		FROM unnest(${list}) item)`;

/** Rows of memberships as JSON: before 16 there is one a role and member, without options or a grantor that counts. */
const MEMBERSHIPS = `(SELECT coalesce(json_agg(CASE WHEN current_setting('server_version_num')::int >= 160000
		THEN json_build_object('role', g.rolname, 'admin', m.admin_option, 'inherit', to_jsonb(m) -> 'inherit_option',
			'set', to_jsonb(m) -> 'set_option', 'grantor', pg_get_userbyid(m.grantor))
		ELSE json_build_object('role', g.rolname, 'admin', m.admin_option) END ORDER BY g.rolname), '[]')
	FROM pg_auth_members m JOIN pg_authid g ON g.oid = m.roleid WHERE m.member = r.oid)`;

const ROLE = `SELECT r.oid, rolpassword AS stored, rolcanlogin AS login, rolsuper AS superuser, rolcreatedb AS createdb,
		rolcreaterole AS createrole, rolinherit AS inherit, rolreplication AS replication, rolbypassrls AS bypassrls,
		rolconnlimit AS "connectionLimit",
		CASE WHEN isfinite(rolvaliduntil) THEN floor(extract(epoch FROM rolvaliduntil) * 1000)::float8 END AS "validUntil",
		shobj_description(r.oid, 'pg_authid') AS comment, ${MEMBERSHIPS} AS "memberOf",
		${SETTINGS("(SELECT setconfig FROM pg_db_role_setting WHERE setrole = r.oid AND setdatabase = 0)")} AS settings
	FROM pg_authid r WHERE rolname = $1`;

/** `stored` is the verifier, or what else the server keeps of the password; `null` is none. */
type Row = FoundRole & { oid: number; stored: string | null };

/** The role as it is on the connected server. */
export async function findRole(session: Session, role: string): Promise<Row | undefined> {
	const { rows } = await session.query<Row>(ROLE, [role]);
	return rows[0];
}

/** The name of the server's first superuser, in whose name every superuser's memberships are granted. */
export async function firstSuperuser(session: Session): Promise<string> {
	const { rows } = await session.query<{ rolname: string }>("SELECT rolname FROM pg_authid WHERE oid = 10");
	return rows[0]!.rolname;
}

/** Those of `names` that are no roles; `public` is no role, but everybody. */
export async function missingRoles(session: Session, names: readonly string[]): Promise<string[]> {
	const sql =
		"SELECT DISTINCT name FROM unnest($1::text[]) name WHERE name <> 'public' AND name NOT IN (SELECT rolname FROM pg_roles)";
	const { rows } = await session.query<{ name: string }>(sql, [names]);
	return rows.map(({ name }) => name);
}
