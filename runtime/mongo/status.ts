import { type Access, readRecord } from "../access.ts";
import { describe } from "../errors.ts";
import { adminCredential } from "./connect.ts";
import { type Look, lookAtSet } from "./observe.ts";
import { Reach } from "./reach.ts";
import type { MongoRecord } from "./record.ts";

export interface MongoMemberStatus {
	host: string;
	/** As MongoDB names it: PRIMARY, SECONDARY, ARBITER, STARTUP2 ...; DOWN when it does not answer. */
	state: string;
	votes: number;
	priority: number;
	hidden: boolean;
	/** Seconds behind the primary. */
	lagSeconds: number;
}

export interface MongoStatus {
	name: string;
	replicaSetId?: string;
	version?: string;
	featureCompatibilityVersion?: string;
	/** One sentence: whole, degraded and by whom, or without primary. */
	summary: string;
	healthy: boolean;
	/** Hours between the oldest and the newest operation in the primary's oplog. */
	oplogHours?: number;
	members: MongoMemberStatus[];
}

const STATES: Record<number, string> = {
	0: "STARTUP",
	1: "PRIMARY",
	2: "SECONDARY",
	3: "RECOVERING",
	5: "STARTUP2",
	7: "ARBITER",
	9: "ROLLBACK",
	10: "REMOVED",
};

/** How a set is, as far as can be told from here; never throws for a set that is down. */
export async function mongoStatus(access: Access): Promise<MongoStatus | undefined> {
	const record = await readRecord<MongoRecord>(access);
	if (!record) return undefined;
	const reach = new Reach(record.tls);
	try {
		const look = await lookAtSet(reach, record.hosts, adminCredential(record.admin), record.keys);
		return look ? await seen(record, look) : await headless(record, reach);
	} catch (error) {
		const { name, replicaSetId } = record;
		return { name, replicaSetId, summary: describe(error), healthy: false, members: [] };
	} finally {
		await reach.close();
	}
}

async function seen(record: MongoRecord, { set, client }: Look): Promise<MongoStatus> {
	const members = set.config.members.map(({ host, votes, priority, hidden }) => {
		const member = set.members.find((m) => m.host === host);
		const state = STATES[member?.state ?? -1] ?? "DOWN";
		return { host, state, votes, priority, hidden, lagSeconds: member?.lagSeconds ?? 0 };
	});
	const bad = members.filter(({ state }) => !["PRIMARY", "SECONDARY", "ARBITER"].includes(state));
	const { version } = await client.db("admin").command({ buildInfo: 1 });
	const names = bad.map(({ host, state }) => `${host} is ${state}`).join(", ");
	return {
		name: record.name,
		replicaSetId: record.replicaSetId,
		version,
		featureCompatibilityVersion: set.featureCompatibilityVersion,
		summary: bad.length === 0 ? `whole: ${members.length} member(s), primary ${set.primary}` : `degraded: ${names}`,
		healthy: bad.length === 0,
		oplogHours: await oplogHours(client),
		members,
	};
}

async function oplogHours(client: Look["client"]): Promise<number> {
	const oplog = client.db("local").collection("oplog.rs");
	const end = (direction: 1 | -1) =>
		oplog
			.find({}, { projection: { wall: 1 } })
			.sort({ $natural: direction })
			.limit(1)
			.next();
	const [first, last] = await Promise.all([end(1), end(-1)]);
	return (Number(last?.wall ?? 0) - Number(first?.wall ?? 0)) / 3_600_000;
}

async function headless(record: MongoRecord, reach: Reach): Promise<MongoStatus> {
	const answers = await reach.hellos(record.hosts);
	const members = answers.map(({ host, hello }) => ({
		host,
		state: hello ? (hello.secondary ? "SECONDARY" : hello.arbiterOnly ? "ARBITER" : "OTHER") : "DOWN",
		votes: 0,
		priority: 0,
		hidden: false,
		lagSeconds: 0,
	}));
	const down = members.filter(({ state }) => state === "DOWN").map(({ host }) => host);
	const who = down.length > 0 ? `: no answer from ${down.join(", ")}` : "";
	const { name, replicaSetId } = record;
	return { name, replicaSetId, summary: `no primary${who}`, healthy: false, members };
}
