import type { RetireStep, RolloutMember, RolloutStep } from "./state.ts";

export interface RolloutRules {
	/** Standbys that have to be synchronous by the configuration that is in force; 0 with async durability. */
	synchronous: number;
	/** Bytes a standby may lag and still count as healthy. */
	maximumLag: number;
	/** The cluster is in maintenance mode. */
	paused: boolean;
}

const names = (members: readonly RolloutMember[]): string => members.map(({ name }) => name).join(", ");

/** It serves nobody: restarting it takes nothing away. One that starts or is being cloned is left alone. */
const isDown = ({ role, state }: RolloutMember): boolean =>
	role === "absent" || ["stopped", "crashed", "start failed", "restart failed"].includes(state);

const isPending = ({ processPending, restartPending }: RolloutMember): boolean =>
	processPending || restartPending.lowered || restartPending.other;

/** A member that is fit to be missed, or to take over; a standby is measured against its leader. */
function isFit(member: RolloutMember, leader: RolloutMember | undefined, { maximumLag }: RolloutRules): boolean {
	if (member.role === "leader") return member.state === "running";
	return (
		member.role !== "absent" &&
		member.state === "streaming" &&
		leader !== undefined &&
		member.timeline === leader.timeline &&
		member.lagBytes !== undefined &&
		member.lagBytes <= maximumLag
	);
}

/**
 * The one next step to make every member run what is staged for it: reloads first, which disturb nobody; then one
 * restart at a time, each only while all others are healthy and as many standbys as the durability asks for are
 * synchronous; standbys first, those that are not synchronous before those that are; then a standby that runs what is
 * staged takes over, and the old leader is restarted last. A lowered parameter that standbys may not have below their
 * leader goes the other way round: a standby would come back with the old value. Needs no memory.
 */
export function planRollout(members: readonly RolloutMember[], rules: RolloutRules): RolloutStep {
	const stale = members.find(({ role, reloadPending }) => reloadPending && role !== "absent");
	if (stale) return { kind: "reload", member: stale.name, why: `let ${stale.name} read its new configuration` };
	const pending = members.filter(isPending);
	if (pending.length === 0) return { kind: "done" };
	// In maintenance mode PostgreSQL outlives its Patroni, so it would never run another build.
	if (rules.paused) return { kind: "wait", why: "waiting for the end of maintenance mode (patronictl resume)" };
	// A PostgreSQL that is down under a living Patroni is started by it, with what is configured by then.
	const down = pending.find((member) => member.processPending && isDown(member));
	if (down) return restart(down, ", which is not in use");
	const obstacle = obstacleTo(members, rules);
	if (obstacle) return { kind: "wait", why: obstacle };
	const leader = members.find(({ role }) => role === "leader")!;
	return nextStandby(pending, leader) ?? nextLeader(members, leader, rules);
}

/** A Patroni that is restarted takes its PostgreSQL along. */
const restart = (member: RolloutMember, note = ""): RolloutStep => ({
	kind: member.processPending ? "restartProcess" : "restartPostgres",
	member: member.name,
	why: `restart ${member.processPending ? "" : "PostgreSQL of "}${member.name}${note}`,
});

/** Why no member that serves may be restarted now. */
function obstacleTo(members: readonly RolloutMember[], rules: RolloutRules): string | undefined {
	const leader = members.find(({ role }) => role === "leader");
	if (!leader) return "waiting for a leader before the next restart";
	const unfit = members.filter((member) => !isFit(member, leader, rules));
	if (unfit.length > 0) return `waiting for ${names(unfit)} to be healthy before the next restart`;
	const synchronous = members.filter(({ role }) => role === "sync").length;
	const missing = Math.min(rules.synchronous, members.length - 1) - synchronous;
	return missing > 0 ? `waiting for ${missing} more synchronous standbys before the next restart` : undefined;
}

/** The standby to restart next; none when all that is left for standbys has to come after the leader. */
function nextStandby(pending: readonly RolloutMember[], leader: RolloutMember): RolloutStep | undefined {
	const leaderFirst = leader.restartPending.lowered;
	const standbys = pending.filter(
		(member) =>
			member !== leader &&
			(member.processPending || member.restartPending.other || (member.restartPending.lowered && !leaderFirst)),
	);
	const next = standbys.find(({ role }) => role === "replica") ?? standbys[0];
	return next && restart(next);
}

function nextLeader(members: readonly RolloutMember[], leader: RolloutMember, rules: RolloutRules): RolloutStep {
	if (leader.restartPending.lowered && !leader.processPending)
		return restart(leader, " in place: its standbys cannot go below it");
	if (members.length === 1) return restart(leader, ": nobody else can lead meanwhile");
	const heir = heirs(members, leader, rules)[0];
	if (!heir) return { kind: "wait", why: `waiting for a standby that could take over from ${leader.name}` };
	return handOver(leader, heir, "before its restart");
}

/** Those that may take over, the best first. With synchronous durability only a synchronous standby has every commit. */
function heirs(members: readonly RolloutMember[], leader: RolloutMember, rules: RolloutRules): RolloutMember[] {
	return members
		.filter((member) => member !== leader && isFit(member, leader, rules))
		.filter(({ role }) => rules.synchronous === 0 || role === "sync")
		.sort((a, b) => Number(b.role === "sync") - Number(a.role === "sync") || (a.lagBytes ?? 0) - (b.lagBytes ?? 0));
}

const handOver = (leader: RolloutMember, heir: RolloutMember, when: string) => ({
	kind: "switchover" as const,
	...{ from: leader.name, to: heir.name, why: `let ${heir.name} take over from ${leader.name} ${when}` },
});

/**
 * What has to happen before the processes of `leaving` stop: a remaining member leads, and unless those that go hold
 * nothing any more, as many remaining standbys are healthy as the durability in force asks for, at least one. Patroni
 * relieves a synchronous standby that is stopped, so those that remain need not be synchronous yet. Needs no memory.
 */
export function planRetire(
	members: readonly RolloutMember[],
	leaving: readonly string[],
	rules: RolloutRules,
): RetireStep {
	const going = members.filter(({ name }) => leaving.includes(name));
	const staying = members.filter(({ name }) => !leaving.includes(name));
	if (going.every(({ role }) => role === "absent")) return { kind: "done" };
	if (staying.length === 0) {
		return {
			kind: "refuse",
			code: "HF_UNSAFE",
			why: `without ${names(going)} no member of the cluster would be left`,
			next: "keep a member, or delete the cluster itself",
		};
	}
	const leader = members.find((member) => member.role === "leader" && isFit(member, undefined, rules));
	if (!leader) return { kind: "wait", why: `waiting for a leader before ${names(going)} can go` };
	if (going.includes(leader)) return retireLeader(staying, going, leader, rules);
	return lacking(staying, going, leader, rules) ?? { kind: "done" };
}

function retireLeader(
	staying: readonly RolloutMember[],
	going: readonly RolloutMember[],
	leader: RolloutMember,
	rules: RolloutRules,
): RetireStep {
	const heir = heirs(staying, leader, rules)[0];
	if (heir) return handOver(leader, heir, "before it goes");
	const able = staying.filter((member) => isFit(member, leader, rules));
	const rival = going.find(({ role }) => role === "sync");
	// Patroni keeps to the synchronous standby that it has, as long as that one is there.
	if (rival && able.length > 0)
		return {
			kind: "stop",
			member: rival.name,
			why: `stop ${rival.name}, so that ${names(able)} can become synchronous`,
		};
	return { kind: "wait", why: `waiting for ${names(staying)} to be able to take over from ${leader.name}` };
}

/** Those that stay need copies of their own before the healthy copies that go are taken away. */
function lacking(
	staying: readonly RolloutMember[],
	going: readonly RolloutMember[],
	leader: RolloutMember,
	rules: RolloutRules,
): RetireStep | undefined {
	const standbys = staying.filter((member) => member !== leader);
	if (!going.some((member) => isFit(member, leader, rules))) return undefined;
	const healthy = standbys.filter((member) => isFit(member, leader, rules)).length;
	if (healthy >= Math.min(Math.max(1, rules.synchronous), standbys.length)) return undefined;
	return { kind: "wait", why: `waiting for ${names(standbys)} to be healthy before ${names(going)} can go` };
}
