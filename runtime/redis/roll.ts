import { failpoint } from "../failpoint.ts";
import { stackLog } from "../log.ts";
import type { RedisClusterInputs, RedisMemberInputs } from "./clusterArguments.ts";
import { lacking, serving } from "./lacking.ts";
import { appendfsyncOf } from "./nodeAdmin.ts";
import { askManagers, say, until, type Work } from "./work.ts";

type Inputs = Pick<RedisClusterInputs, "nodes" | "managers" | "appendfsync">;

/** Waits until every declared manager sees the declared nodes, no others, and all of them ready. */
export const whole = (work: Work, { nodes, managers }: Pick<Inputs, "nodes" | "managers">): Promise<void> =>
	until(work, async () => lacking(nodes, await askManagers(work, managers)));

/** Runs `fn`, and waits until every node that served before serves again. What did not is not waited for. */
export async function keeping(work: Work, { nodes, managers }: Inputs, fn: () => Promise<void>): Promise<void> {
	const before = serving(nodes, await askManagers(work, managers));
	await fn();
	await until(work, async () => {
		const now = serving(nodes, await askManagers(work, managers));
		const missed = before.find((node) => !now.includes(node));
		return missed && { why: `${missed.name} to be ready again` };
	});
}

/**
 * Restarts what runs with other files than are staged, one member at a time: nodes first, each only while all others are
 * ready and until the managers have healed it, then managers. Nothing happens when nothing is pending.
 */
export async function roll(work: Work, inputs: Inputs): Promise<void> {
	for (const node of inputs.nodes) {
		const why = await pendingOf(work, inputs, node);
		if (why === undefined) continue;
		await restartNode(work, inputs, node, why);
		await whole(work, inputs);
	}
	for (const manager of await silentFirst(work, inputs.managers)) {
		const { pendingRestart } = await work.host.status(manager.name);
		if (pendingRestart) await restartManager(work, inputs, manager, "with its new settings");
	}
}

/** Why a node has to be restarted: what is staged for it, or a setting that somebody changed while it ran. */
async function pendingOf(work: Work, { appendfsync }: Inputs, node: RedisMemberInputs): Promise<string | undefined> {
	const { pendingRestart } = await work.host.status(node.name);
	if (pendingRestart) return "with its new configuration";
	const found = await appendfsyncOf(node, work.record.adminPassword);
	return found === appendfsync ? undefined : `because its appendfsync was changed to ${found}`;
}

/** A node that serves goes only while all others do. */
export async function restartNode(work: Work, inputs: Inputs, node: RedisMemberInputs, why: string): Promise<void> {
	const now = serving(inputs.nodes, await askManagers(work, inputs.managers));
	if (now.includes(node)) await whole(work, inputs);
	await restart(work, node, why);
}

/** A manager that answers goes only while all others do; afterwards it sees all nodes ready. */
export async function restartManager(
	work: Work,
	inputs: Inputs,
	manager: RedisMemberInputs,
	why: string,
): Promise<void> {
	const { nodes, managers } = inputs;
	const [seen] = await askManagers(work, [manager]);
	if (seen?.nodes) await whole(work, { nodes, managers: managers.filter((one) => one !== manager) });
	await restart(work, manager, why);
	await whole(work, { nodes, managers: [manager] });
}

/** Those that do not answer have nothing to lose, and the others wait for them. */
export async function silentFirst(work: Work, managers: readonly RedisMemberInputs[]): Promise<RedisMemberInputs[]> {
	const seen = await askManagers(work, managers);
	const isSilent = (slot: number) => seen[slot]!.nodes === undefined;
	return [...managers.filter((_, slot) => isSilent(slot)), ...managers.filter((_, slot) => !isSilent(slot))];
}

async function restart(work: Work, { name }: RedisMemberInputs, why: string): Promise<void> {
	const { access, host } = work;
	stackLog(access.stack).info({ cluster: access.cluster, member: name, why }, "restart");
	say(work, `restart ${name} ${why}`);
	await failpoint("redis/rolling");
	await host.restart(name);
}
