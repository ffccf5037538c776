import { writeRecord } from "../access.ts";
import { failpoint } from "../failpoint.ts";
import type { Host } from "../platform/host.ts";
import { report } from "../progress.ts";
import { KEY_FILE, keyfileText, parseKeyfile } from "./config.ts";
import { lookAt, stepDown, type Work } from "./execute.ts";
import type { ReplicaSetInputs } from "./model.ts";
import type { Look } from "./observe.ts";
import { planRollout } from "./rollout.ts";
import type { RolloutMember } from "./state.ts";

interface Keys {
	next: string;
	/** The key in force while it is being replaced. */
	former?: string;
}

/**
 * Brings every running process to what is staged for it, one member at a time, and replaces the key file in two rounds.
 * A rotation that an earlier run left unfinished is finished before the next begins: a member may still hold only the
 * oldest key. Nothing happens when nothing is pending.
 */
export async function roll(work: Work, host: Host, inputs: ReplicaSetInputs): Promise<void> {
	const managed = inputs.members.filter(({ member }) => member !== "");
	const { record, access } = work;
	while (record.keys.length > 1) {
		const [former, next] = [record.keys.at(-1)!, record.keys.at(-2)!];
		await rollTo(work, host, managed, { next, former });
		record.keys.pop();
		await writeRecord(access, record);
	}
	await rollTo(work, host, managed, { next: record.keys[0]! });
}

async function rollTo(work: Work, host: Host, managed: ReplicaSetInputs["members"], keys: Keys): Promise<void> {
	while (await isPending(host, managed, keys)) {
		const look = await lookAt(work);
		const members = await Promise.all(managed.map((member) => rolloutMember(host, member, look, keys)));
		const step = planRollout(members, { rotating: keys.former !== undefined });
		if (step.kind === "done") return;
		report({ phase: `mongo ${work.record.name}`, step: step.why });
		if (step.kind === "wait") await work.deadline.pause(250, step.why);
		else if (step.kind === "stepDown") await stepDown(work, look, step.why);
		else {
			const { member } = managed.find((candidate) => candidate.host === step.host)!;
			if (step.kind === "writeKeys") await host.write(member, KEY_FILE, keyfileText(keysOf(step.keys, keys)));
			else await restart(work, host, step.host, member);
		}
	}
}

/** The member is stopped cleanly and comes back with what is staged; health is the planner's business. */
async function restart({ reach }: Work, host: Host, address: string, member: string): Promise<void> {
	await failpoint("mongo/restarting");
	await reach.forget(address);
	await host.restart(member);
}

const keysOf = (which: "both" | "new", { next, former }: Keys): string[] =>
	which === "new" || former === undefined ? [next] : [next, former];

async function isPending(host: Host, members: { member: string }[], keys: Keys): Promise<boolean> {
	if (keys.former !== undefined) return true;
	const all = await Promise.all(members.map(({ member }) => host.status(member)));
	return all.some(({ pendingRestart }) => pendingRestart);
}

async function rolloutMember(
	host: Host,
	{ host: address, member }: { host: string; member: string },
	{ set }: Look,
	keys: Keys,
): Promise<RolloutMember> {
	const [status, keyfile] = await Promise.all([host.status(member), host.read(member, KEY_FILE)]);
	const health = set.members.find((m) => m.host === address);
	const config = set.config.members.find((m) => m.host === address);
	const held = parseKeyfile(keyfile ?? "");
	const hasNext = held.includes(keys.next);
	const hasFormer = keys.former !== undefined && held.includes(keys.former);
	return {
		host: address,
		state: health?.state ?? -1,
		lagSeconds: health?.lagSeconds ?? 0,
		votes: config?.votes ?? 0,
		priority: config?.priority ?? 0,
		joined: config !== undefined,
		pendingRestart: status.pendingRestart,
		keys: hasNext ? (hasFormer ? "both" : "new") : "old",
	};
}
