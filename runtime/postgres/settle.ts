import { failpoint } from "../failpoint.ts";
import { stackLog } from "../log.ts";
import type { PostgresClusterInputs } from "./clusterArguments.ts";
import { planRollout, type RolloutRules } from "./rollout.ts";
import type { RolloutStep } from "./state.ts";
import { type Look, leaderOf, lookAt, rolloutMembers, say, type Work, withRest } from "./work.ts";

/** A restart recovers first, which takes as long as there is WAL. */
const RESTART_MS = 10 * 60_000;

export const rulesOf = (
	{ standbys, dynamic }: Pick<PostgresClusterInputs, "standbys" | "dynamic">,
	seen: Look,
): RolloutRules => ({
	synchronous: standbys,
	maximumLag: Number(dynamic.maximum_lag_on_failover ?? 1_048_576),
	paused: seen.view.pause === true,
});

/** Restarts what has to be restarted, one member at a time; nothing happens when nothing is pending. */
export async function roll(work: Work, inputs: PostgresClusterInputs): Promise<void> {
	const names = inputs.members.map(({ name }) => name);
	for (const name of names) await restartGuard(work, name);
	for (;;) {
		const seen = await lookAt(work);
		const step = planRollout(await rolloutMembers(work, names, seen), rulesOf(inputs, seen));
		if (step.kind === "done") return;
		say(work, step.why);
		if (step.kind === "wait") await nudge(work, seen);
		await carryOut(work, step);
	}
}

/** The guard serves nobody while Patroni runs: it can be restarted at any time. */
async function restartGuard({ host }: Work, name: string): Promise<void> {
	const { processes } = await host.status(name);
	if (processes.find((process) => process.name === "guard")?.pendingRestart) await host.restart(name, "guard");
}

async function carryOut(work: Work, step: Exclude<RolloutStep, { kind: "done" }>): Promise<void> {
	const { access, host } = work;
	if (step.kind === "wait") return work.deadline.pause(500, step.why);
	stackLog(access.stack).info({ cluster: access.cluster, why: step.why }, step.kind);
	await failpoint("postgres/rolling");
	switch (step.kind) {
		case "reload":
			return withRest(work, step.member, (rest) => rest.reload());
		case "restartPostgres":
			return withRest(work, step.member, (rest) => rest.restart({ ms: work.deadline.left(RESTART_MS) }));
		case "restartProcess":
			return host.restart(step.member, "patroni");
		case "switchover":
			return withRest(work, step.from, (rest) => rest.switchover(step.from, step.to));
	}
}

/**
 * Waits until one declared member leads, every other one streams from it on the same timeline, and as many standbys are
 * synchronous as the durability asks for: writes before that are less durable than declared.
 */
export async function whole(work: Work, inputs: Aim): Promise<Look> {
	for (let tries = 1; ; tries++) {
		const seen = await lookAt(work);
		const why = lacking(inputs, seen);
		if (why === undefined) return seen;
		say(work, `waiting for ${why}`);
		if (tries % NUDGES === 0) await nudge(work, seen);
		await work.deadline.pause(200, why);
	}
}

const NUDGES = 4;

/** Lets Patroni look now instead of when its `loop_wait` is over: it has several looks to take until all is whole. */
export async function nudge(work: Work, { statuses }: Look): Promise<void> {
	await Promise.allSettled([...statuses.keys()].map((name) => withRest(work, name, (rest) => rest.wake())));
}

/** Members that shall be there, and how many of them synchronous. */
interface Aim {
	members: readonly { name: string }[];
	standbys: number;
}

/** What keeps a cluster from being whole, in words. */
export function lacking({ members, standbys }: Aim, seen: Look): string | undefined {
	const leader = leaderOf(seen);
	if (leader === undefined || !members.some(({ name }) => name === leader)) return "a leader";
	const { timeline } = seen.view.members.find(({ name }) => name === leader)!;
	const others = members.filter(({ name }) => name !== leader);
	const behind = others.filter(({ name }) => {
		const member = seen.view.members.find((one) => one.name === name);
		return member?.state !== "streaming" || member.timeline !== timeline || !seen.statuses.has(name);
	});
	if (behind.length > 0) return `${behind.map(({ name }) => name).join(", ")} to stream from ${leader}`;
	const synchronous = seen.view.members.filter(({ role }) => role === "sync_standby" || role === "quorum_standby");
	return synchronous.length < Math.min(standbys, others.length) ? "a synchronous standby" : undefined;
}
