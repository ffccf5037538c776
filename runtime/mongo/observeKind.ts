import { readRecord } from "../access.ts";
import { HoldfastError } from "../errors.ts";
import type { Observation } from "../kind.ts";
import { adminCredential, isRefused } from "./connect.ts";
import type { ReplicaSetInputs, ReplicaSetOutputs } from "./model.ts";
import { type Look, lookAtSet } from "./observe.ts";
import { Reach } from "./reach.ts";
import type { MongoRecord } from "./record.ts";

type State = ReplicaSetInputs & ReplicaSetOutputs;
type Seen = Observation<ReplicaSetInputs, ReplicaSetOutputs>;

/**
 * What is really there. A set without a reachable primary, or a member that is down, shows as missing members, and
 * a refused admin as an empty password: both are drift that the next `up` repairs.
 */
export async function observeReplicaSet(state: State): Promise<Seen | undefined> {
	const record = await readRecord<MongoRecord>(state.access);
	if (!record) return undefined;
	const reach = new Reach(record.tls);
	try {
		const look = await lookAtSet(reach, record.hosts, adminCredential(record.admin), record.keys);
		return look ? seen(state, look) : { inputs: { members: [] }, outputs: outputsOf(state) };
	} catch (error) {
		if (!isRefused(error)) throw error;
		return { inputs: { admin: { ...state.admin, password: "" } }, outputs: outputsOf(state) };
	} finally {
		await reach.close();
	}
}

const outputsOf = ({ replicaSetId, version, compatibilityVersion }: State): ReplicaSetOutputs => ({
	replicaSetId,
	version,
	compatibilityVersion,
});

function seen(state: State, { set }: Look): Seen {
	const { replicaSetId: id, electionTimeoutMillis } = set.config.settings;
	if (id !== state.replicaSetId) {
		throw new HoldfastError(
			"HF_FOREIGN",
			`${set.primary} is now the primary of set ${id}, not of ${state.replicaSetId}`,
		);
	}
	const healthy = set.config.members.filter(({ host }) => {
		const member = set.members.find((m) => m.host === host);
		return member !== undefined && [1, 2, 7].includes(member.state);
	});
	const members = healthy.map(({ host, votes, priority, hidden, arbiterOnly }) => {
		const declared = state.members.find((m) => m.host === host);
		return { host, member: declared?.member ?? "", ...mentioned({ votes, priority, hidden, arbiterOnly }, declared) };
	});
	// In the declared order, so that only real differences show.
	const position = (host: string) => state.members.findIndex((m) => m.host === host);
	members.sort((a, b) => position(a.host) - position(b.host));
	return {
		inputs: {
			members,
			settings: mentioned({ electionTimeoutMillis }, state.settings),
			...mentioned({ featureCompatibilityVersion: set.featureCompatibilityVersion }, state),
		},
		outputs: { ...outputsOf(state), compatibilityVersion: set.featureCompatibilityVersion },
	};
}

/** Only what the program says something of can drift; an unexpected member shows whole. */
function mentioned<T extends object>(found: T, declared: Partial<T> | undefined): Partial<T> {
	if (declared === undefined) return found;
	const keys = (Object.keys(found) as (keyof T)[]).filter((key) => declared[key] !== undefined);
	return Object.fromEntries(keys.map((key) => [key, found[key]])) as Partial<T>;
}
