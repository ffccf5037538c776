import { quoteIdentifier, quoteLiteral } from "./identifiers.ts";
import type { DatabaseInputs } from "./objectArguments.ts";
import { foreign, marked, ownerIn, type Refusal, type Statement } from "./objectLedger.ts";
import { planSettings } from "./objectSettings.ts";

/** A database as pg_database has it. */
export interface FoundDatabase {
	owner: string;
	connectionLimit: number;
	allowConnections: boolean;
	settings: Record<string, string>;
	comment: string | null;
}

export interface FoundOutside {
	database?: FoundDatabase;
	/** Whether an interrupted run left the draft behind. */
	draft: boolean;
}

export interface DesiredOutside
	extends Pick<DatabaseInputs, "database" | "owner" | "connectionLimit" | "allowConnections" | "settings" | "adopt"> {
	/** Who made it: the ledger's entry. */
	ledger: string;
	/** server_version_num. */
	version: number;
	/** Name that the database has until it carries its ledger entry (`draftOf`). */
	draft: string;
	/** Whether the state knows it: then it is never made anew. */
	known: boolean;
}

export interface OutsidePlan {
	kind: "change";
	/** Each is carried out by itself. */
	alone: Statement[];
	/** One transaction. */
	together: Statement[];
	/** The last step, after what is inside: nobody connects any more. */
	closing: Statement[];
}

/** First version (server_version_num) with collations of its own, which no change of the C library touches. */
const BUILTIN = 170_000;

const collation = (version: number): string =>
	version >= BUILTIN
		? "LOCALE_PROVIDER builtin BUILTIN_LOCALE 'C.UTF-8' LC_COLLATE 'C' LC_CTYPE 'C'"
		: "LOCALE_PROVIDER libc LC_COLLATE 'C' LC_CTYPE 'C'";

/**
 * What makes the database itself as declared. CREATE DATABASE takes part in no transaction, so it makes a draft whose
 * name only we would give; with its ledger entry it gets the real name in one transaction. A run that is killed leaves
 * a draft, which the next one goes on with: never a database that nobody owns, nor somebody else's with our mark.
 */
export function planOutside({ database: found, draft }: FoundOutside, desired: DesiredOutside): OutsidePlan | Refusal {
	const { database, ledger, adopt, known } = desired;
	const present = found && ownerIn(found.comment);
	if (found && present !== ledger && !adopt) return foreign(`database ${database}`, present);
	if (!found && known) return gone(database);
	const name = quoteIdentifier(database);
	const temporary = quoteIdentifier(desired.draft);
	const dropped =
		found && draft ? [{ what: "drop the draft", sql: `DROP DATABASE ${temporary}`, alone: true as const }] : [];
	const made = `CREATE DATABASE ${temporary} TEMPLATE template0 ENCODING 'UTF8' ${collation(desired.version)} ALLOW_CONNECTIONS false`;
	const created = found || draft ? [] : [{ what: "create", sql: made, alone: true as const }];
	const renamed = found ? [] : [{ what: "name", sql: `ALTER DATABASE ${temporary} RENAME TO ${name}` }];
	return {
		kind: "change",
		alone: [...dropped, ...created],
		together: [...renamed, ...planProperties(found ?? BORN, desired)],
		closing: desired.allowConnections ? [] : closing(name, found),
	};
}

/** What CREATE DATABASE makes of a draft. */
const BORN: FoundDatabase = { owner: "", connectionLimit: -1, allowConnections: false, settings: {}, comment: null };

function planProperties(found: FoundDatabase, desired: DesiredOutside): Statement[] {
	const { owner, connectionLimit, allowConnections, ledger } = desired;
	const name = quoteIdentifier(desired.database);
	const comment = marked(found.comment, ledger);
	const limit = `CONNECTION LIMIT ${connectionLimit}`;
	// A new database is opened in any case: what is declared inside is made before it is closed.
	const open = !found.allowConnections && (allowConnections || found === BORN);
	return [
		...(found.comment === comment
			? []
			: [{ what: "ledger", sql: `COMMENT ON DATABASE ${name} IS ${quoteLiteral(comment)}` }]),
		...(owner === undefined || found.owner === owner
			? []
			: [{ what: `owner ${owner}`, sql: `ALTER DATABASE ${name} OWNER TO ${quoteIdentifier(owner)}` }]),
		...(found.connectionLimit === connectionLimit ? [] : [{ what: limit, sql: `ALTER DATABASE ${name} ${limit}` }]),
		...planSettings(`DATABASE ${name}`, found.settings, desired.settings),
		...(open ? [{ what: "allow connections", sql: `ALTER DATABASE ${name} ALLOW_CONNECTIONS true` }] : []),
	];
}

const closing = (name: string, found: FoundDatabase | undefined): Statement[] =>
	found && !found.allowConnections
		? []
		: [{ what: "allow no connections", sql: `ALTER DATABASE ${name} ALLOW_CONNECTIONS false` }];

const gone = (database: string): Refusal => ({
	kind: "refuse",
	code: "HF_DATA_LOST",
	why: `database ${database} is gone; nothing was created in its place`,
	next: "restore it from a backup, or run holdfast refresh: the up after it makes an empty one",
});
