import type { Db, MongoClient } from "mongodb";
import { readRecord, requireRecord, withCluster } from "../access.ts";
import { describe, HoldfastError } from "../errors.ts";
import type { Kind, Observation } from "../kind.ts";
import { stackLog } from "../log.ts";
import { isUnreachable, logsIn, setClient, withAdmin } from "./connect.ts";
import type { UserInputs, UserOutputs } from "./model.ts";
import type { MongoRecord } from "./record.ts";
import { type FoundUser, ownerOf, ownerOfUser, planRemoval, planUser, type UserStep } from "./users.ts";

export const MAJORITY = { writeConcern: { w: "majority", wtimeout: 30_000 } } as const;

/** A user in one database, ours by the ledger in its `customData`. */
export const userKind: Kind<UserInputs, UserOutputs> = {
	id: ({ database, user }) => `${database}/${user}`,
	ensure: (inputs) =>
		withCluster(inputs.access, `user ${inputs.user}`, async () => {
			const record = await requireRecord<MongoRecord>(inputs.access);
			const owner = ownerOf(inputs.access, inputs.database, inputs.user);
			await withAdmin(record, async (client) => {
				const found = await findUser(client, inputs);
				const passwordWorks = found !== undefined && (await accepts(record, inputs));
				await carryOut(client.db(inputs.database), inputs, planUser(found, { ...inputs, owner, passwordWorks }));
			});
			if (!(await accepts(record, inputs))) {
				throw new HoldfastError(
					"HF_REJECTED",
					`user ${inputs.user} of ${inputs.database} cannot log in with its password`,
				);
			}
			return { owner };
		}),
	observe,
	remove: (_id, state) =>
		withCluster(state.access, `user ${state.user}`, async () => {
			const record = await readRecord<MongoRecord>(state.access);
			if (!record) return;
			await withAdmin(record, async (client) => {
				const found = await findUser(client, state);
				const step = planRemoval(
					`user ${state.user} in ${state.database}`,
					found !== undefined,
					found && ownerOfUser(found),
					state.owner,
				);
				if (step.kind === "leave") console.log(step.why);
				if (step.kind === "drop") await client.db(state.database).command({ dropUser: state.user, ...MAJORITY });
			});
		}),
};

/** What the server knows of the user. */
async function findUser(client: MongoClient, { database, user }: UserInputs): Promise<FoundUser | undefined> {
	const { users } = await client.db(database).command({ usersInfo: { user, db: database } });
	return users[0] as FoundUser | undefined;
}

async function carryOut(db: Db, { access, user, password }: UserInputs, step: UserStep): Promise<void> {
	if (step.kind === "nothing") return;
	if (step.kind === "refuse") throw new HoldfastError(step.code, step.why, { next: step.next });
	const { kind, roles, customData } = step;
	const change = { ...(roles ? { roles } : {}), ...(customData ? { customData } : {}) };
	const secret = kind === "create" || step.password ? { pwd: password, mechanisms: ["SCRAM-SHA-256"] } : {};
	stackLog(access.stack).info({ cluster: access.cluster, user, database: db.databaseName, change }, `user ${kind}`);
	try {
		await db.command({ [`${kind}User`]: user, ...change, ...secret, ...MAJORITY });
	} catch (error) {
		if (isUnreachable(error)) throw error;
		if (UNPREPARED.has(Number((error as { code?: unknown }).code))) throw unfit(user, db.databaseName);
		throw new HoldfastError(
			"HF_REJECTED",
			`the server does not ${kind} user ${user} of ${db.databaseName} (${describe(error)})`,
			{ cause: error },
		);
	}
}

/** Looking does not wait for an election: a set without primary shows as drift of the set. */
export const LOOK = { selectionMs: 5000 };

/** What SASLprep (RFC 4013) refuses of a password: unassigned characters, control characters, mixed directions. */
const UNPREPARED = new Set([50687, 50692]);

const unfit = (user: string, database: string) =>
	new HoldfastError(
		"HF_SETTING",
		`the password of user ${user} of ${database} has characters that MongoDB does not take`,
		{
			next: "use one without emoji, control characters and mixed writing directions",
		},
	);

const accepts = (record: MongoRecord, { database, user, password }: UserInputs): Promise<boolean> =>
	logsIn(setClient(record, { user, password, source: database }));

/** A set that is down, or refuses its admin, shows as drift of the set: of its users nothing can be said. */
export const isSetsProblem = (error: unknown): boolean =>
	error instanceof HoldfastError && ["HF_UNREACHABLE", "HF_CREDENTIALS"].includes(error.code);

/** Roles as they are; a password that does not log in shows as empty. */
async function observe(
	_id: string,
	state: UserInputs & UserOutputs,
): Promise<Observation<UserInputs, UserOutputs> | undefined> {
	const record = await readRecord<MongoRecord>(state.access);
	const outputs = { owner: state.owner };
	if (!record) return undefined;
	try {
		const found = await withAdmin(record, (client) => findUser(client, state), LOOK);
		if (!found) return undefined;
		const known = (grant: { role: string; db: string }) =>
			state.roles.findIndex((r) => r.role === grant.role && r.db === grant.db);
		const roles = found.roles.map(({ role, db }) => ({ role, db })).sort((a, b) => known(a) - known(b));
		const password = (await accepts(record, state)) ? state.password : "";
		return { inputs: { roles, password }, outputs: { owner: ownerOfUser(found) ?? "" } };
	} catch (error) {
		if (isSetsProblem(error)) return { outputs };
		throw error;
	}
}
