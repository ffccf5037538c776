import { clustersOf } from "../runtime/clusters.ts";
import { type MongoStatus, mongoStatus } from "../runtime/mongo/status.ts";
import type { MemberStatus } from "../runtime/platform/host.ts";
import { localHost } from "../runtime/platform/local.ts";
import { membersOf } from "../runtime/platform/members.ts";
import { hidePassword, stackOutputs } from "./outputs.ts";
import { table } from "./table.ts";

/** What a stack runs and how it is: data for --json, and for the text below. */
export interface StackStatus {
	stack: string;
	healthy: boolean;
	clusters: (MongoStatus & { processes: MemberStatus[] })[];
}

export async function statusOf(stack: string): Promise<StackStatus> {
	const accesses = await clustersOf(stack);
	const clusters = [];
	for (const access of accesses) {
		const status = await mongoStatus(access);
		if (!status) continue;
		const processes = await processesOf(stack, access.cluster);
		clusters.push({ ...status, processes });
	}
	const running = clusters.every(({ processes }) => processes.every(isFine));
	return { stack, healthy: running && clusters.every(({ healthy }) => healthy), clusters };
}

/** It runs, and nothing has to be said about it: a process without supervisord runs too, but would not come back. */
const isFine = ({ state, processes }: MemberStatus): boolean =>
	state === "running" && processes.every(({ detail }) => detail === undefined);

async function processesOf(stack: string, cluster: string): Promise<MemberStatus[]> {
	const host = localHost(stack);
	return Promise.all((await membersOf(stack, cluster)).map((member) => host.status(member)));
}

export function printStatus({ stack, clusters }: StackStatus): void {
	if (clusters.length === 0) console.log(`stack ${stack}: nothing runs`);
	for (const cluster of clusters) {
		const version = cluster.version
			? ` (MongoDB ${cluster.version}, compatibility ${cluster.featureCompatibilityVersion})`
			: "";
		console.log(`\nMongoDB replica set ${cluster.name}${version}: ${cluster.summary}`);
		if (cluster.replicaSetId)
			console.log(`  id ${cluster.replicaSetId}, oplog covers ${(cluster.oplogHours ?? 0).toFixed(1)} h`);
		const rows = cluster.members.map((m) => [
			m.host,
			m.state,
			String(m.votes),
			String(m.priority),
			m.state === "DOWN" ? "-" : `${m.lagSeconds.toFixed(0)} s`,
		]);
		console.log(table([["MEMBER", "STATE", "VOTES", "PRIORITY", "LAG"], ...rows]));
		for (const { member, state, processes } of cluster.processes.filter((one) => !isFine(one))) {
			console.log(`  ${member} is ${state}: ${processes.map(({ detail }) => detail ?? "").join("; ")}`);
		}
	}
}

/** The end of `up`: what runs, and how to connect. */
export async function showStack(stack: string): Promise<void> {
	printStatus(await statusOf(stack));
	const { mongo } = await stackOutputs(stack);
	if (!mongo) return;
	console.log("\nConnect (passwords hidden; npm run holdfast -- connect mongo --reveal shows them):");
	for (const [user, uri] of Object.entries(mongo.users)) console.log(`  ${user}\n    ${hidePassword(uri)}`);
}
