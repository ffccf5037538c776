import type { Session } from "./connect.ts";
import type { Target } from "./grants.ts";
import type { GrantKind } from "./grantsPrivileges.ts";
import type { Grant } from "./objectArguments.ts";

/** An access control list as JSON; `acldefault` is what counts where nobody ever granted or revoked. */
const acl = (list: string, standard: string): string =>
	`(SELECT coalesce(json_agg(json_build_object(
		'grantor', pg_get_userbyid(a.grantor),
		'grantee', CASE a.grantee WHEN 0 THEN 'public' ELSE pg_get_userbyid(a.grantee) END,
		'privilege', a.privilege_type, 'grantable', a.is_grantable)), '[]')
	FROM aclexplode(coalesce(${list}, ${standard})) a) AS acl`;

const DATABASE = `SELECT format('%I', datname) AS sql, pg_get_userbyid(datdba) AS owner, ${acl("datacl", "acldefault('d', datdba)")}
	FROM pg_database WHERE datname = current_database()`;

/** Names of schemas are the first argument. */
const OBJECTS: Readonly<Record<Exclude<GrantKind, "database">, string>> = {
	schema: `SELECT nspname AS schema, format('%I', nspname) AS sql, pg_get_userbyid(nspowner) AS owner,
			${acl("nspacl", "acldefault('n', nspowner)")}
		FROM pg_namespace WHERE nspname = ANY ($1) ORDER BY 1`,
	tables: relations("'r', 'p', 'v', 'm', 'f'", "r"),
	sequences: relations("'S'", "s"),
	routines: `SELECT nspname AS schema, proname AS name, p.oid::regprocedure::text AS sql, pg_get_userbyid(proowner) AS owner,
			${acl("proacl", "acldefault('f', proowner)")}
		FROM pg_proc p JOIN pg_namespace n ON n.oid = pronamespace WHERE nspname = ANY ($1) ORDER BY 3`,
	// Not those that belong to a table or to another type: their privileges are its.
	types: `SELECT nspname AS schema, typname AS name, format('%I.%I', nspname, typname) AS sql, pg_get_userbyid(typowner) AS owner,
			${acl("typacl", "acldefault('T', typowner)")}
		FROM pg_type t JOIN pg_namespace n ON n.oid = typnamespace LEFT JOIN pg_class c ON c.oid = typrelid
		WHERE nspname = ANY ($1) AND typtype IN ('b', 'c', 'd', 'e', 'r') AND (c.oid IS NULL OR relkind = 'c')
			AND NOT EXISTS (SELECT FROM pg_type e WHERE e.typarray = t.oid) ORDER BY 3`,
};

function relations(kinds: string, standard: string): string {
	return `SELECT nspname AS schema, relname AS name, format('%I.%I', nspname, relname) AS sql,
			pg_get_userbyid(relowner) AS owner, ${acl("relacl", `acldefault('${standard}', relowner)`)}
		FROM pg_class JOIN pg_namespace n ON n.oid = relnamespace
		WHERE nspname = ANY ($1) AND relkind IN (${kinds}) ORDER BY 3`;
}

/** Letters of an object's kind, in pg_default_acl and for `acldefault`. */
const LETTERS: Readonly<Record<Exclude<GrantKind, "database">, readonly [stored: string, standard: string]>> = {
	schema: ["n", "n"],
	tables: ["r", "r"],
	sequences: ["S", "s"],
	routines: ["f", "f"],
	types: ["T", "T"],
};

/** Default privileges of one schema come on top of the general ones, which begin with the built-in ones. */
const DEFAULTS = `SELECT ${acl("d.defaclacl", `CASE WHEN $2::text IS NULL THEN acldefault($4::"char", r.oid) END`)}
	FROM pg_roles r LEFT JOIN pg_default_acl d ON d.defaclrole = r.oid AND d.defaclobjtype = $3::"char"
		AND d.defaclnamespace = CASE WHEN $2::text IS NULL THEN 0 ELSE (SELECT oid FROM pg_namespace WHERE nspname = $2) END
	WHERE rolname = $1`;

/** Everything in the connected database that the declarations speak of, with its access control list. */
export async function findTargets(session: Session, grants: readonly Grant[]): Promise<Target[]> {
	const present = grants.filter(({ forRole }) => forRole === undefined);
	const targets: Target[] = [];
	for (const [on, same] of Map.groupBy(present, (grant) => grant.on)) {
		const schemas = [...new Set(same.map(({ schema }) => schema))];
		const { rows } =
			on === "database"
				? await session.query<Omit<Target, "on">>(DATABASE)
				: await session.query<Omit<Target, "on">>(OBJECTS[on], [schemas]);
		targets.push(...rows.map((row) => ({ ...row, on })));
	}
	return [...targets, ...(await findDefaults(session, grants))];
}

async function findDefaults(session: Session, grants: readonly Grant[]): Promise<Target[]> {
	const targets = new Map<string, Target>();
	for (const { on, schema, forRole } of grants) {
		const key = JSON.stringify([on, schema, forRole]);
		if (forRole === undefined || on === "database" || targets.has(key)) continue;
		const values = [forRole, schema ?? null, ...LETTERS[on]];
		const { rows } = await session.query<Pick<Target, "acl">>(DEFAULTS, values);
		const where = { on, forRole, owner: forRole, sql: "", ...(schema === undefined ? {} : { schema }) };
		for (const { acl } of rows) targets.set(key, { ...where, acl });
	}
	return [...targets.values()];
}
