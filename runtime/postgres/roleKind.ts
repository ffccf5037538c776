import { readRecord, requireRecord, withCluster } from "../access.ts";
import { HoldfastError } from "../errors.ts";
import type { Kind, Observation } from "../kind.ts";
import { type Client, logsIn } from "./connect.ts";
import type { RoleInputs, RoleOutputs } from "./objectArguments.ts";
import { ownerIn, ownerOf, planRemoval } from "./objectLedger.ts";
import { sameSettings } from "./objectSettings.ts";
import { carryOut, lookAt, refuse, transaction, versionOf, withLeader } from "./objectsRun.ts";
import type { PostgresRecord } from "./record.ts";
import { type DesiredRole, declarationOf, planMemberships, planRole } from "./roles.ts";
import { dropRole } from "./rolesDrop.ts";
import { findRole, firstSuperuser } from "./rolesFound.ts";
import { isPortable } from "./saslprep.ts";
import { verifierOf, verifies } from "./scram.ts";

const ledgerOf = ({ access, role }: RoleInputs): string => ownerOf(access, "role", role);
const named = (role: string): string => `role ${role}`;

/** A role of a PostgreSQL cluster, ours by the ledger in its comment. */
export const roleKind: Kind<RoleInputs, RoleOutputs> = {
	id: ({ role }) => role,
	ensure: (inputs) =>
		withCluster(inputs.access, named(inputs.role), async () => {
			const record = await requireRecord<PostgresRecord>(inputs.access);
			refuseOwnSuperuser(record, inputs.role);
			await withLeader(record, async (client) => {
				await transaction(client, () => reconcile(client, inputs));
				await prove(client, record, inputs);
			});
			return { ledger: ledgerOf(inputs) };
		}),
	observe,
	remove: (_id, state) =>
		withCluster(state.access, named(state.role), async () => {
			const record = await readRecord<PostgresRecord>(state.access);
			if (!record) return;
			const found = await withLeader(record, (client) => findRole(client, state.role));
			const step = planRemoval(named(state.role), found, ledgerOf(state));
			if (step.kind === "leave") console.log(step.why);
			if (step.kind === "drop") await dropRole(record, state.access, state.role, found!.oid);
		}),
};

/** The cluster's own superuser has its password from the cluster: as a role it would have two. */
function refuseOwnSuperuser({ superuser, previousSuperuser }: PostgresRecord, role: string): void {
	if (role !== superuser.user && role !== previousSuperuser?.user) return;
	throw new HoldfastError("HF_FOREIGN", `role ${role} is the cluster's own superuser`, {
		next: "choose another name; its password is rotated with the cluster",
	});
}

async function reconcile(client: Client, inputs: RoleInputs): Promise<void> {
	const { found, desired } = await compare(client, inputs);
	const plan = planRole(found, desired);
	if (plan.kind === "refuse") refuse(plan);
	if (plan.kind !== "nothing") await carryOut(client, inputs.access, named(inputs.role), plan.statements);
}

async function compare(client: Client, inputs: RoleInputs) {
	const found = await findRole(client, inputs.role);
	const { password } = inputs;
	const wrong = password === undefined ? found?.stored != null : !(await verifies(found?.stored ?? null, password));
	const desired: DesiredRole = {
		...inputs,
		ledger: ledgerOf(inputs),
		version: await versionOf(client),
		grantor: await firstSuperuser(client),
		...(wrong ? { verifier: password === undefined ? null : await verifierOf(password) } : {}),
	};
	return { found, desired };
}

/**
 * Logs in as the role, where that can be told: not after the password's last day, and not with one of the few passwords
 * that this driver sends otherwise than libpq does.
 */
async function prove(
	client: Client,
	{ tls }: PostgresRecord,
	{ role, password, validUntil }: RoleInputs,
): Promise<void> {
	const over = validUntil !== undefined && Date.parse(validUntil) <= Date.now();
	if (password === undefined || over || !isPortable(password)) return;
	const { host, port } = client;
	if (await logsIn({ host, port }, { user: role, password }, tls ? { tls } : {})) return;
	throw new HoldfastError("HF_REJECTED", `role ${role} cannot log in with its password at ${host}:${port}`, {
		next: "see whether pg_hba.conf admits it with scram-sha-256",
	});
}

/** Attributes, memberships and settings as they are; a password that is not the role's shows as empty. */
async function observe(
	_id: string,
	state: RoleInputs & RoleOutputs,
): Promise<Observation<RoleInputs, RoleOutputs> | undefined> {
	const seen = await lookAt(state.access, (client) => compare(client, state));
	if (seen === "hidden") return { outputs: { ledger: state.ledger } };
	if (!seen?.found) return undefined;
	const { found, desired } = seen;
	const outputs = { ledger: ownerIn(found.comment) ?? "" };
	if (planRole(found, { ...desired, adopt: true }).kind === "nothing") return { outputs };
	return { inputs: drift(found, desired, state), outputs };
}

type Found = NonNullable<Awaited<ReturnType<typeof findRole>>>;

function drift(found: Found, desired: DesiredRole, state: RoleInputs): Partial<RoleInputs> {
	const { login, superuser, createdb, createrole, inherit, replication, bypassrls, connectionLimit } = found;
	const until = state.validUntil === undefined ? null : Date.parse(state.validUntil);
	const members = planMemberships(found.memberOf, desired).length > 0;
	return {
		...{ login, superuser, createdb, createrole, inherit, replication, bypassrls, connectionLimit },
		...(found.validUntil === until ? {} : { validUntil: timeOf(found.validUntil) }),
		...(members ? { memberOf: found.memberOf.map((membership) => declarationOf(membership, inherit)) } : {}),
		...(sameSettings(found.settings, state.settings) ? {} : { settings: found.settings }),
		...(desired.verifier === undefined ? {} : { password: "" }),
	};
}

const timeOf = (milliseconds: number | null): string | undefined =>
	milliseconds === null ? undefined : new Date(milliseconds).toISOString();
