import { readRecord, withCluster } from "../access.ts";
import { Deadline } from "../deadline.ts";
import { HoldfastError } from "../errors.ts";
import { failpoint } from "../failpoint.ts";
import type { Kind } from "../kind.ts";
import { stackLog } from "../log.ts";
import { openHost } from "../platform/open.ts";
import type { PostgresRetireInputs, PostgresRetireOutputs } from "./clusterArguments.ts";
import { bringConfig } from "./configure.ts";
import { retireVoters } from "./etcd.ts";
import { checkFixed } from "./fixed.ts";
import type { PostgresRecord } from "./record.ts";
import { nextRound } from "./reload.ts";
import { planRetire } from "./rollout.ts";
import { nudge } from "./settle.ts";
import { lookAt, rolloutMembers, say, type Work, withRest } from "./work.ts";

const DEADLINE_MS = 30 * 60_000;

/**
 * Comes before the members are touched: members that go away hand over and leave etcd, so that their processes stop only
 * afterwards.
 */
export const retireKind: Kind<PostgresRetireInputs, PostgresRetireOutputs> = {
	id: ({ access }) => `${access.stack}/${access.cluster}`,
	ensure: (inputs) =>
		withCluster(inputs.access, "retirement", async () => {
			const record = await readRecord<PostgresRecord>(inputs.access);
			if (inputs.host.kind !== "existing") await checkFixed(inputs, record);
			if (record?.systemIdentifier !== undefined && inputs.host.kind !== "existing") await retire(record, inputs);
			return { retired: [] };
		}),
	async observe() {
		return { outputs: { retired: [] } };
	},
	async remove() {},
};

async function retire(record: PostgresRecord, inputs: PostgresRetireInputs): Promise<void> {
	const leaving = record.hosts.map(({ name }) => name).filter((name) => !inputs.members.some((m) => m.name === name));
	const deadline = new Deadline(`taking members out of ${record.scope}`, DEADLINE_MS);
	const work: Work = { access: inputs.access, record, host: openHost(inputs.host), deadline };
	if (leaving.length > 0) {
		await lowerDurability(work, inputs);
		await handOver(work, inputs, leaving);
	}
	await retireVoters(work, inputs.members);
}

/** Before standbys go, so that no commit waits for one that has left. */
async function lowerDurability(work: Work, { synchronous }: PostgresRetireInputs): Promise<void> {
	if (!(await bringConfig(work, synchronous))) return;
	const { statuses } = await lookAt(work);
	await nextRound(work, [...statuses.keys()]);
}

async function handOver(work: Work, inputs: PostgresRetireInputs, leaving: readonly string[]): Promise<void> {
	const names = work.record.hosts.map(({ name }) => name);
	for (;;) {
		const seen = await lookAt(work);
		const rules = { synchronous: inputs.standbys, maximumLag: 1_048_576, paused: seen.view.pause === true };
		const step = planRetire(await rolloutMembers(work, names, seen), leaving, rules);
		if (step.kind === "done") return;
		if (step.kind === "refuse") throw new HoldfastError(step.code, step.why, { next: step.next });
		say(work, step.why);
		if (step.kind === "wait") {
			await nudge(work, seen);
			await work.deadline.pause(500, step.why);
			continue;
		}
		stackLog(work.access.stack).info({ cluster: work.access.cluster, why: step.why }, step.kind);
		await failpoint("postgres/retiring");
		if (step.kind === "stop") await work.host.stop(step.member, "patroni");
		else await withRest(work, step.from, (rest) => rest.switchover(step.from, step.to));
	}
}
