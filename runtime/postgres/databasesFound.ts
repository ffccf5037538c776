import { sha256 } from "../sha256.ts";
import type { Session } from "./connect.ts";
import type { FoundOutside } from "./databases.ts";
import type { FoundInside } from "./databasesInside.ts";
import { covers, type Target } from "./grants.ts";
import { privilegesOf } from "./grantsPrivileges.ts";
import type { DatabaseInputs, Grant } from "./objectArguments.ts";
import type { Refusal } from "./objectLedger.ts";
import { missingRoles, SETTINGS } from "./rolesFound.ts";

/** A name that nobody else would give, the same on every run. */
export const draftOf = (ledger: string): string => `holdfast draft ${sha256(ledger).slice(0, 32)}`;

const DATABASE = `SELECT pg_get_userbyid(datdba) AS owner, datconnlimit AS "connectionLimit", datallowconn AS "allowConnections",
		shobj_description(d.oid, 'pg_database') AS comment,
		${SETTINGS("(SELECT setconfig FROM pg_db_role_setting WHERE setdatabase = d.oid AND setrole = 0)")} AS settings
	FROM pg_database d WHERE datname = $1`;

/** The database, and the draft of an interrupted run. */
export async function findOutside(session: Session, database: string, draft: string): Promise<FoundOutside> {
	const { rows } = await session.query<NonNullable<FoundOutside["database"]>>(DATABASE, [database]);
	const left = await session.query("SELECT FROM pg_database WHERE datname = $1", [draft]);
	return { ...(rows[0] ? { database: rows[0] } : {}), draft: left.rows.length > 0 };
}

const INSIDE = `SELECT
	(SELECT coalesce(json_object_agg(extname, json_build_object('version', extversion, 'schema', nspname,
			'comment', obj_description(e.oid, 'pg_extension'))), '{}')
		FROM pg_extension e JOIN pg_namespace n ON n.oid = extnamespace) AS extensions,
	(SELECT coalesce(json_object_agg(nspname, json_build_object('owner', pg_get_userbyid(nspowner),
			'comment', obj_description(oid, 'pg_namespace'))), '{}')
		FROM pg_namespace WHERE nspname !~ '^pg_(toast|temp_)') AS schemas,
	(SELECT coalesce(json_object_agg(name, json_build_object('versions', versions, 'comment', comment)), '{}') FROM (
		SELECT name, array_agg(version ORDER BY version) AS versions, min(comment) AS comment
		FROM pg_available_extension_versions WHERE name = ANY ($1) GROUP BY name) v) AS available`;

/** What is in the connected database; of the extensions that could be installed, the named ones. */
export async function findInside(
	session: Session,
	{ extensions }: Pick<DatabaseInputs, "extensions">,
): Promise<FoundInside> {
	const { rows } = await session.query<FoundInside & Record<string, unknown>>(INSIDE, [Object.keys(extensions)]);
	return rows[0]!;
}

const setting = (why: string, next: string): Refusal => ({ kind: "refuse", code: "HF_SETTING", why, next });

/** The first thing that a declaration names and the server does not have: known before anything is changed. */
export async function refusalOf(
	session: Session,
	inputs: DatabaseInputs,
	version: number,
): Promise<Refusal | undefined> {
	const { database, owner, schemas, grants } = inputs;
	const owners = [owner, ...Object.values(schemas).map((schema) => schema.owner)];
	const granted = grants.flatMap(({ role, forRole }) => [role, forRole]);
	const names = [...owners, ...granted].filter((role) => role !== undefined);
	const [missing] = await missingRoles(session, names);
	if (missing !== undefined) {
		const why = `role ${missing}, named by database ${database}, does not exist`;
		return setting(why, "declare it, and let the database depend on it");
	}
	for (const { on, privileges } of grants) {
		const unknown = privileges.find(
			(privilege) => privilege !== "ALL" && !privilegesOf(on, version).includes(privilege),
		);
		if (!unknown) continue;
		const why = `the server of database ${database} (version ${Math.floor(version / 10_000)}) has no privilege ${unknown}`;
		return setting(why, `leave ${unknown} out of the grants, or use a newer PostgreSQL`);
	}
	return undefined;
}

/** The first schema or object that a grant names and that neither is there nor is declared. */
export function missingTarget(
	{ database, schemas, grants }: DatabaseInputs,
	inside: FoundInside,
	targets: readonly Target[],
): Refusal | undefined {
	const known = (schema: string) => Object.hasOwn(inside.schemas, schema) || Object.hasOwn(schemas, schema);
	const lost = grants.find(({ schema }) => schema !== undefined && !known(schema));
	if (lost) {
		const why = `schema ${lost.schema}, named by a grant on database ${database}, does not exist`;
		return setting(why, "declare it among the database's schemas");
	}
	for (const grant of grants) {
		const { on, schema, objects = [] } = grant;
		const covered = targets.filter((target) => covers(grant, target)).map(({ name }) => name);
		const absent = objects.find((name) => !covered.includes(name));
		if (absent === undefined) continue;
		const why = `${schema}.${absent}, named by a grant on ${on} of database ${database}, does not exist`;
		return setting(why, "create it first, or use forRole for what is made later");
	}
	return undefined;
}

/** Grants whose schema or maker is there no more have gone with it. */
export async function stillThere(session: Session, grants: readonly Grant[], inside: FoundInside): Promise<Grant[]> {
	const gone = await missingRoles(
		session,
		grants.flatMap(({ role, forRole }) => [role, forRole ?? role]),
	);
	return grants.filter(
		({ role, forRole, schema }) =>
			!gone.includes(role) &&
			(forRole === undefined || !gone.includes(forRole)) &&
			(schema === undefined || Object.hasOwn(inside.schemas, schema)),
	);
}
