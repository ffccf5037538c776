import type { EtcdMember, ObservedEtcd } from "./state.ts";

/** What is remembered of an etcd cluster: plain JSON, kept by the caller, saved before each effect that it names. */
export interface EtcdRecord {
	/** `initial-cluster-token`: the cluster's name and a nonce, so that two clusters at one address never share an id. */
	token: string;
	/** Known before the seed starts (identity.ts): the proof that a running cluster is ours. */
	clusterId: string;
	/** Name of the voter with which it begins. */
	seed: string;
	/** It was seen with a quorum: no second one may begin. */
	formed: boolean;
	/** By name, the ids under which it ever joined, the newest last. */
	ids: Record<string, JoinedId[]>;
	/** Ids of the voters, as of the last look that a quorum confirmed. */
	voters: string[];
	/** Client URLs of all members, likewise. */
	endpoints: string[];
}

export interface JoinedId {
	id: string;
	/** It was let start: what it promised to others is on its disk, so it never starts on an empty one again. */
	started: boolean;
}

export interface Birth {
	token: string;
	clusterId: string;
	memberId: string;
}

/** The record with which a cluster begins. */
export const bornRecord = (seed: string, { token, clusterId, memberId }: Birth): EtcdRecord => ({
	...{ token, clusterId, seed, formed: false },
	ids: { [seed]: [{ id: memberId, started: true }] },
	...{ voters: [memberId], endpoints: [] },
});

/** The record of a running cluster that an operator hands over by its id. */
export const adoptedRecord = (clusterId: string, endpoints: readonly string[]): EtcdRecord => ({
	...{ token: "", clusterId, seed: "", formed: true, ids: {}, voters: [], endpoints: [...endpoints] },
});

/** Newest id under which a name joined. */
export const newestId = (record: EtcdRecord | undefined, name: string): string | undefined =>
	record?.ids[name]?.at(-1)?.id;

/** The name under which an id joined, as far as is known. */
export const nameOfId = (record: EtcdRecord | undefined, id: string): string | undefined =>
	Object.entries(record?.ids ?? {}).find(([, ids]) => ids.some((joined) => joined.id === id))?.[0];

/** Whether this member has run: etcd names a member once it published itself; we note it before we let it start. */
export const hasStarted = (record: EtcdRecord | undefined, { id, name }: Pick<EtcdMember, "id" | "name">): boolean =>
	name !== "" ||
	Object.values(record?.ids ?? {}).some((ids) => ids.some((joined) => joined.id === id && joined.started));

function withId(record: EtcdRecord, name: string, joined: JoinedId): EtcdRecord {
	const others = (record.ids[name] ?? []).filter(({ id }) => id !== joined.id);
	return { ...record, ids: { ...record.ids, [name]: [...others, joined] } };
}

/** After an add whose answer arrived. */
export const added = (record: EtcdRecord, name: string, id: string): EtcdRecord =>
	withId(record, name, { id, started: false });

/** Before a member starts for the first time. */
export const started = (record: EtcdRecord, name: string, id: string): EtcdRecord =>
	withId(record, name, { id, started: true });

/** What a look that a quorum confirmed adds; the same object when it adds nothing. */
export function remember(record: EtcdRecord, { cluster }: ObservedEtcd): EtcdRecord {
	if (!cluster || cluster.clusterId !== record.clusterId) return record;
	const named = cluster.members.filter(({ name }) => name !== "");
	const known = named.reduce(
		(sum, { name, id }) => (sum.ids[name]?.some((j) => j.id === id && j.started) ? sum : started(sum, name, id)),
		record,
	);
	const next: EtcdRecord = {
		...known,
		formed: true,
		voters: cluster.members.filter(({ isLearner }) => !isLearner).map(({ id }) => id),
		endpoints: [...new Set(cluster.members.flatMap(({ clientURLs }) => clientURLs))],
	};
	return JSON.stringify(next) === JSON.stringify(record) ? record : next;
}
