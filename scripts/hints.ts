import { readFile } from "node:fs/promises";
import { migrationHints } from "../runtime/migrate/hints.ts";
import { membershipHints } from "../runtime/mongo/hints.ts";
import type { ReplicaSetInputs } from "../runtime/mongo/model.ts";
import { clusterHints } from "../runtime/postgres/hints.ts";
import type { PostgresClusterInputs } from "../runtime/postgres/model.ts";
import { redisHints } from "../runtime/redis/hints.ts";
import type { RedisClusterInputs } from "../runtime/redis/model.ts";

interface Step {
	op: string;
	urn: string;
	diffs?: string[];
	old?: { inputs: Record<string, unknown> };
	new?: { inputs: Record<string, unknown> };
}

const typeOf = (urn: string): string => urn.split("::").at(-2)!.split("$").at(-1)!;
const MEMBER = "pulumi-nodejs:dynamic/platform:Member";
const REPLICA_SET = "pulumi-nodejs:dynamic/mongo:ReplicaSet";
const POSTGRES = "pulumi-nodejs:dynamic/postgres:Cluster";
const REDIS = "pulumi-nodejs:dynamic/redis:Cluster";
const MIGRATION = "pulumi-nodejs:dynamic/migrate:Migration";

/**
 * What a previewed change means for clusters that run: Pulumi sees properties, the runtime's planner knows restarts
 * and reconfigurations. `log` is Pulumi's event log of the preview.
 */
export async function hints(log: string): Promise<string[]> {
	const steps = (await readFile(log, "utf8"))
		.split("\n")
		.filter((line) => line !== "")
		.flatMap((line): Step[] => JSON.parse(line).resourcePreEvent?.metadata ?? []);
	const updates = steps.filter(({ op }) => op === "update");
	const of = (type: string) => updates.filter(({ urn }) => typeOf(urn) === type);
	// A new one, unlike a new cluster, is about data that is there already.
	const migrations = steps.filter(({ op, urn }) => ["create", "update"].includes(op) && typeOf(urn) === MIGRATION);
	const found = await Promise.all([
		...of(REPLICA_SET).map((step) => ofReplicaSet(step, updates)),
		...of(POSTGRES).map((step) => ofPostgres(step, updates)),
		...of(REDIS).map((step) => ofRedis(step, updates)),
		...migrations.map(ofMigration),
	]);
	return found.flat();
}

/** Members of a cluster whose processes will have to be restarted. */
const restarted = (cluster: string, steps: Step[]): string[] =>
	steps
		.filter(({ urn, new: member }) => typeOf(urn) === MEMBER && member?.inputs.cluster === cluster)
		.filter(({ old: before, new: after }) => atStart(before!.inputs) !== atStart(after!.inputs))
		.map(({ new: member }) => String(member!.inputs.name))
		.sort();

/** What counts when a process starts; secrets are masked and so never differ. */
function atStart({ files, processes }: Record<string, unknown>): string {
	const conf = Object.entries((files ?? {}) as Record<string, unknown>).filter(([path]) => path.startsWith("conf/"));
	return JSON.stringify([processes, conf.sort(([a], [b]) => a.localeCompare(b))]);
}

async function ofPostgres({ new: next }: Step, steps: Step[]): Promise<string[]> {
	const inputs = next!.inputs as unknown as PostgresClusterInputs;
	const { cluster } = inputs.access;
	const changed = await clusterHints(inputs.access, inputs);
	const cold = restarted(cluster, steps);
	if (cold.length > 0)
		changed.push(`restart processes of ${cold.join(", ")} one at a time, the leader last after it handed over`);
	return changed.map((what) => `${cluster}: ${what}`);
}

async function ofRedis({ diffs = [], new: next }: Step, steps: Step[]): Promise<string[]> {
	const inputs = next!.inputs as unknown as RedisClusterInputs;
	const { cluster } = inputs.access;
	const changed = await redisHints(inputs.access, inputs);
	const secrets = ["nodePassword", "adminPassword", "apiKey"].filter((secret) => diffs.includes(secret));
	if (secrets.length > 0) changed.push(`give every member its new secrets (${secrets.join(", ")}), one at a time`);
	const cold = restarted(cluster, steps);
	if (cold.length > 0)
		changed.push(`restart ${cold.join(", ")} one at a time, each once the others are ready, managers last`);
	return changed.map((what) => `${cluster}: ${what}`);
}

const ofMigration = ({ new: next }: Step): Promise<string[]> => migrationHints(known(next!.inputs));

/** Without what the text of the provider and the preview add: a hash that is not known yet is no hash. */
function known({ __provider: _, ...inputs }: Record<string, unknown>): Record<string, unknown> {
	const map = inputs.idMap as Record<string, unknown> | undefined;
	const isHash = typeof map?.hash === "string" && /^[0-9a-f]{64}$/.test(map.hash);
	return isHash || !map ? inputs : { ...inputs, idMap: { ...map, hash: undefined } };
}

async function ofReplicaSet({ diffs = [], new: next }: Step, steps: Step[]): Promise<string[]> {
	const inputs = next!.inputs as unknown as ReplicaSetInputs;
	const { cluster } = inputs.access;
	const changed = await membershipHints(inputs.access, inputs);
	const rolls = diffs.includes("keyfile")
		? ["restart every member twice, one at a time: the new key beside the old one, then alone"]
		: [];
	const cold = restarted(cluster, steps);
	if (cold.length > 0) rolls.push(`restart ${cold.join(", ")} one at a time, the primary last after it stepped down`);
	return [...changed, ...rolls].map((what) => `${cluster}: ${what}`);
}
