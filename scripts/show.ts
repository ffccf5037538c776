import { clustersOf, type KnownCluster } from "../runtime/clusters.ts";
import { type MongoStatus, mongoStatus } from "../runtime/mongo/status.ts";
import type { MemberStatus } from "../runtime/platform/host.ts";
import { localHost } from "../runtime/platform/local.ts";
import { membersOf } from "../runtime/platform/members.ts";
import { type PostgresStatus, postgresStatus } from "../runtime/postgres/status.ts";
import { type RedisStatus, redisStatus } from "../runtime/redis/status.ts";
import { stackOutputs } from "./outputs.ts";
import { migrationLines } from "./systems/migrations.ts";
import { mongoConnections, mongoLines } from "./systems/mongo.ts";
import { postgresConnections, postgresLines } from "./systems/postgres.ts";
import { redisConnections, redisLines } from "./systems/redis.ts";

type ClusterStatus =
	| ({ system: "mongo" } & MongoStatus)
	| ({ system: "postgres" } & PostgresStatus)
	| ({ system: "redis" } & RedisStatus);

/** What a stack runs and how it is: data for --json, and for the text below. */
export interface StackStatus {
	stack: string;
	healthy: boolean;
	clusters: (ClusterStatus & { processes: MemberStatus[] })[];
}

export async function statusOf(stack: string): Promise<StackStatus> {
	const found = await Promise.all((await clustersOf(stack)).map(clusterStatus));
	const clusters = found.flatMap((cluster) => cluster ?? []);
	const running = clusters.every(({ processes }) => processes.every(isFine));
	return { stack, healthy: running && clusters.every(({ healthy }) => healthy), clusters };
}

async function clusterStatus({ access, system }: KnownCluster): Promise<StackStatus["clusters"][number] | undefined> {
	const processes = await processesOf(access.stack, access.cluster);
	switch (system) {
		case "mongo": {
			const status = await mongoStatus(access);
			return status && { system, ...status, processes };
		}
		case "postgres": {
			const status = await postgresStatus(access);
			return status && { system, ...status, processes };
		}
		case "redis": {
			const status = await redisStatus(access);
			return status && { system, ...status, processes };
		}
	}
}

/** It runs, and nothing has to be said about it: a process without supervisord runs too, but would not come back. */
const isFine = ({ state, processes }: MemberStatus): boolean =>
	state === "running" && processes.every(({ detail }) => detail === undefined);

async function processesOf(stack: string, cluster: string): Promise<MemberStatus[]> {
	const host = localHost(stack);
	return Promise.all((await membersOf(stack, cluster)).map((member) => host.status(member)));
}

function linesOf(cluster: ClusterStatus): string[] {
	switch (cluster.system) {
		case "mongo":
			return mongoLines(cluster);
		case "postgres":
			return postgresLines(cluster);
		case "redis":
			return redisLines(cluster);
	}
}

export function printStatus({ stack, clusters }: StackStatus): void {
	if (clusters.length === 0) console.log(`stack ${stack}: nothing runs`);
	for (const cluster of clusters) {
		console.log(`\n${linesOf(cluster).join("\n")}`);
		for (const { member, state, processes } of cluster.processes.filter((one) => !isFine(one))) {
			const details = processes.flatMap(({ detail }) => detail ?? []);
			console.log(`  ${[`${member} is ${state}`, ...(details.length > 0 ? [details.join("; ")] : [])].join(": ")}`);
		}
	}
}

/** The end of `up`: what runs, and how to connect. */
export async function showStack(stack: string): Promise<void> {
	printStatus(await statusOf(stack));
	const { mongo, postgres, redis, ...moves } = await stackOutputs(stack);
	const systems = {
		...(mongo ? { mongo: mongoConnections(mongo) } : {}),
		...(postgres ? { postgres: postgresConnections(postgres) } : {}),
		...(redis ? { redis: redisConnections(redis) } : {}),
	};
	for (const [system, lines] of Object.entries(systems)) {
		console.log(`\nConnect (passwords hidden; npm run holdfast -- connect ${system} --reveal shows them):`);
		for (const line of lines) console.log(line);
	}
	const moved = migrationLines(moves);
	if (moved.length > 0) console.log(`\n${moved.join("\n")}`);
}
