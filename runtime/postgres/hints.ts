import { type Access, readRecord } from "../access.ts";
import { openHost } from "../platform/open.ts";
import type { PostgresClusterInputs } from "./clusterArguments.ts";
import { type JsonObject, planDynamic } from "./dynamic.ts";
import { withLeader } from "./objectsRun.ts";
import type { PostgresRecord } from "./record.ts";
import { leaderOf, look, withRest } from "./work.ts";

type Inputs = Pick<PostgresClusterInputs, "members" | "dynamic" | "host">;

/**
 * What `up` would do to a running cluster for these inputs, in its order. Only looks. Empty for a cluster that does not
 * exist yet.
 */
export async function clusterHints(access: Access, inputs: Inputs): Promise<string[]> {
	const record = await readRecord<PostgresRecord>(access);
	if (record?.systemIdentifier === undefined) return [];
	const seen = await look({ record, host: openHost(inputs.host) });
	const leader = seen && leaderOf(seen);
	if (leader === undefined) return ["the cluster has no leader now: up waits until it has one"];
	return [
		...memberHints(record, inputs, leader),
		...voterHints(record, inputs),
		...(await configurationHints(record, inputs, leader)),
	];
}

function memberHints(record: PostgresRecord, { members }: Inputs, leader: string): string[] {
	const leaving = record.hosts.filter(({ name }) => !members.some((member) => member.name === name));
	const joining = members.filter(({ name }) => !record.hosts.some((host) => host.name === name));
	return [
		...(leaving.some(({ name }) => name === leader) ? [`let another member take over from ${leader}, which goes`] : []),
		...leaving.map(({ name }) => `stop ${name} and delete its data, once the others have everything`),
		...joining.map(({ name }) => `clone ${name} from the running cluster`),
	];
}

function voterHints({ etcd }: PostgresRecord, { members }: Inputs): string[] {
	const voting = Object.entries(etcd?.ids ?? {})
		.filter(([, ids]) => ids.some(({ id }) => etcd!.voters.includes(id)))
		.map(([name]) => name);
	const wanted = members.filter(({ votes }) => votes).map(({ name }) => name);
	return [
		...wanted.filter((name) => !voting.includes(name)).map((name) => `add ${name} to etcd, first without a vote`),
		...voting.filter((name) => !wanted.includes(name)).map((name) => `take ${name} out of etcd`),
	];
}

async function configurationHints(
	record: PostgresRecord,
	{ dynamic, host }: Inputs,
	leader: string,
): Promise<string[]> {
	const found = await withRest({ record, host: openHost(host) }, leader, (rest) => rest.config());
	const patch = found && planDynamic(found, dynamic as JsonObject, record.dynamic);
	if (!patch) return [];
	const { parameters = {} } = (patch.postgresql ?? {}) as { parameters?: JsonObject };
	const cold = await restarting(record, Object.keys(parameters));
	return [
		`change Patroni's configuration: ${Object.keys(patch).join(", ")}`,
		...(cold.length > 0
			? [`restart PostgreSQL for ${cold.join(", ")}, one member at a time, the leader last after it handed over`]
			: []),
	];
}

/** Those parameters that count after a restart only. */
async function restarting(record: PostgresRecord, names: readonly string[]): Promise<string[]> {
	if (names.length === 0) return [];
	const text = "SELECT name FROM pg_catalog.pg_settings WHERE context = 'postmaster' AND name = ANY ($1)";
	const rows = await withLeader(record, async (client) => (await client.query<{ name: string }>(text, [names])).rows);
	return rows.map(({ name }) => name);
}
