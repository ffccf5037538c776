import type { Client } from "./connect.ts";
import { planOutside } from "./databases.ts";
import { draftOf, findInside, findOutside, missingTarget, refusalOf, stillThere } from "./databasesFound.ts";
import { planInside } from "./databasesInside.ts";
import { planGrants } from "./grants.ts";
import { findTargets } from "./grantsFound.ts";
import type { DatabaseInputs, Grant } from "./objectArguments.ts";
import type { Statement } from "./objectLedger.ts";
import { carryOut, refuse, transaction, versionOf } from "./objectsRun.ts";

export const named = (database: string): string => `database ${database}`;

/**
 * The database itself: made, named, owned, opened. Refuses what cannot be before anything is changed. `open` says whether
 * its inside can be looked at, `closing` what is to be done after that. `known`: whether the state has it already.
 */
export async function reconcileOutside(
	client: Client,
	inputs: DatabaseInputs,
	ledger: string,
	known: boolean,
): Promise<{ open: boolean; closing: Statement[] }> {
	const version = await versionOf(client);
	const draft = draftOf(ledger);
	const found = await findOutside(client, inputs.database, draft);
	const plan = planOutside(found, { ...inputs, ledger, version, draft, known });
	if (plan.kind === "refuse") refuse(plan);
	const refusal = await refusalOf(client, inputs, version);
	if (refusal) refuse(refusal);
	if (!found.database) await refuseUnavailable(client, inputs, ledger);
	const object = named(inputs.database);
	await carryOut(client, inputs.access, object, plan.alone);
	await transaction(client, () => carryOut(client, inputs.access, object, plan.together));
	const { allowConnections } = (await findOutside(client, inputs.database, draft)).database ?? {};
	return { open: allowConnections ?? false, closing: plan.closing };
}

/** Extensions are files of the server: whether they are there can be told before there is a database. */
async function refuseUnavailable(client: Client, inputs: DatabaseInputs, ledger: string): Promise<void> {
	const { available } = await findInside(client, inputs);
	const plan = planInside({ extensions: {}, schemas: {}, available }, { ...inputs, ledger });
	if (!Array.isArray(plan)) refuse(plan);
}

/** Schemas, extensions and grants, in one transaction. `previous` are the grants that were declared before. */
export async function reconcileInside(
	client: Client,
	inputs: DatabaseInputs,
	ledger: string,
	previous: readonly Grant[],
): Promise<void> {
	const { access, grants } = inputs;
	const object = named(inputs.database);
	const version = await versionOf(client);
	await transaction(client, async () => {
		const found = await findInside(client, inputs);
		const plan = planInside(found, { ...inputs, ledger });
		if (!Array.isArray(plan)) refuse(plan);
		await carryOut(client, access, object, plan);
		const now = await findInside(client, inputs);
		const former = await stillThere(client, previous, now);
		const targets = await findTargets(client, [...grants, ...former]);
		const missing = missingTarget(inputs, now, targets);
		if (missing) refuse(missing);
		await carryOut(client, access, object, planGrants(targets, grants, former, version));
	});
}
