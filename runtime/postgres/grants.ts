import { expand, type GrantKind, type Privilege } from "./grantsPrivileges.ts";
import { quoteIdentifier } from "./identifiers.ts";
import type { Grant } from "./objectArguments.ts";
import type { Statement } from "./objectLedger.ts";

/** One item of an access control list (`aclexplode`). Roles by name; `public` is everybody. */
export interface AclItem {
	grantor: string;
	grantee: string;
	privilege: string;
	grantable: boolean;
}

/** An object that privileges are on, or the default privileges of a role's future objects. */
export interface Target {
	on: GrantKind;
	/** Its own name, for a schema, or that of the schema it lies in; absent for a database. */
	schema?: string;
	/** Of a table, sequence, routine or type. */
	name?: string;
	/** As SQL names it; empty for default privileges. */
	sql: string;
	owner: string;
	/** Default privileges: the role that makes the objects. */
	forRole?: string;
	acl: readonly AclItem[];
}

/** Whether a declaration speaks of this target. */
export function covers(grant: Grant, { on, schema, name, forRole }: Target): boolean {
	if (grant.on !== on || grant.schema !== schema || grant.forRole !== forRole) return false;
	return grant.objects === undefined || (name !== undefined && grant.objects.includes(name));
}

/** Privilege -> whether it may be granted on: what all declarations together give the role on this target. */
function wantedOn(target: Target, role: string, grants: readonly Grant[], version: number): Map<string, boolean> {
	const wanted = new Map<string, boolean>();
	for (const grant of grants) {
		if (grant.role !== role || !covers(grant, target)) continue;
		for (const privilege of expand(grant.privileges, target.on, version))
			wanted.set(privilege, (wanted.get(privilege) ?? false) || (grant.grantable ?? false));
	}
	return wanted;
}

/** One change of one privilege, before those that go into one statement are put together. */
interface Change {
	verb: "GRANT" | "GRANT GRANTABLE" | "REVOKE" | "REVOKE GRANT OPTION";
	privilege: string;
	role: string;
	/** Who must revoke it, where that is not the owner. */
	grantor?: string;
	target: Target;
}

function changesOn(target: Target, role: string, wanted: ReadonlyMap<string, boolean>): Change[] {
	const has = target.acl.filter(({ grantee }) => grantee === role);
	const revoked = has.flatMap(({ privilege, grantable, grantor }): Change[] => {
		const by = grantor === target.owner ? {} : { grantor };
		if (!wanted.has(privilege)) return [{ verb: "REVOKE", privilege, role, ...by, target }];
		if (grantable && !wanted.get(privilege)) return [{ verb: "REVOKE GRANT OPTION", privilege, role, ...by, target }];
		return [];
	});
	const granted = [...wanted].flatMap(([privilege, grantable]): Change[] => {
		if (has.some((item) => item.privilege === privilege && (item.grantable || !grantable))) return [];
		return [{ verb: grantable ? "GRANT GRANTABLE" : "GRANT", privilege, role, target }];
	});
	return [...revoked, ...granted];
}

/**
 * What gives every declared role exactly the declared privileges. Revoked is only from roles that are declared now or
 * were before (`previous`), on objects that those declarations speak of: of what others have, nothing changes. An owner
 * has every privilege on its objects and is left out.
 */
export function planGrants(
	targets: readonly Target[],
	desired: readonly Grant[],
	previous: readonly Grant[],
	version: number,
): Statement[] {
	const both = [...desired, ...previous];
	const changes = targets.flatMap((target) => {
		const roles = new Set(both.filter((grant) => covers(grant, target)).map(({ role }) => role));
		roles.delete(target.owner);
		return [...roles].flatMap((role) => changesOn(target, role, wantedOn(target, role, desired, version)));
	});
	return combine(changes).flatMap(statementsOf);
}

/** Objects of one statement: a schema may hold more than one command should name. */
const BATCH = 500;

/** Puts together what differs in the privilege only, and then what differs in the object only. */
function combine(changes: readonly Change[]): { change: Change; privileges: string[]; targets: Target[] }[] {
	const perTarget = group(changes, ({ verb, role, grantor, target }) => [verb, role, grantor, keyOf(target)]).map(
		(same) => ({ change: same[0]!, privileges: same.map(({ privilege }) => privilege).sort() }),
	);
	const alike = group(perTarget, ({ change: { verb, role, grantor, target }, privileges }) => {
		const { on, schema, forRole } = target;
		return [verb, role, grantor, on, on === "schema" ? undefined : schema, forRole, privileges];
	});
	return alike.flatMap((same) => {
		const { change, privileges } = same[0]!;
		const targets = same.map(({ change: { target } }) => target);
		const batches = Math.ceil(targets.length / BATCH);
		return Array.from({ length: batches }, (_, i) => ({
			change,
			privileges,
			targets: targets.slice(i * BATCH, (i + 1) * BATCH),
		}));
	});
}

const keyOf = ({ on, schema, forRole, sql }: Target) => [on, schema, forRole, sql];

function group<T>(items: readonly T[], keyOf: (item: T) => unknown): T[][] {
	return [...Map.groupBy(items, (item) => JSON.stringify(keyOf(item))).values()];
}

const NOUN: Readonly<Record<GrantKind, string>> = {
	database: "DATABASE",
	schema: "SCHEMA",
	tables: "TABLE",
	sequences: "SEQUENCE",
	routines: "ROUTINE",
	types: "TYPE",
};

/** A role in a grant: `public` is a word there, never a name. */
const grantee = (role: string): string => (role === "public" ? "PUBLIC" : quoteIdentifier(role));

function statementsOf({ change, privileges, targets }: ReturnType<typeof combine>[number]): Statement[] {
	const { verb, role, grantor, target } = change;
	const { on, schema, forRole } = target;
	const future = forRole !== undefined;
	const inSchema = future && schema !== undefined ? ` IN SCHEMA ${quoteIdentifier(schema)}` : "";
	const lead = future ? `ALTER DEFAULT PRIVILEGES FOR ROLE ${quoteIdentifier(forRole)}${inSchema} ` : "";
	const objects = future ? `${NOUN[on]}S` : `${NOUN[on]} ${targets.map(({ sql }) => sql).join(", ")}`;
	const list = privileges.join(", ");
	const sql = {
		GRANT: `${lead}GRANT ${list} ON ${objects} TO ${grantee(role)}`,
		"GRANT GRANTABLE": `${lead}GRANT ${list} ON ${objects} TO ${grantee(role)} WITH GRANT OPTION`,
		REVOKE: `${lead}REVOKE ${list} ON ${objects} FROM ${grantee(role)}`,
		"REVOKE GRANT OPTION": `${lead}REVOKE GRANT OPTION FOR ${list} ON ${objects} FROM ${grantee(role)}`,
	}[verb];
	const where = future ? `future ${on} of ${forRole}` : on === "database" ? on : `${on} ${schema}`;
	const statement = { what: `${verb.split(" ")[0]!.toLowerCase()} ${list} on ${where}: ${role}`, sql };
	if (grantor === undefined) return [statement];
	// What somebody with a grant option granted, not even a superuser revokes in the owner's name.
	const become = { what: `as ${grantor}`, sql: `SET LOCAL ROLE ${quoteIdentifier(grantor)}` };
	return [become, statement, { what: "as before", sql: "SET LOCAL ROLE NONE" }];
}

/**
 * A declaration as it is: of its privileges those that every object has, and those of its role that no declaration speaks
 * of. Unchanged where nothing is to be done.
 */
export function foundGrant(grant: Grant, all: readonly Grant[], targets: readonly Target[], version: number): Grant {
	const { role, on, grantable = false } = grant;
	const wanted = expand(grant.privileges, on, version);
	const own = targets.filter((target) => covers(grant, target) && target.owner !== role);
	const declared = own.map((target) => wantedOn(target, role, all, version));
	const items = own.map(({ acl }) => acl.filter(({ grantee }) => grantee === role));
	const held = wanted.filter((privilege) => items.every((acl) => acl.some((item) => item.privilege === privilege)));
	const concerned = items.flatMap((acl, i) =>
		acl.filter(({ privilege }) => !declared[i]!.has(privilege) || wanted.includes(privilege as Privilege)),
	);
	const extra = concerned.map(({ privilege }) => privilege as Privilege).filter((name) => !wanted.includes(name));
	const optional = items.some((acl, i) =>
		acl.some((item) => concerned.includes(item) && item.grantable !== (declared[i]!.get(item.privilege) ?? false)),
	);
	const privileges = held.length === wanted.length ? grant.privileges : held;
	return {
		...grant,
		privileges: [...privileges, ...new Set(extra)],
		...(optional ? { grantable: !grantable } : {}),
	};
}
