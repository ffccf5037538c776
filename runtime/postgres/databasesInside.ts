import { quoteIdentifier, quoteLiteral } from "./identifiers.ts";
import type { DatabaseInputs } from "./objectArguments.ts";
import { marked, ownerIn, type Refusal, type Statement } from "./objectLedger.ts";

export interface FoundExtension {
	version: string;
	schema: string;
	comment: string | null;
}

export interface FoundSchema {
	owner: string;
	comment: string | null;
}

/** What is in a database, by name. */
export interface FoundInside {
	extensions: Readonly<Record<string, FoundExtension>>;
	schemas: Readonly<Record<string, FoundSchema>>;
	/** Extensions that could be installed, and what they say of themselves. */
	available: Readonly<Record<string, { versions: readonly string[]; comment: string | null }>>;
}

export interface DesiredInside extends Pick<DatabaseInputs, "database" | "extensions" | "schemas"> {
	ledger: string;
}

/** Of names that anybody may give: `constructor` is one. */
export const own = <T>(named: Readonly<Record<string, T>>, name: string): T | undefined =>
	Object.hasOwn(named, name) ? named[name] : undefined;

/**
 * What makes schemas and extensions as declared, in one transaction. Those that carry our mark and are declared no more are
 * dropped, never with what depends on them; others that are not declared are left alone.
 */
export function planInside(found: FoundInside, desired: DesiredInside): Statement[] | Refusal {
	const unknown = Object.entries(desired.extensions).find(([name, { version }]) => !isAvailable(found, name, version));
	if (unknown) return unavailable(found, desired.database, ...unknown);
	const ours = (comment: string | null) => ownerIn(comment) === desired.ledger;
	const left = (present: FoundInside["schemas"] | FoundInside["extensions"], declared: object) =>
		Object.keys(present).filter((name) => ours(present[name]!.comment) && !Object.hasOwn(declared, name));
	return [
		...Object.entries(desired.schemas).flatMap(([name, schema]) =>
			planSchema(name, schema.owner, own(found.schemas, name), desired.ledger),
		),
		...Object.entries(desired.extensions).flatMap(([name, extension]) =>
			planExtension(name, extension, found, desired.ledger),
		),
		...left(found.extensions, desired.extensions).map((name) => ({
			what: `drop extension ${name}`,
			sql: `DROP EXTENSION ${quoteIdentifier(name)} RESTRICT`,
		})),
		...left(found.schemas, desired.schemas).map((name) => ({
			what: `drop schema ${name}`,
			sql: `DROP SCHEMA ${quoteIdentifier(name)} RESTRICT`,
		})),
	];
}

function isAvailable({ extensions, available }: FoundInside, name: string, version: string | undefined): boolean {
	const installed = own(extensions, name);
	if (installed && (version === undefined || installed.version === version)) return true;
	const known = own(available, name);
	return known !== undefined && (version === undefined || known.versions.includes(version));
}

function unavailable(
	{ available }: FoundInside,
	database: string,
	name: string,
	{ version }: { version?: string },
): Refusal {
	const versions = own(available, name)?.versions;
	const what = versions ? `version ${version} of extension ${name}` : `extension ${name}`;
	return {
		kind: "refuse",
		code: "HF_SETTING",
		why: `${what}, declared for database ${database}, is not on the server`,
		next: versions ? `use one of ${versions.join(", ")}` : "install its files on every member, or leave it out",
	};
}

function planSchema(
	name: string,
	owner: string | undefined,
	found: FoundSchema | undefined,
	ledger: string,
): Statement[] {
	const schema = quoteIdentifier(name);
	if (!found) {
		const whose = owner === undefined ? "" : ` AUTHORIZATION ${quoteIdentifier(owner)}`;
		return [
			{ what: `create schema ${name}`, sql: `CREATE SCHEMA ${schema}${whose}` },
			{ what: `ledger of schema ${name}`, sql: `COMMENT ON SCHEMA ${schema} IS ${quoteLiteral(marked(null, ledger))}` },
		];
	}
	if (owner === undefined || owner === found.owner) return [];
	return [{ what: `schema ${name}: owner ${owner}`, sql: `ALTER SCHEMA ${schema} OWNER TO ${quoteIdentifier(owner)}` }];
}

function planExtension(
	name: string,
	{ schema, version }: DatabaseInputs["extensions"][string],
	{ extensions, available }: FoundInside,
	ledger: string,
): Statement[] {
	const found = own(extensions, name);
	const extension = quoteIdentifier(name);
	if (!found) {
		const where = schema === undefined ? "" : ` SCHEMA ${quoteIdentifier(schema)}`;
		const which = version === undefined ? "" : ` VERSION ${quoteIdentifier(version)}`;
		const comment = marked(own(available, name)?.comment ?? null, ledger);
		return [
			// An extension that has no schema of its own goes into the first of the path.
			{ what: "search_path public", sql: "SET LOCAL search_path TO public" },
			{ what: `create extension ${name}`, sql: `CREATE EXTENSION ${extension}${where}${which}` },
			{ what: "search_path none", sql: "SET LOCAL search_path TO ''" },
			{ what: `ledger of extension ${name}`, sql: `COMMENT ON EXTENSION ${extension} IS ${quoteLiteral(comment)}` },
		];
	}
	return [
		...(version === undefined || version === found.version
			? []
			: [
					{
						what: `extension ${name}: version ${version}`,
						sql: `ALTER EXTENSION ${extension} UPDATE TO ${quoteIdentifier(version)}`,
					},
				]),
		...(schema === undefined || schema === found.schema
			? []
			: [
					{
						what: `extension ${name}: schema ${schema}`,
						sql: `ALTER EXTENSION ${extension} SET SCHEMA ${quoteIdentifier(schema)}`,
					},
				]),
	];
}
