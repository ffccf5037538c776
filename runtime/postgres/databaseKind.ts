import { readRecord, requireRecord, withCluster } from "../access.ts";
import { HoldfastError } from "../errors.ts";
import type { Kind, Observation } from "../kind.ts";
import type { Client } from "./connect.ts";
import type { FoundDatabase } from "./databases.ts";
import { draftOf, findInside, findOutside, stillThere } from "./databasesFound.ts";
import { type FoundInside, own } from "./databasesInside.ts";
import { named, reconcileInside, reconcileOutside } from "./databasesReconcile.ts";
import { foundGrant, type Target } from "./grants.ts";
import { findTargets } from "./grantsFound.ts";
import { quoteIdentifier } from "./identifiers.ts";
import type { DatabaseInputs, DatabaseOutputs } from "./objectArguments.ts";
import { ownerIn, ownerOf, planRemoval } from "./objectLedger.ts";
import { sameSettings } from "./objectSettings.ts";
import { carryOut, lookAt, versionOf, withLeader } from "./objectsRun.ts";
import type { PostgresRecord } from "./record.ts";

const ledgerOf = ({ access, database }: DatabaseInputs): string => ownerOf(access, "database", database);

/** A database of a PostgreSQL cluster and who may do what in it, ours by the ledger in its comment. */
export const databaseKind: Kind<DatabaseInputs, DatabaseOutputs> = {
	id: ({ database }) => database,
	ensure: (inputs, previous) =>
		withCluster(inputs.access, named(inputs.database), async () => {
			const record = await requireRecord<PostgresRecord>(inputs.access);
			const ledger = ledgerOf(inputs);
			const { open, closing } = await withLeader(record, (client) =>
				reconcileOutside(client, inputs, ledger, previous !== undefined),
			);
			if (open)
				await withLeader(record, (client) => reconcileInside(client, inputs, ledger, previous?.grants ?? []), {
					database: inputs.database,
				});
			await withLeader(record, (client) => carryOut(client, inputs.access, named(inputs.database), closing));
			return { ledger };
		}),
	observe,
	remove: (_id, state) =>
		withCluster(state.access, named(state.database), async () => {
			const record = await readRecord<PostgresRecord>(state.access);
			if (record) await withLeader(record, (client) => drop(client, state));
		}),
};

async function drop(client: Client, { access, database, dropOnDelete, ...rest }: DatabaseInputs): Promise<void> {
	const ledger = ledgerOf({ access, database, dropOnDelete, ...rest });
	const draft = draftOf(ledger);
	const found = await findOutside(client, database, draft);
	const step = planRemoval(named(database), found.database, ledger);
	if (step.kind === "leave") console.log(step.why);
	if (step.kind === "drop" && !dropOnDelete)
		throw new HoldfastError("HF_PROTECTED", `database ${database} and its data are not deleted`, {
			next: "set dropOnDelete: true on it and run holdfast up, then remove it; to keep it and forget it here, set retainOnDelete",
		});
	const dropped = [...(step.kind === "drop" ? [database] : []), ...(found.draft ? [draft] : [])];
	const statements = dropped.map((name) => ({
		what: `drop ${name}`,
		sql: `DROP DATABASE ${quoteIdentifier(name)} WITH (FORCE)`,
	}));
	await carryOut(client, access, named(database), statements);
}

/** What can be told from inside the database only. */
interface Seen {
	inside: FoundInside;
	targets: Target[];
	version: number;
}

async function lookInside(client: Client, state: DatabaseInputs): Promise<Seen> {
	const inside = await findInside(client, state);
	const targets = await findTargets(client, await stillThere(client, state.grants, inside));
	return { inside, targets, version: await versionOf(client) };
}

async function observe(
	_id: string,
	state: DatabaseInputs & DatabaseOutputs,
): Promise<Observation<DatabaseInputs, DatabaseOutputs> | undefined> {
	const { access, database } = state;
	const hidden = { outputs: { ledger: state.ledger } };
	const seen = await lookAt(access, (client) => findOutside(client, database, draftOf(ledgerOf(state))));
	if (seen === "hidden") return hidden;
	if (!seen?.database) return undefined;
	const found = seen.database;
	const inside = found.allowConnections
		? await lookAt(access, (client) => lookInside(client, state), database)
		: undefined;
	if (inside === "hidden") return hidden;
	const inputs = { ...outsideDrift(found, state), ...(inside ? insideDrift(inside, state) : {}) };
	return { inputs, outputs: { ledger: ownerIn(found.comment) ?? "" } };
}

const outsideDrift = (found: FoundDatabase, state: DatabaseInputs): Partial<DatabaseInputs> => ({
	connectionLimit: found.connectionLimit,
	allowConnections: found.allowConnections,
	...(state.owner === undefined ? {} : { owner: found.owner }),
	...(sameSettings(found.settings, state.settings) ? {} : { settings: found.settings }),
});

/** What is declared, as it is: without what is missing, and of the rest what the declaration speaks of. */
function insideDrift({ inside, targets, version }: Seen, state: DatabaseInputs): Partial<DatabaseInputs> {
	return {
		extensions: asDeclared(state.extensions, inside.extensions),
		schemas: asDeclared(state.schemas, inside.schemas),
		grants: state.grants.map((grant) => foundGrant(grant, state.grants, targets, version)),
	};
}

function asDeclared<T extends object>(declared: Record<string, T>, found: Readonly<Record<string, object>>) {
	const named = Object.entries(declared).flatMap(([name, properties]) => {
		const present = own(found, name) as Record<string, unknown> | undefined;
		return present ? [[name, Object.fromEntries(Object.keys(properties).map((key) => [key, present[key]]))]] : [];
	});
	return Object.fromEntries(named) as Record<string, T>;
}
