import { readRecord } from "../access.ts";
import { HoldfastError } from "../errors.ts";
import type { Observation } from "../kind.ts";
import { openHost } from "../platform/open.ts";
import type { PostgresClusterInputs, PostgresClusterOutputs } from "./clusterArguments.ts";
import { connectTo, endSession, isRefused } from "./connect.ts";
import { type JsonObject, planDynamic } from "./dynamic.ts";
import { statusOfEtcd } from "./etcd.ts";
import { isCurrent } from "./passwords.ts";
import type { PostgresRecord } from "./record.ts";
import { lacking } from "./settle.ts";
import { type Look, leaderOf, look, withRest } from "./work.ts";

type State = PostgresClusterInputs & PostgresClusterOutputs;
type Seen = Observation<PostgresClusterInputs, PostgresClusterOutputs>;

/**
 * What is really there. Members that do not lead or stream, or whose etcd does not vote as declared, show as missing, a
 * refused superuser as an empty password, a configuration that was changed by hand as it is: all are drift that the next
 * `up` repairs.
 */
export async function observeCluster(state: State): Promise<Seen | undefined> {
	const record = await readRecord<PostgresRecord>(state.access);
	if (!record) return undefined;
	const { systemIdentifier, serverVersion } = state;
	const outputs = { systemIdentifier, serverVersion };
	const work = { record, host: openHost(state.host) };
	const seen = await look(work);
	const leader = seen && leaderOf(seen);
	if (!seen || leader === undefined) return { inputs: { members: [] }, outputs };
	refuseOther(state, seen);
	const votes = await voting(work);
	const members = state.members.filter(
		(member) =>
			(votes === undefined || votes.has(member.name) === member.votes) &&
			lacking({ members: onlyLeaderAnd(state, leader, member), standbys: 0 }, seen) === undefined,
	);
	const found = await withRest(work, leader, (rest) => rest.config());
	const dynamic =
		found && planDynamic(found, state.dynamic as JsonObject)
			? mentioned(found, state.dynamic as JsonObject)
			: state.dynamic;
	return { inputs: { members, dynamic, ...(await changedLogins(state, record, leader)) }, outputs };
}

const onlyLeaderAnd = ({ members }: State, leader: string, member: State["members"][number]) =>
	members.filter((one) => one.name === leader || one === member);

/** Names of the voters of etcd that answer; `undefined` where somebody else runs it. */
async function voting(work: Parameters<typeof statusOfEtcd>[0]): Promise<Set<string> | undefined> {
	const etcd = await statusOfEtcd(work);
	const voters = etcd?.members.filter(({ role }) => role === "leader" || role === "follower");
	return voters && new Set(voters.map(({ name }) => name));
}

function refuseOther({ systemIdentifier }: State, { statuses }: Look): void {
	for (const [name, { database_system_identifier: found }] of statuses) {
		if (!found || found === systemIdentifier) continue;
		throw new HoldfastError("HF_FOREIGN", `${name} now runs the cluster ${found}, not ${systemIdentifier}`);
	}
}

/** Of what was found only what the program says something of. */
function mentioned(found: JsonObject, declared: JsonObject): JsonObject {
	const keys = Object.keys(declared).filter((key) => key in found);
	return Object.fromEntries(
		keys.map((key) => {
			const [now, wanted] = [found[key]!, declared[key]!];
			const isDeep = typeof wanted === "object" && wanted !== null && typeof now === "object" && now !== null;
			return [key, isDeep ? mentioned(now as JsonObject, wanted as JsonObject) : now];
		}),
	);
}

type Logins = Partial<Pick<State, "superuser" | "replication" | "rewind">>;

/** Of Patroni's own roles those that have another password: which one nobody can tell, so it shows as none. */
async function changedLogins(state: State, { hosts, superuser, tls }: PostgresRecord, leader: string): Promise<Logins> {
	const member = hosts.find(({ name }) => name === leader);
	if (!member) return {};
	const hidden = (role: keyof Logins): Logins => ({ [role]: { ...state[role], password: "" } });
	try {
		const client = await connectTo(member, superuser, tls ? { tls } : {});
		try {
			if (state.host.kind === "existing") return {};
			return {
				...((await isCurrent(client, state.replication)) ? {} : hidden("replication")),
				...((await isCurrent(client, state.rewind)) ? {} : hidden("rewind")),
			};
		} finally {
			await endSession(client);
		}
	} catch (error) {
		if (isRefused(error)) return hidden("superuser");
		if (error instanceof HoldfastError) throw error;
		return {};
	}
}
