import type { Db, MongoClient } from "mongodb";
import { readRecord, requireRecord, withCluster } from "../access.ts";
import { describe, HoldfastError } from "../errors.ts";
import type { Kind, Observation } from "../kind.ts";
import { stackLog } from "../log.ts";
import { isUnreachable, withAdmin } from "./connect.ts";
import type { RoleInputs, RoleOutputs } from "./model.ts";
import type { MongoRecord } from "./record.ts";
import { isSetsProblem, LOOK, MAJORITY } from "./userKind.ts";
import {
	declaredPrivileges,
	type FoundRole,
	ownerOf,
	ownerOfRole,
	planRemoval,
	planRole,
	type RoleStep,
} from "./users.ts";

/** A role in one database, ours by a mark among its privileges. */
export const roleKind: Kind<RoleInputs, RoleOutputs> = {
	id: ({ database, role }) => `${database}/${role}`,
	ensure: (inputs) =>
		withCluster(inputs.access, `role ${inputs.role}`, async () => {
			const owner = ownerOf(inputs.access, inputs.database, inputs.role);
			await withAdmin(await requireRecord<MongoRecord>(inputs.access), async (client) => {
				const found = await findRole(client, inputs);
				await carryOut(client.db(inputs.database), inputs, planRole(found, { ...inputs, owner }));
			});
			return { owner };
		}),
	observe,
	remove: (_id, state) =>
		withCluster(state.access, `role ${state.role}`, async () => {
			const record = await readRecord<MongoRecord>(state.access);
			if (!record) return;
			await withAdmin(record, async (client) => {
				const found = await findRole(client, state);
				const step = planRemoval(
					`role ${state.role} in ${state.database}`,
					found !== undefined,
					found && ownerOfRole(found),
					state.owner,
				);
				if (step.kind === "leave") console.log(step.why);
				if (step.kind === "drop") await client.db(state.database).command({ dropRole: state.role, ...MAJORITY });
			});
		}),
};

async function findRole(client: MongoClient, { database, role }: RoleInputs): Promise<FoundRole | undefined> {
	const { roles } = await client.db(database).command({ rolesInfo: { role, db: database }, showPrivileges: true });
	return roles[0] as FoundRole | undefined;
}

async function carryOut(db: Db, { access, role }: RoleInputs, step: RoleStep): Promise<void> {
	if (step.kind === "nothing") return;
	if (step.kind === "refuse") throw new HoldfastError(step.code, step.why, { next: step.next });
	const { kind, ...change } = step;
	stackLog(access.stack).info({ cluster: access.cluster, role, database: db.databaseName, change }, `role ${kind}`);
	try {
		await db.command({ [`${kind}Role`]: role, ...change, ...MAJORITY });
	} catch (error) {
		if (isUnreachable(error)) throw error;
		throw new HoldfastError(
			"HF_REJECTED",
			`the server does not ${kind} role ${role} of ${db.databaseName} (${describe(error)})`,
			{ cause: error },
		);
	}
}

async function observe(
	_id: string,
	state: RoleInputs & RoleOutputs,
): Promise<Observation<RoleInputs, RoleOutputs> | undefined> {
	const record = await readRecord<MongoRecord>(state.access);
	if (!record) return undefined;
	try {
		const found = await withAdmin(record, (client) => findRole(client, state), LOOK);
		if (!found) return undefined;
		const outputs = { owner: ownerOfRole(found) ?? "" };
		// The server sorts and merges privileges: what means the same is not drift.
		if (planRole(found, state).kind === "nothing") return { outputs };
		const roles = found.roles.map(({ role, db }) => ({ role, db }));
		return { inputs: { roles, privileges: declaredPrivileges(found) }, outputs };
	} catch (error) {
		if (isSetsProblem(error)) return { outputs: { owner: state.owner } };
		throw error;
	}
}
