import { readRecord, withCluster } from "../access.ts";
import { Deadline } from "../deadline.ts";
import { HoldfastError } from "../errors.ts";
import { failpoint } from "../failpoint.ts";
import type { Kind } from "../kind.ts";
import { stackLog } from "../log.ts";
import { openHost } from "../platform/open.ts";
import type { RedisMemberInputs, RedisRetireInputs, RedisRetireOutputs } from "./clusterArguments.ts";
import type { RedisRecord } from "./clusterRecord.ts";
import { checkAddresses } from "./fixed.ts";
import { remaining } from "./lacking.ts";
import { announceNodes } from "./managerSecrets.ts";
import { askManagers, say, until, type Work } from "./work.ts";

const DEADLINE_MS = 30 * 60_000;

/**
 * Comes before the members are touched: refuses what cannot change, and lets the managers take over what nodes that go
 * away have, so that their processes stop only afterwards.
 */
export const retireKind: Kind<RedisRetireInputs, RedisRetireOutputs> = {
	id: ({ access }) => `${access.stack}/${access.cluster}`,
	ensure: (inputs) =>
		withCluster(inputs.access, "retirement", async () => {
			const record = await readRecord<RedisRecord>(inputs.access);
			if (!record) return { retired: [] };
			checkAddresses(inputs, record);
			await retire(record, inputs);
			return { retired: [] };
		}),
	async observe() {
		return { outputs: { retired: [] } };
	},
	async remove() {},
};

async function retire(record: RedisRecord, inputs: RedisRetireInputs): Promise<void> {
	const isDeclared = ({ name }: RedisMemberInputs) => inputs.nodes.some((node) => node.name === name);
	const leaving = record.nodes.filter((node) => !isDeclared(node));
	const staying = record.nodes.filter(isDeclared);
	if (leaving.length === 0) return;
	const names = leaving.map(({ name }) => name).join(", ");
	if (staying.length < 2)
		throw new HoldfastError("HF_UNSAFE", `without ${names} no majority would be left to hand over to`, {
			next: "keep 2 nodes; for one alone make a new manager, and delete this one",
		});
	const deadline = new Deadline(`taking ${names} out of ${inputs.access.cluster}`, DEADLINE_MS);
	const work: Work = { access: inputs.access, record, host: openHost(inputs.host), deadline };
	stackLog(inputs.access.stack).info({ cluster: inputs.access.cluster, leaving: names }, "retire");
	say(work, `let ${names} hand over`);
	for (const { name } of record.managers) await work.host.start(name);
	// Those that stay must be a majority at every step.
	for (const node of leaving.toReversed()) {
		const others = leaving.slice(0, leaving.indexOf(node));
		await announceNodes(work, record.managers, [...staying, ...others]);
		await failpoint("redis/retiring");
		await until(work, async () => {
			const why = remaining([node], await askManagers(work, record.managers));
			return why === undefined ? undefined : { why };
		});
	}
}
