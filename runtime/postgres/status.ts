import { type Access, readRecord } from "../access.ts";
import type { EtcdClusterStatus } from "../etcd/status.ts";
import { hostport } from "../platform/model.ts";
import { openHost } from "../platform/open.ts";
import { durabilityOf } from "./durability.ts";
import { statusOfEtcd } from "./etcd.ts";
import { versionText } from "./look.ts";
import { orphanOf } from "./orphan.ts";
import type { PostgresRecord } from "./record.ts";
import { lacking } from "./settle.ts";
import { type Glance, glance, leaderOf } from "./work.ts";

export interface PostgresMemberStatus {
	member: string;
	/** `host:port` of PostgreSQL. */
	address: string;
	/** As Patroni names it: leader, sync_standby, quorum_standby, replica; `none` when it does not answer. */
	role: string;
	/** running, streaming, starting …; `down` when nothing answers. */
	state: string;
	timeline?: number;
	/** Bytes behind the leader; absent for the leader, and where it is not known. */
	lagBytes?: number;
	pendingRestart: boolean;
	/** leader, follower, learner, down; `-` for a member that does not vote. */
	etcd: string;
}

export interface PostgresStatus {
	name: string;
	systemIdentifier?: string;
	version?: string;
	durability: string;
	timeline?: number;
	/** One sentence: whole, degraded and by whom, or without leader. */
	summary: string;
	healthy: boolean;
	/** etcd in one sentence. */
	etcd: string;
	members: PostgresMemberStatus[];
	/** What an operator must know now. */
	warnings: string[];
}

/** How a cluster is, as far as can be told from here; never throws for one that is down. */
export async function postgresStatus(access: Access): Promise<PostgresStatus | undefined> {
	const record = await readRecord<PostgresRecord>(access);
	if (!record) return undefined;
	const work = { record, host: openHost({ kind: "local", stack: access.stack }) };
	const [seen, etcd, orphans] = await Promise.all([glance(work), statusOfEtcd(work), orphanWarnings(access, record)]);
	const members = record.hosts.map((host) => memberStatus(host, seen, etcd));
	const leader = seen.view ? leaderOf({ ...seen, view: seen.view }) : leaderByItsWord(seen);
	const status = leader === undefined ? undefined : seen.statuses.get(leader);
	const trouble = [...troubles(record, seen, leader), ...(etcd && !etcd.healthy ? [`etcd ${etcd.summary}`] : [])];
	const failsafe = status?.failsafe_mode_is_active === true;
	return {
		name: record.scope,
		systemIdentifier: record.systemIdentifier,
		...(status?.server_version ? { version: versionText(status.server_version) } : {}),
		durability: durabilityOf(record.dynamic),
		timeline: status?.timeline,
		summary:
			trouble.length === 0 ? `whole: ${members.length} member(s), leader ${leader}` : `degraded: ${trouble.join("; ")}`,
		healthy: trouble.length === 0 && orphans.length === 0 && !failsafe,
		etcd: etcd?.summary ?? "run by somebody else",
		members,
		warnings: [...orphans, ...(failsafe ? [FAILSAFE] : []), ...(seen.view?.pause ? [PAUSED] : [])],
	};
}

const FAILSAFE =
	"etcd has no quorum: the leader goes on writing because every member answers it, and nobody could take over";
const PAUSED = "maintenance mode (pause): nobody takes over when the leader fails";

function troubles(record: PostgresRecord, { view, statuses }: Glance, leader: string | undefined): string[] {
	if (statuses.size === 0) return ["no member answers"];
	if (!view) return ["no member reaches etcd", ...(leader === undefined ? ["waiting for a leader"] : [])];
	const { synchronous_mode: mode, synchronous_node_count: count } = record.dynamic ?? {};
	const standbys = mode === false || mode === undefined ? 0 : Number(count ?? 1);
	const why = lacking({ members: record.hosts, standbys }, { view, statuses });
	return why === undefined ? [] : [`waiting for ${why}`];
}

/** Who says that it leads: all that can be known without etcd. */
const leaderByItsWord = ({ statuses }: Glance): string | undefined =>
	[...statuses].find(([, { role, state }]) => role === "primary" && state === "running")?.[0];

function memberStatus(
	host: PostgresRecord["hosts"][number],
	seen: Glance,
	etcd: EtcdClusterStatus | undefined,
): PostgresMemberStatus {
	const found = seen.view?.members.find(({ name }) => name === host.name);
	const own = seen.statuses.get(host.name);
	const voter = etcd?.members.find(({ name }) => name === host.name);
	const common = { member: host.name, address: hostport(host), etcd: voter?.role ?? "-" };
	if (!own) return { ...common, role: "none", state: "down", pendingRestart: false };
	const state = own.state === "running" ? (found?.state ?? own.state) : own.state;
	const lag = found?.role === "leader" || typeof found?.lag !== "number" ? {} : { lagBytes: found.lag };
	return {
		...common,
		role: found?.role ?? (own.role === "primary" ? "leader" : own.role),
		state,
		timeline: own.timeline,
		...lag,
		pendingRestart: own.pending_restart === true,
	};
}

/** A postmaster without its Patroni: the guard ends it soon, unless that is gone as well. */
async function orphanWarnings({ stack }: Access, { hosts }: PostgresRecord): Promise<string[]> {
	const found = await Promise.all(hosts.map(async ({ name }) => ({ name, pid: await orphanOf(stack, name) })));
	return found.flatMap(({ name, pid }) =>
		pid === undefined
			? []
			: [`DANGER: PostgreSQL of ${name} (process ${pid}) runs without its Patroni and may take writes that are lost`],
	);
}
