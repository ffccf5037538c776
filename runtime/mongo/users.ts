import type { Access } from "../access.ts";
import type { RoleGrant } from "./builtinRoles.ts";
import type { RoleInputs } from "./model.ts";

type Privilege = RoleInputs["privileges"][number];

/** The part of a `usersInfo` answer that matters here. */
export interface FoundUser {
	roles: RoleGrant[];
	customData?: Record<string, unknown>;
}

/** The part of a `rolesInfo` answer (`showPrivileges: true`) that matters here. */
export interface FoundRole {
	roles: RoleGrant[];
	privileges: Privilege[];
}

interface Refusal {
	kind: "refuse";
	code: "HF_FOREIGN";
	why: string;
	next: string;
}

/** One command each, so that nothing can be left half-done; `update` sends only what it names. */
export type UserStep =
	| { kind: "create"; roles: RoleGrant[]; customData: Record<string, unknown> }
	| { kind: "update"; roles?: RoleGrant[]; customData?: Record<string, unknown>; password?: true }
	| Refusal
	| { kind: "nothing" };

export type RoleStep =
	| { kind: "create"; privileges: Privilege[]; roles: RoleGrant[] }
	| { kind: "update"; privileges?: Privilege[]; roles?: RoleGrant[] }
	| Refusal
	| { kind: "nothing" };

/** `leave`: it is there, but not ours to drop. */
export type RemovalStep = { kind: "drop" } | { kind: "leave"; why: string } | { kind: "nothing" };

/** Who made a user or role: what the ledger in the database says. */
export const ownerOf = ({ stack, cluster }: Access, database: string, name: string): string =>
	`${stack}/${cluster}/${database}/${name}`;

const VERSION = 1;

/** The owner that a user's `customData` names; `undefined` when holdfast did not make it. */
export function ownerOfUser({ customData }: FoundUser): string | undefined {
	const mark = customData?.holdfast as { owner?: unknown } | undefined;
	return typeof mark?.owner === "string" ? mark.owner : undefined;
}

/**
 * Roles have no `customData`: their ledger is a privilege on a collection that can never exist ("system." names are
 * refused by the server), so it grants nothing, yet comes and goes with the role in one command.
 */
const MARK = "system.holdfast.";
const markOf = (db: string, owner: string): Privilege => ({
	resource: { db, collection: `${MARK}${encodeURIComponent(owner)}` },
	actions: ["find"],
});
function markedOwner({ resource }: Privilege): string | undefined {
	if (!("collection" in resource) || !resource.collection.startsWith(MARK)) return undefined;
	const text = resource.collection.slice(MARK.length);
	try {
		return decodeURIComponent(text);
	} catch {
		return text; // written by somebody else: an owner that is not us
	}
}

/** The owner that a role's ledger names; `undefined` when holdfast did not make it. */
export const ownerOfRole = ({ privileges }: FoundRole): string | undefined =>
	privileges.map(markedOwner).find((owner) => owner !== undefined);

/** The privileges that the program declared or an operator granted: the ledger's is not one of them. */
export const declaredPrivileges = ({ privileges }: FoundRole): Privilege[] =>
	privileges.filter((privilege) => markedOwner(privilege) === undefined);

const foreign = (what: string, owner: string | undefined): Refusal => ({
	kind: "refuse",
	code: "HF_FOREIGN",
	why: `${what} exists already and belongs to ${owner ?? "somebody else"}`,
	next: "set adopt: true on it to take it over, or choose another name",
});

const sameSet = (a: readonly string[], b: readonly string[]): boolean =>
	new Set(a).size === new Set([...a, ...b]).size && new Set(b).size === new Set(a).size;
const grantNames = (roles: readonly RoleGrant[]): string[] => roles.map(({ role, db }) => JSON.stringify([db, role]));

/** Every action on every resource, one by one: the server merges and reorders privileges. */
const actionNames = (privileges: readonly Privilege[]): string[] =>
	privileges.flatMap(({ resource, actions }) => {
		const where = JSON.stringify(Object.entries(resource).sort(([a], [b]) => (a < b ? -1 : 1)));
		return actions.map((action) => `${where} ${action}`);
	});

export interface DesiredUser {
	database: string;
	user: string;
	roles: RoleGrant[];
	owner: string;
	adopt: boolean;
	/** Whether a login with the declared password was accepted; of no meaning while the user is absent. */
	passwordWorks: boolean;
}

/** What makes the user as declared: roles as a set, other `customData` kept. */
export function planUser(
	found: FoundUser | undefined,
	{ database, user, roles, owner, adopt, passwordWorks }: DesiredUser,
): UserStep {
	const holdfast = { owner, v: VERSION };
	if (!found) return { kind: "create", roles, customData: { holdfast } };
	const present = ownerOfUser(found);
	if (present !== owner && !adopt) return foreign(`user ${user} in ${database}`, present);
	const step: UserStep = {
		kind: "update",
		...(sameSet(grantNames(found.roles), grantNames(roles)) ? {} : { roles }),
		...(present === owner ? {} : { customData: { ...found.customData, holdfast } }),
		...(passwordWorks ? {} : { password: true as const }),
	};
	return Object.keys(step).length === 1 ? { kind: "nothing" } : step;
}

export interface DesiredRole {
	database: string;
	role: string;
	privileges: Privilege[];
	roles: RoleGrant[];
	owner: string;
	adopt: boolean;
}

/** What makes the role as declared: privileges and inherited roles as sets. */
export function planRole(
	found: FoundRole | undefined,
	{ database, role, privileges, roles, owner, adopt }: DesiredRole,
): RoleStep {
	const marked = [...privileges, markOf(database, owner)];
	if (!found) return { kind: "create", privileges: marked, roles };
	const present = ownerOfRole(found);
	if (present !== owner && !adopt) return foreign(`role ${role} in ${database}`, present);
	const step: RoleStep = {
		kind: "update",
		...(sameSet(actionNames(found.privileges), actionNames(marked)) ? {} : { privileges: marked }),
		...(sameSet(grantNames(found.roles), grantNames(roles)) ? {} : { roles }),
	};
	return Object.keys(step).length === 1 ? { kind: "nothing" } : step;
}

/** Whether a user or role may be dropped: only what our ledger owns. `present` is its owner, `found` whether it is there. */
export function planRemoval(what: string, found: boolean, present: string | undefined, owner: string): RemovalStep {
	if (!found) return { kind: "nothing" };
	if (present === owner) return { kind: "drop" };
	return { kind: "leave", why: `${what} belongs to ${present ?? "somebody else"} and is left in place` };
}
