import { HoldfastError } from "../errors.ts";
import { failpoint } from "../failpoint.ts";
import { stackLog } from "../log.ts";
import type { PostgresClusterInputs } from "./clusterArguments.ts";
import { type Client, type Login, logsIn } from "./connect.ts";
import { quoteIdentifier, quoteLiteral } from "./identifiers.ts";
import { transaction, withLeader } from "./objectsRun.ts";
import { reload, reloadAnswering } from "./reload.ts";
import { verifierOf, verifies } from "./scram.ts";
import { type PatroniSecrets, parseSecrets, SECRETS_FILE, secretsYml } from "./secretsYml.ts";
import { save, say, type Work } from "./work.ts";

/**
 * Brings the passwords of Patroni's own roles to what is declared: on the server first, which replicates to all members,
 * then in every member's file, which Patroni reads on request. In between nobody has to log in: Patroni, its standbys
 * and all clients stay connected, and a server asks for a password at a login only.
 */
export async function rotatePasswords(work: Work, inputs: PostgresClusterInputs): Promise<void> {
	const { record, access } = work;
	const changed = await withLeader(record, (client) => changeOnServer(client, inputs));
	for (const role of changed) stackLog(access.stack).info({ cluster: access.cluster, role }, "password changed");
	if (changed.length > 0) say(work, `new passwords for ${changed.join(", ")}`);
	await failpoint("postgres/passwords");
	if (inputs.host.kind !== "existing") await writeSecrets(work, inputs);
	await proveSuperuser(work);
	record.previousSuperuser = undefined;
	record.previousRestapi = undefined;
	await save(work);
}

/** Names of the roles whose password was another one. */
async function changeOnServer(client: Client, inputs: PostgresClusterInputs): Promise<string[]> {
	const wanted =
		inputs.host.kind === "existing" ? [inputs.superuser] : [inputs.superuser, inputs.replication, inputs.rewind];
	const wrong: Login[] = [];
	for (const login of wanted) if (!(await isCurrent(client, login))) wrong.push(login);
	if (wrong.length === 0) return [];
	const statements = await Promise.all(
		wrong.map(
			async ({ user, password }) =>
				`ALTER ROLE ${quoteIdentifier(user)} PASSWORD ${quoteLiteral(await verifierOf(password))}`,
		),
	);
	await transaction(client, async () => {
		for (const statement of statements) await client.query(statement);
	});
	return wrong.map(({ user }) => user);
}

/** Whether a role's password is this one. HF_REJECTED when there is no such role. */
export async function isCurrent(client: Pick<Client, "query">, { user, password }: Login): Promise<boolean> {
	const text = "SELECT rolpassword FROM pg_catalog.pg_authid WHERE rolname = $1";
	const { rows } = await client.query<{ rolpassword: string | null }>(text, [user]);
	if (rows[0]) return verifies(rows[0].rolpassword, password);
	throw new HoldfastError("HF_REJECTED", `the cluster has no role ${user}, which Patroni made at its birth`, {
		next: "the names of Patroni's own roles cannot change: restore them in the settings",
	});
}

/**
 * Lets every Patroni know the password that it is going to have in etcd: a change there ends its session at once, and
 * one that cannot sign in again loses its lock. Its session of now goes on until then.
 */
export async function announceEtcdPassword(work: Work, { members, etcd }: PostgresClusterInputs): Promise<void> {
	const stale = await rewrite(work, members, (held) => held && { ...held, etcd: etcd.patroni });
	await reloadAnswering(work, stale);
}

/** Every member's file holds what is declared, and every Patroni has read it. */
async function writeSecrets(work: Work, inputs: PostgresClusterInputs): Promise<void> {
	const { superuser, replication, rewind, restapi, etcd } = inputs;
	const secrets = {
		...{ superuser: superuser.password, replication: replication.password, rewind: rewind.password },
		...{ rest: restapi.password, etcd: etcd.patroni },
	};
	const stale = await rewrite(work, inputs.members, () => secrets);
	if (stale.length > 0) await reload(work, stale);
}

/** Brings members' files to what is wanted of them, and names those that were different; `undefined` leaves one alone. */
async function rewrite(
	{ host }: Work,
	members: PostgresClusterInputs["members"],
	wanted: (held: PatroniSecrets | undefined) => PatroniSecrets | undefined,
): Promise<string[]> {
	const stale: string[] = [];
	for (const { name } of members) {
		const held = parseSecrets((await host.read(name, SECRETS_FILE)) ?? "");
		const secrets = wanted(held);
		if (!secrets || JSON.stringify(held) === JSON.stringify(secrets)) continue;
		await host.write(name, SECRETS_FILE, secretsYml(secrets));
		stale.push(name);
	}
	return stale;
}

async function proveSuperuser({ record }: Work): Promise<void> {
	const { superuser, tls, hosts, scope } = record;
	const answers = await Promise.all(hosts.map((host) => logsIn(host, superuser, tls ? { tls } : {}).catch(() => true)));
	if (answers.every(Boolean)) return;
	throw new HoldfastError("HF_CREDENTIALS", `a member of ${scope} refuses the new password of ${superuser.user}`);
}
