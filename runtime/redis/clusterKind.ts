import { readRecord, removeRecord, withCluster } from "../access.ts";
import { Deadline } from "../deadline.ts";
import { HoldfastError, NotReady } from "../errors.ts";
import type { Kind } from "../kind.ts";
import { openHost } from "../platform/open.ts";
import { compareVersions } from "../tools.ts";
import type { RedisClusterInputs, RedisClusterOutputs } from "./clusterArguments.ts";
import type { RedisRecord } from "./clusterRecord.ts";
import { announceNodes, giveSecrets } from "./managerSecrets.ts";
import { versionOf } from "./nodeAdmin.ts";
import { observeCluster } from "./observeCluster.ts";
import { roll, whole } from "./roll.ts";
import { admitUsers, dropUsers } from "./users.ts";
import { save, type Work } from "./work.ts";

/** Filling a node takes seconds; one that comes back with much data takes as long as it takes. */
const DEADLINE_MS = 30 * 60_000;

/** The nodes and managers as one: who is declared, passwords and keys, rolling restarts. */
export const clusterKind: Kind<RedisClusterInputs, RedisClusterOutputs> = {
	id: ({ access }) => `${access.stack}/${access.cluster}`,
	ensure: (inputs) =>
		withCluster(inputs.access, "update", async () => {
			const work = await openWork(inputs);
			await save(work);
			try {
				return await finish(work, inputs);
			} catch (error) {
				if (!(error instanceof HoldfastError) || !PASSING.includes(error.code)) throw error;
				const { next } = error;
				throw new NotReady(clusterKind.id(inputs), { serverVersion: "" }, plain(error), { next, cause: error });
			}
		}),
	observe: (_id, state) => observeCluster(state),
	remove: (_id, { access }) => withCluster(access, "removal", () => removeRecord(access)),
};

const PASSING: readonly string[] = ["HF_DEADLINE", "HF_NOT_READY"];

/** The sentence without code and advice, which the error that carries it has of its own. */
const plain = ({ code, next, message }: HoldfastError): string =>
	message.slice(`${code}: `.length, -`. Next: ${next}`.length);

/** The record as it should be from now on; what is in force until then is kept beside it. */
async function openWork(inputs: RedisClusterInputs): Promise<Work> {
	const known = await readRecord<RedisRecord>(inputs.access);
	const record: RedisRecord = {
		system: "redis",
		nodes: [...inputs.nodes, ...gone(known?.nodes ?? [], inputs.nodes)],
		managers: inputs.managers,
		apiKey: inputs.apiKey,
		previousApiKey: formerOf(inputs.apiKey, known?.apiKey, known?.previousApiKey),
		adminPassword: inputs.adminPassword,
		previousAdminPassword: formerOf(inputs.adminPassword, known?.adminPassword, known?.previousAdminPassword),
		changingUsers: known?.changingUsers,
	};
	const deadline = new Deadline(`the update of Redis manager ${inputs.access.cluster}`, DEADLINE_MS);
	return { access: inputs.access, record, host: openHost(inputs.host), deadline };
}

const gone = (known: RedisRecord["nodes"], declared: RedisRecord["nodes"]) =>
	known.filter(({ name }) => !declared.some((node) => node.name === name));

const formerOf = (now: string, known: string | undefined, former: string | undefined): string | undefined =>
	known !== undefined && known !== now ? known : former;

async function finish(work: Work, inputs: RedisClusterInputs): Promise<RedisClusterOutputs> {
	const { record } = work;
	await announceNodes(work, inputs.managers, inputs.nodes);
	await admitUsers(work, inputs);
	await giveSecrets(work, inputs);
	await dropUsers(work, inputs);
	await roll(work, inputs);
	await whole(work, inputs);
	const versions = await Promise.all(inputs.nodes.map((node) => versionOf(node, inputs.adminPassword)));
	record.nodes = inputs.nodes;
	await save(work);
	return { serverVersion: versions.sort(compareVersions)[0]! };
}
