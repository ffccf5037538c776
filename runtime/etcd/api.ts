import type { CallOptions, EtcdGateway } from "./gateway.ts";
import { decimalId, hexId } from "./identity.ts";
import type { EtcdHealth, EtcdMember } from "./state.ts";
import type { GatewayMember } from "./transport.ts";

/** What one endpoint says of itself. */
export interface EtcdStatus extends EtcdHealth {
	endpoint: string;
	clusterId: string;
	memberId: string;
	version: string;
	isLearner: boolean;
	/** Bytes in use, and the most there may be. */
	dbSizeInUse: number;
	quota: number;
}

export interface EtcdAlarm {
	memberId: string;
	/** NOSPACE or CORRUPT. */
	alarm: string;
}

const base64 = (text: string): string => Buffer.from(text).toString("base64");
const text = (value: unknown): string => Buffer.from(String(value ?? ""), "base64").toString();
const number = (value: unknown): number => Number(value ?? 0);
const CHANGE_MS = 15_000;
const changing = (at?: readonly string[]): CallOptions => ({ at, ms: CHANGE_MS, changes: true });

/** End of the range of all keys that begin with `prefix`. */
export function prefixEnd(prefix: string): string {
	const bytes = Buffer.from(prefix);
	bytes[bytes.length - 1]! += 1;
	return bytes.toString("base64");
}

export async function status(gateway: EtcdGateway, endpoint: string, ms?: number): Promise<EtcdStatus> {
	const said = await gateway.call("maintenance/status", {}, { at: [endpoint], ms });
	return {
		endpoint,
		reachable: true,
		clusterId: hexId(said.header?.cluster_id),
		memberId: hexId(said.header?.member_id),
		version: String(said.version ?? ""),
		isLearner: said.isLearner === true,
		leader: hexId(said.leader),
		raftIndex: number(said.raftIndex),
		raftAppliedIndex: number(said.raftAppliedIndex),
		raftTerm: number(said.raftTerm),
		dbSize: number(said.dbSize),
		dbSizeInUse: number(said.dbSizeInUse),
		quota: number(said.dbSizeQuota),
		errors: said.errors ?? [],
	};
}

const memberOf = (said: GatewayMember): EtcdMember => ({
	id: hexId(said.ID),
	name: said.name ?? "",
	peerURLs: said.peerURLs ?? [],
	clientURLs: said.clientURLs ?? [],
	isLearner: said.isLearner === true,
});

/** A linearizable read: an answer is the proof of a quorum. */
export async function memberList(
	gateway: EtcdGateway,
	options: CallOptions = {},
): Promise<{ clusterId: string; answeredBy: string; members: EtcdMember[] }> {
	const said = await gateway.call("cluster/member/list", { linearizable: true }, options);
	const header = { clusterId: hexId(said.header?.cluster_id), answeredBy: hexId(said.header?.member_id) };
	return { ...header, members: (said.members ?? []).map(memberOf) };
}

/** Adds a learner; its entry in the list. */
export async function addLearner(gateway: EtcdGateway, peerURL: string, at?: readonly string[]): Promise<EtcdMember> {
	const said = await gateway.call("cluster/member/add", { peerURLs: [peerURL], isLearner: true }, changing(at));
	return memberOf(said.member!);
}

export async function promote(gateway: EtcdGateway, id: string, at?: readonly string[]): Promise<void> {
	await gateway.call("cluster/member/promote", { ID: decimalId(id) }, changing(at));
}

export async function remove(gateway: EtcdGateway, id: string, at?: readonly string[]): Promise<void> {
	await gateway.call("cluster/member/remove", { ID: decimalId(id) }, changing(at));
}

export async function update(gateway: EtcdGateway, id: string, peerURL: string, at?: readonly string[]): Promise<void> {
	await gateway.call("cluster/member/update", { ID: decimalId(id), peerURLs: [peerURL] }, changing(at));
}

/** Asked of the leader itself: others refuse. */
export async function moveLeader(gateway: EtcdGateway, to: string, leader: string): Promise<void> {
	await gateway.call("maintenance/transfer-leadership", { targetID: decimalId(to) }, changing([leader]));
}

export async function alarms(gateway: EtcdGateway): Promise<EtcdAlarm[]> {
	const said = await gateway.call("maintenance/alarm", { action: "GET" });
	return (said.alarms ?? []).map((one) => ({
		memberId: hexId(one.memberID),
		alarm: String(one.alarm ?? "NONE"),
	}));
}

export async function disarm(gateway: EtcdGateway, { memberId, alarm }: EtcdAlarm): Promise<void> {
	await gateway.call("maintenance/alarm", { action: "DEACTIVATE", memberID: decimalId(memberId), alarm }, changing());
}

/** Forgets all revisions before this one, and waits until their space can be used again. */
export async function compact(gateway: EtcdGateway, revision: string): Promise<void> {
	await gateway.call("kv/compaction", { revision, physical: true }, { ms: 60_000, changes: true });
}

/** Gives the space of one member's database back; it answers nobody meanwhile. */
export async function defragment(gateway: EtcdGateway, endpoint: string): Promise<void> {
	await gateway.call("maintenance/defragment", {}, { at: [endpoint], ms: 60_000, changes: true });
}

export interface KeyValue {
	key: string;
	value: string;
	/** Decimal text; "0" without one. */
	lease: string;
}

/** Linearizable. The revision is the store's, as decimal text. */
export async function get(gateway: EtcdGateway, key: string): Promise<{ found?: KeyValue; revision: string }> {
	const said = await gateway.call("kv/range", { key: base64(key) });
	const one = said.kvs?.[0];
	const found = one && { key: text(one.key), value: text(one.value), lease: String(one.lease ?? "0") };
	return { found, revision: String(said.header?.revision ?? "0") };
}

export async function put(gateway: EtcdGateway, key: string, value: string): Promise<void> {
	await gateway.call("kv/put", { key: base64(key), value: base64(value) }, { changes: true });
}

/** Puts a key that does not exist yet; whether it did. */
export async function putNew(gateway: EtcdGateway, key: string, value: string, lease: string): Promise<boolean> {
	const compare = [{ key: base64(key), target: "CREATE", result: "EQUAL", create_revision: "0" }];
	const success = [{ request_put: { key: base64(key), value: base64(value), lease } }];
	return (await gateway.call("kv/txn", { compare, success }, { changes: true })).succeeded === true;
}

/** A lease of so many seconds; its id as decimal text. */
export async function grantLease(gateway: EtcdGateway, seconds: number): Promise<string> {
	return String((await gateway.call("lease/grant", { TTL: seconds }, { changes: true })).ID);
}

/** Seconds that it lasts from now; 0 when there is no such lease any more. */
export async function keepLease(gateway: EtcdGateway, lease: string): Promise<number> {
	return number((await gateway.call("lease/keepalive", { ID: lease })).result?.TTL);
}

export async function revokeLease(gateway: EtcdGateway, lease: string): Promise<void> {
	await gateway.call("lease/revoke", { ID: lease });
}
