import { quoteIdentifier, quoteLiteral } from "./identifiers.ts";
import type { Membership, RoleInputs } from "./objectArguments.ts";
import { foreign, marked, ownerIn, type Refusal, type Statement } from "./objectLedger.ts";
import { planSettings } from "./objectSettings.ts";

const FLAGS = {
	login: "LOGIN",
	superuser: "SUPERUSER",
	createdb: "CREATEDB",
	createrole: "CREATEROLE",
	inherit: "INHERIT",
	replication: "REPLICATION",
	bypassrls: "BYPASSRLS",
} as const;
type Flag = keyof typeof FLAGS;
const flags = Object.keys(FLAGS) as Flag[];

/** One row of pg_auth_members; who granted it, and what only 16 and later know, where the server says. */
export interface FoundMembership {
	role: string;
	admin: boolean;
	inherit?: boolean;
	set?: boolean;
	grantor?: string;
}

/** A role as the server has it. */
export interface FoundRole extends Record<Flag, boolean> {
	connectionLimit: number;
	/** Milliseconds since 1970; null is never. */
	validUntil: number | null;
	memberOf: FoundMembership[];
	settings: Record<string, string>;
	comment: string | null;
}

export interface DesiredRole extends Omit<RoleInputs, "access" | "password" | "generation"> {
	/** Who made it: the ledger's entry. */
	ledger: string;
	/** server_version_num. */
	version: number;
	/** In whose name memberships are granted: the server's first superuser. */
	grantor: string;
	/** A verifier of the declared password, where the stored one is not; `null` takes the password away. */
	verifier?: string | null;
}

export type RolePlan = { kind: "create" | "update"; statements: Statement[] } | Refusal | { kind: "nothing" };

/** First version (server_version_num) whose memberships carry `inherit`, `set` and more than one grantor. */
export const MEMBERSHIP_OPTIONS = 160_000;

/** What makes the role as declared, in one transaction: attributes, memberships and settings as exact sets, other comment kept. */
export function planRole(found: FoundRole | undefined, desired: DesiredRole): RolePlan {
	const { role, ledger, adopt, version } = desired;
	const unfit = desired.memberOf.find(({ inherit, set }) => inherit !== undefined || set !== undefined);
	if (unfit && version < MEMBERSHIP_OPTIONS) return tooOld(role, unfit);
	const present = found && ownerIn(found.comment);
	if (found && present !== ledger && !adopt) return foreign(`role ${role}`, present);
	const name = quoteIdentifier(role);
	const comment = marked(found?.comment ?? null, ledger);
	const statements = [
		...(found ? [] : [{ what: "create", sql: `CREATE ROLE ${name}` }]),
		...(found?.comment === comment
			? []
			: [{ what: "ledger", sql: `COMMENT ON ROLE ${name} IS ${quoteLiteral(comment)}` }]),
		...planAttributes(found ?? BORN, desired),
		...planPassword(desired),
		...planMemberships(found?.memberOf ?? [], desired),
		...planSettings(`ROLE ${name}`, found?.settings ?? {}, desired.settings),
	];
	if (statements.length === 0) return { kind: "nothing" };
	return { kind: found ? "update" : "create", statements };
}

/** What CREATE ROLE makes. */
const BORN: Pick<FoundRole, Flag | "connectionLimit" | "validUntil"> = {
	...{ login: false, superuser: false, createdb: false, createrole: false, replication: false, bypassrls: false },
	inherit: true,
	connectionLimit: -1,
	validUntil: null,
};

function planAttributes(
	found: typeof BORN,
	{ role, connectionLimit, validUntil, ...desired }: DesiredRole,
): Statement[] {
	const until = validUntil === undefined ? null : Date.parse(validUntil);
	const words = [
		...flags
			.filter((flag) => found[flag] !== desired[flag])
			.map((flag) => `${desired[flag] ? "" : "NO"}${FLAGS[flag]}`),
		...(found.connectionLimit === connectionLimit ? [] : [`CONNECTION LIMIT ${connectionLimit}`]),
		...(found.validUntil === until ? [] : [`VALID UNTIL ${quoteLiteral(validUntil ?? "infinity")}`]),
	];
	if (words.length === 0) return [];
	const list = words.join(" ");
	return [{ what: list, sql: `ALTER ROLE ${quoteIdentifier(role)} ${list}` }];
}

function planPassword({ role, verifier }: DesiredRole): Statement[] {
	if (verifier === undefined) return [];
	const value = verifier === null ? "NULL" : quoteLiteral(verifier);
	return [{ what: "password", sql: `ALTER ROLE ${quoteIdentifier(role)} PASSWORD ${value}` }];
}

/** Options as the server keeps them; without `inherit` and `set` where it keeps none. */
function optionsOf({ admin = false, inherit, set = true }: Membership, { inherit: role, version }: DesiredRole) {
	return version < MEMBERSHIP_OPTIONS ? { admin } : { admin, inherit: inherit ?? role, set };
}

/** A membership as a program would declare it: without what is the default anyway. */
export const declarationOf = ({ role, admin, inherit, set }: FoundMembership, member: boolean): Membership => ({
	role,
	...(admin ? { admin } : {}),
	...(inherit === undefined || inherit === member ? {} : { inherit }),
	...(set === false ? { set } : {}),
});

/** What makes the memberships exactly as declared. Those that somebody else granted are replaced by our own. */
export function planMemberships(found: readonly FoundMembership[], desired: DesiredRole): Statement[] {
	const member = quoteIdentifier(desired.role);
	const ours = ({ grantor }: FoundMembership) => grantor === undefined || grantor === desired.grantor;
	const declared = new Set(desired.memberOf.map(({ role }) => role));
	const revoked = found
		.filter((membership) => !ours(membership) || !declared.has(membership.role))
		.map(({ role, grantor }) => {
			const by = grantor === undefined ? "" : ` GRANTED BY ${quoteIdentifier(grantor)}`;
			return { what: `leave ${role}`, sql: `REVOKE ${quoteIdentifier(role)} FROM ${member}${by}` };
		});
	const granted = desired.memberOf.flatMap((membership) => {
		const now = found.find((row) => row.role === membership.role && ours(row));
		const options = optionsOf(membership, desired);
		return planMembership(quoteIdentifier(membership.role), member, now, options).map((sql) => ({
			what: `join ${membership.role}`,
			sql,
		}));
	});
	return [...revoked, ...granted];
}

function planMembership(
	role: string,
	member: string,
	now: FoundMembership | undefined,
	options: ReturnType<typeof optionsOf>,
): string[] {
	const { admin, inherit, set } = options;
	if (now && now.admin === admin && now.inherit === inherit && now.set === set) return [];
	if (inherit !== undefined) return [`GRANT ${role} TO ${member} WITH ADMIN ${admin}, INHERIT ${inherit}, SET ${set}`];
	if (now && !admin) return [`REVOKE ADMIN OPTION FOR ${role} FROM ${member}`];
	return [`GRANT ${role} TO ${member}${admin ? " WITH ADMIN OPTION" : ""}`];
}

const tooOld = (role: string, { role: of }: Membership): Refusal => ({
	kind: "refuse",
	code: "HF_SETTING",
	why: `role ${role} is a member of ${of} with inherit or set, which this server does not know before PostgreSQL 16`,
	next: "leave inherit and set out of memberOf, or use PostgreSQL 16 or later",
});
