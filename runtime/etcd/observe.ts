import type { Host } from "../platform/host.ts";
import { type EtcdStatus, memberList, status } from "./api.ts";
import { ETCD_EVIDENCE, ETCD_FOLDER } from "./config.ts";
import type { EtcdGateway } from "./gateway.ts";
import type { EtcdRecord } from "./record.ts";
import type { DesiredVoters, EtcdMember, Machine, ObservedEtcd } from "./state.ts";
import { EtcdError } from "./transport.ts";

/** Milliseconds: a stopped process accepts connections and never answers. */
const STATUS_MS = 2000;
/** A read that a quorum has to confirm, while an election may be under way. */
const LIST_MS = 4000;

export interface Look {
	seen: ObservedEtcd;
	/** Client URL by id, of the members that answer. */
	endpoints: Record<string, string>;
	statuses: EtcdStatus[];
}

export interface Viewpoint {
	host: Host;
	gateway: EtcdGateway;
	desired: DesiredVoters;
	/** Members of the platform that do not vote (any more) but may have etcd data. */
	others?: readonly string[];
	record?: EtcdRecord;
}

/** One look at everything the planner wants to know. HF_CREDENTIALS when a member asks for a login that nobody has. */
export async function lookAtEtcd({ host, gateway, desired, others = [], record }: Viewpoint): Promise<Look> {
	const known = [...new Set([...desired.map(({ clientURL }) => clientURL), ...(record?.endpoints ?? [])])];
	gateway.endpoints = known;
	const first = await statusesOf(gateway, known);
	const cluster = record && (await confirmed(gateway, first, record.clusterId));
	const listed = cluster?.members.flatMap(({ clientURLs }) => clientURLs) ?? [];
	const unasked = [...new Set(listed)].filter((url) => !known.includes(url));
	const statuses = [...first, ...(await statusesOf(gateway, unasked))];
	const ours = statuses.filter(({ clusterId }) => clusterId === record?.clusterId);
	// From here on: a learner refuses most calls, and a dead member costs time.
	const voters = ours.filter(({ isLearner, leader }) => !isLearner && leader !== "").map(({ endpoint }) => endpoint);
	if (voters.length > 0) gateway.endpoints = voters;
	const names = [...new Set([...desired.map(({ name }) => name), ...others])];
	const machines = await Promise.all(names.map((name) => machineOf(host, name)));
	const answers = (name: string) => answerOf(name, desired, cluster?.members ?? [], statuses);
	return {
		seen: {
			cluster: cluster && { ...cluster, leader: leaderOf(ours) },
			health: Object.fromEntries(ours.map((said) => [said.memberId, said])),
			machines: Object.fromEntries(names.map((name, i) => [name, { ...machines[i]!, answer: answers(name) }])),
		},
		endpoints: Object.fromEntries(ours.map(({ memberId, endpoint }) => [memberId, endpoint])),
		statuses,
	};
}

/** Of the endpoints that answer. */
export async function statusesOf(gateway: EtcdGateway, endpoints: readonly string[]): Promise<EtcdStatus[]> {
	const answers = await Promise.all(endpoints.map((endpoint) => settled(status(gateway, endpoint, STATUS_MS))));
	return answers.filter((answer) => answer !== undefined);
}

/** `undefined` when there was no answer; wrong credentials are not an absence. */
async function settled<T>(asked: Promise<T>): Promise<T | undefined> {
	try {
		return await asked;
	} catch (error) {
		if (error instanceof EtcdError && error.code !== "HF_CREDENTIALS") return undefined;
		throw error;
	}
}

/** The member list, from the first of our voters that a quorum lets answer. */
async function confirmed(gateway: EtcdGateway, statuses: readonly EtcdStatus[], clusterId: string) {
	for (const { endpoint, isLearner, ...said } of statuses) {
		if (said.clusterId !== clusterId || isLearner || said.leader === "") continue;
		const list = await settled(memberList(gateway, { at: [endpoint], ms: LIST_MS }));
		if (list?.clusterId === clusterId) return { clusterId, members: list.members };
	}
	return undefined;
}

/** As those see it that have seen the latest election. */
function leaderOf(statuses: readonly EtcdStatus[]): string {
	const latest = Math.max(...statuses.map(({ raftTerm }) => raftTerm));
	return statuses.find(({ raftTerm, leader }) => raftTerm === latest && leader !== "")?.leader ?? "";
}

function answerOf(
	name: string,
	desired: DesiredVoters,
	members: readonly EtcdMember[],
	statuses: readonly EtcdStatus[],
): Machine["answer"] {
	const wanted = desired.find((want) => want.name === name)?.clientURL;
	const known = members.filter((member) => member.name === name).flatMap(({ clientURLs }) => clientURLs);
	const said = [wanted, ...known].map((url) => statuses.find(({ endpoint }) => endpoint === url)).find(Boolean);
	return said && { clusterId: said.clusterId, memberId: said.memberId };
}

async function machineOf(host: Host, name: string): Promise<Machine> {
	const { processes } = await host.status(name);
	const etcd = processes.find((process) => process.name === "etcd");
	// A member that the platform does not have has no folder either.
	if (!etcd) return { data: "none", process: "missing", pendingRestart: false };
	const [begun, folder] = await Promise.all([host.exists(name, ETCD_EVIDENCE), host.exists(name, ETCD_FOLDER)]);
	const { state, detail, pendingRestart } = etcd;
	return { data: begun ? "present" : folder ? "partial" : "none", process: state, detail, pendingRestart };
}
