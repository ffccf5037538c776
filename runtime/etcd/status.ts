import { describe } from "../errors.ts";
import { alarms, type EtcdAlarm, memberList } from "./api.ts";
import { EtcdGateway, type GatewayOptions } from "./gateway.ts";
import { statusesOf } from "./observe.ts";
import type { EtcdMember } from "./state.ts";

export interface EtcdMemberStatus {
	name: string;
	id: string;
	/** As etcd calls it; `down` when it does not answer. */
	role: "leader" | "follower" | "learner" | "down";
	clientURLs: string[];
	version?: string;
	/** Bytes: the file, what of it is in use, and the most that may be. */
	dbSize?: number;
	dbSizeInUse?: number;
	quota?: number;
	/** Entries of the log that it has not applied yet. */
	lag?: number;
	errors: string[];
}

export interface EtcdClusterStatus {
	/** One sentence. */
	summary: string;
	healthy: boolean;
	clusterId: string;
	members: EtcdMemberStatus[];
	alarms: EtcdAlarm[];
}

/** How the cluster is, as far as can be told from here; never throws for one that is down. */
export async function etcdStatus(options: GatewayOptions): Promise<EtcdClusterStatus> {
	const gateway = new EtcdGateway(options);
	try {
		return await read(gateway);
	} catch (error) {
		return { summary: describe(error), healthy: false, clusterId: "", members: [], alarms: [] };
	} finally {
		await gateway.close();
	}
}

async function read(gateway: EtcdGateway): Promise<EtcdClusterStatus> {
	const list = await memberList(gateway);
	const urls = [...new Set([...list.members.flatMap(({ clientURLs }) => clientURLs), ...gateway.endpoints])];
	const [statuses, raised] = await Promise.all([statusesOf(gateway, urls), alarms(gateway)]);
	const index = Math.max(0, ...statuses.map(({ raftIndex }) => raftIndex));
	const members = list.members.map((member) => describeMember(member, statuses, index));
	const down = members.filter(({ role }) => role === "down").map(({ name, id }) => name || id);
	const leader = members.find(({ role }) => role === "leader");
	const trouble = [
		...(down.length > 0 ? [`no answer from ${down.join(", ")}`] : []),
		...(leader ? [] : ["no leader"]),
		...raised.map(
			({ alarm, memberId }) => `${alarm} on ${members.find(({ id }) => id === memberId)?.name ?? memberId}`,
		),
		...members.filter(({ role }) => role === "learner").map(({ name, id }) => `${name || id} is still a learner`),
	];
	const summary =
		trouble.length > 0
			? `degraded: ${trouble.join("; ")}`
			: `whole: ${members.length} voter(s), leader ${leader!.name}`;
	return { summary, healthy: trouble.length === 0, clusterId: list.clusterId, members, alarms: raised };
}

type Status = Awaited<ReturnType<typeof statusesOf>>[number];

function describeMember(member: EtcdMember, statuses: readonly Status[], index: number): EtcdMemberStatus {
	const { id, name, clientURLs, isLearner } = member;
	const said = statuses.find(({ memberId }) => memberId === id);
	if (!said) return { name, id, clientURLs, role: "down", errors: [] };
	const { version, dbSize, dbSizeInUse, quota, errors } = said;
	const role = isLearner ? "learner" : said.leader === id ? "leader" : "follower";
	const lag = Math.max(0, index - said.raftAppliedIndex);
	return { name, id, clientURLs, role, version, dbSize, dbSizeInUse, quota, lag, errors };
}
