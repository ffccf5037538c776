import { type Access, writeRecord } from "../access.ts";
import type { Deadline } from "../deadline.ts";
import { HoldfastError } from "../errors.ts";
import type { Host } from "../platform/host.ts";
import { hostport } from "../platform/model.ts";
import { report } from "../progress.ts";
import type { Login } from "./connect.ts";
import { rolloutMember } from "./look.ts";
import type { PostgresRecord } from "./record.ts";
import { PatroniRest } from "./rest.ts";
import type { ClusterView, PatroniStatus, RolloutMember } from "./state.ts";

/** Everything a verb on one cluster needs: where it is, how to reach it, until when. */
export interface Work {
	access: Access;
	record: PostgresRecord;
	host: Host;
	deadline: Deadline;
}

/** One look at a cluster: what etcd says of it, and what every member says of itself. */
export interface Look {
	view: ClusterView;
	/** By member's name; absent for one that does not answer. */
	statuses: Map<string, PatroniStatus>;
}

export const save = ({ access, record }: Work): Promise<void> => writeRecord(access, record);

export const say = ({ record }: Work, step: string): void => report({ phase: `postgres ${record.scope}`, step });

/** Certificate and key by which a Patroni knows its like. */
async function certificate(work: Pick<Work, "host" | "record">, member: string) {
	const { ca } = work.record.tls ?? {};
	if (ca === undefined) return {};
	const [cert, key] = await Promise.all(
		["crt", "key"].map((ending) => work.host.read(member, `live/tls/patroni.${ending}`)),
	);
	return { tls: { ca, ...(cert === undefined ? {} : { cert }), ...(key === undefined ? {} : { key }) } };
}

/** Runs `fn` on the REST API of one member; while its password is being changed, with the former one too. */
export async function withRest<T>(
	work: Pick<Work, "host" | "record">,
	name: string,
	fn: (rest: PatroniRest) => Promise<T>,
): Promise<T> {
	const { record } = work;
	const member = record.hosts.find((one) => one.name === name);
	if (!member) throw new HoldfastError("HF_INTERNAL", `cluster ${record.scope} has no member ${name}`);
	const url = `${record.tls ? "https" : "http"}://${hostport(member.patroni)}`;
	const identity = await certificate(work, name);
	const attempt = async ({ user: username, password }: Login) => {
		const rest = new PatroniRest({ member: name, url }, { auth: { username, password }, ...identity });
		try {
			return await fn(rest);
		} finally {
			await rest.close();
		}
	};
	const former = record.previousRestapi;
	if (!former) return attempt(record.restapi);
	return attempt(record.restapi).catch((error) => {
		if (error instanceof HoldfastError && error.code === "HF_CREDENTIALS") return attempt(former);
		throw error;
	});
}

const settled = async <T>(promise: Promise<T>): Promise<T | undefined> => promise.catch(() => undefined);

/** What every member says of itself; those that do not answer are missing. */
export async function statusesOf(work: Pick<Work, "host" | "record">): Promise<Map<string, PatroniStatus>> {
	const said = await Promise.all(
		work.record.hosts.map(async ({ name }) => {
			const status = await settled(withRest(work, name, (rest) => rest.patroni()));
			return status ? [[name, status] as const] : [];
		}),
	);
	return new Map(said.flat());
}

/** What etcd says, from the first member that reaches it. */
async function viewOf(work: Pick<Work, "host" | "record">, names: Iterable<string>): Promise<ClusterView | undefined> {
	for (const name of names) {
		const view = await settled(withRest(work, name, (rest) => rest.cluster()));
		if (view) return view;
	}
	return undefined;
}

/** A look that lacks the view where nobody of the members that answer reaches etcd. */
export type Glance = Pick<Look, "statuses"> & Partial<Look>;

export async function glance(work: Pick<Work, "host" | "record">): Promise<Glance> {
	const statuses = await statusesOf(work);
	const view = await viewOf(work, statuses.keys());
	return { statuses, ...(view ? { view } : {}) };
}

/** One look; `undefined` when no member answers, or nobody of them reaches etcd. */
export async function look(work: Pick<Work, "host" | "record">): Promise<Look | undefined> {
	const { statuses, view } = await glance(work);
	return view && { view, statuses };
}

/** Looks until somebody answers for the cluster, or the deadline names who is silent. */
export async function lookAt(work: Work): Promise<Look> {
	for (;;) {
		const found = await look(work);
		if (found) return found;
		await work.deadline.pause(250, `an answer from the Patronis of ${work.record.scope} (see holdfast status)`);
	}
}

/** The member that leads and says so itself: without etcd's quorum a Patroni goes on showing what it knew last. */
export const leaderOf = ({ view, statuses }: Look): string | undefined =>
	view.members.find(
		({ name, role, state }) => role === "leader" && state === "running" && statuses.get(name)?.role === "primary",
	)?.name;

/** Members for the planners; `pending` are those whose process runs with other files than are staged. */
export async function rolloutMembers(work: Work, names: readonly string[], seen: Look): Promise<RolloutMember[]> {
	return Promise.all(
		names.map(async (name) => {
			const { processes } = await work.host.status(name);
			const patroni = processes.find((process) => process.name === "patroni");
			const pending = { reload: false, process: patroni?.pendingRestart ?? false };
			return rolloutMember(name, seen.view, seen.statuses.get(name), pending);
		}),
	);
}
