import { type IdLedger, rememberIds } from "../../runtime/mongo/ids.ts";
import { type PlanOptions, planMembership } from "../../runtime/mongo/plan.ts";
import type { DesiredSet, MembershipStep, ObservedSet, SetConfig } from "../../runtime/mongo/state.ts";
import { ServerError } from "./simulatedRules.ts";
import type { SimulatedSet } from "./simulatedSet.ts";

/** What may go wrong, read as the run needs it: each number is one decision; when they are used up nothing goes wrong. */
export class Script {
	readonly #decisions: readonly number[];
	#position = 0;
	constructor(decisions: readonly number[]) {
		this.#decisions = decisions;
	}
	next(): number {
		return this.#decisions[this.#position++] ?? 0;
	}
	get isOver(): boolean {
		return this.#position >= this.#decisions.length;
	}
}

/** 0 and most others: nothing. Kills and starts hit any host; a tick between look and act makes the look stale. */
function misfortune(set: SimulatedSet, hosts: readonly string[], script: Script): boolean {
	const decision = script.next();
	const host = hosts[Math.floor(decision / 8) % hosts.length]!;
	if (decision % 8 === 1) set.kill(host);
	else if (decision % 8 === 2) set.start(host);
	else if (decision % 8 === 3) set.tick();
	else if (decision % 8 === 4 && set.primary) set.kill(set.primary);
	else return false;
	return true;
}

/** Answers after which the executor looks again: not primary, version moved on, not committed, outcome unknown, no heir. */
const RETRIED = new Set([10107, 103, 308, 50, 262]);

export interface Run {
	set: SimulatedSet;
	hosts: readonly string[];
	script: Script;
	/** Lost by a crash with the machine, kept otherwise. */
	ledger: IdLedger;
}

/** Looks, plans, does one step, as the executor does, until done or refused; `undefined` after `limit` looks. */
export function converge(
	run: Run,
	desired: DesiredSet,
	options: PlanOptions,
	limit: number,
): MembershipStep | undefined {
	const { set, hosts, script } = run;
	for (let look = 0; look < limit; look++) {
		misfortune(set, hosts, script);
		const seen = set.observe();
		if (!seen) {
			set.tick();
			continue;
		}
		run.ledger = rememberIds(script.next() % 16 === 9 ? {} : run.ledger, seen.config);
		const step = planMembership(seen, desired, { ...options, ids: run.ledger });
		if (step.kind === "done" || step.kind === "refuse") return step;
		judge(seen, step, options.phase === "join" ? copiesWanted(seen, desired) : undefined);
		const disturbed = misfortune(set, hosts, script);
		act(set, seen, step, disturbed);
		if (step.kind !== "reconfig") set.tick();
	}
	return undefined;
}

function act(set: SimulatedSet, seen: ObservedSet, step: MembershipStep, disturbed: boolean): void {
	try {
		// Commands go to the member that was looked at: if it is primary no more, it says so.
		if (step.kind !== "wait" && set.primary !== seen.primary) throw new ServerError(10107, "not primary");
		if (step.kind === "reconfig") set.reconfig(step.config);
		if (step.kind === "stepDown") set.stepDown();
	} catch (error) {
		if (!(error instanceof ServerError) || !RETRIED.has(error.code)) throw error;
		// 308 also follows an election: the members have the config's version, but not yet its new term.
		if (!disturbed && error.code !== 50 && error.code !== 308) throw error;
		set.tick();
	}
}

const isFit = (seen: ObservedSet, host: string): boolean => {
	const health = seen.members.find((member) => member.host === host);
	return (
		health !== undefined &&
		(health.state === 1 || health.state === 7 || (health.state === 2 && health.lagSeconds <= 30))
	);
};

/** Our own rules, on what was seen when the step was planned; written without the planner's helpers. */
function judge(seen: ObservedSet, step: MembershipStep, floor?: number): void {
	if (step.kind === "stepDown") judgeStepDown(seen);
	if (step.kind !== "reconfig") return;
	if (/force/.test(JSON.stringify(Object.keys(step)))) throw new Error("a forced step");
	if (step.config.version !== seen.config.version + 1) throw new Error("version not raised by one");
	judgeVotes(seen, step.config);
	judgeQuorum(seen, step.config);
	if (floor !== undefined) judgeCopies(seen, step.config, floor);
}

function judgeVotes({ config, votingMembersCount, members }: ObservedSet, next: SetConfig): void {
	const ids = (of: SetConfig) => new Set(of.members.filter(({ votes }) => votes === 1).map(({ _id }) => _id));
	const [before, after] = [ids(config), ids(next)];
	const changed = [...before, ...after].filter((id) => before.has(id) !== after.has(id));
	if (changed.length > 1) throw new Error(`${changed.length} voters change at once`);
	if (after.size < 1 || after.size > 7) throw new Error(`${after.size} voters`);
	const uncounted = before.size - votingMembersCount;
	const host = (id: number) => config.members.find(({ _id }) => _id === id)?.host;
	const harmless = changed.every((id) => members.find((member) => member.host === host(id))?.newlyAdded);
	const newcomer = changed.every((id) => !before.has(id) && host(id) === undefined);
	if (changed.length === 0 || uncounted === 0 || harmless) return;
	if (!(newcomer && votingMembersCount === 1)) throw new Error(`votes change while ${uncounted} are not counted`);
}

function judgeQuorum(seen: ObservedSet, next: SetConfig): void {
	const known = (host: string) => seen.config.members.some((member) => member.host === host);
	const held = (host: string) => seen.members.find((member) => member.host === host)?.newlyAdded;
	const voters = next.members.filter(
		({ votes, host, arbiterOnly }) => votes === 1 && !held(host) && (known(host) || arbiterOnly),
	);
	const fit = voters.filter(({ host }) => isFit(seen, host));
	if (fit.length < Math.floor(voters.length / 2) + 1)
		throw new Error(`${fit.length} of ${voters.length} voters are healthy`);
}

/** Voters with data that `desired` wants; one less where it needs all 7 votes, since an exchange needs room. */
function copiesWanted({ config }: ObservedSet, { members }: DesiredSet): number {
	const wanted = members.filter(({ votes, arbiterOnly }) => votes === 1 && !arbiterOnly).length;
	return Math.min(wanted, config.members.some(({ arbiterOnly }) => arbiterOnly) ? 5 : 6);
}

/** An exchange of members never leaves fewer acknowledged copies than wanted, unless there were fewer before. */
function judgeCopies(seen: ObservedSet, next: SetConfig, floor: number): void {
	const held = (host: string) => seen.members.find((member) => member.host === host)?.newlyAdded;
	const known = (host: string) => seen.config.members.some((member) => member.host === host);
	const copies = ({ members }: SetConfig) =>
		members.filter(({ votes, arbiterOnly, host }) => votes === 1 && !arbiterOnly && !held(host) && known(host)).length;
	if (copies(next) < copies(seen.config) && copies(next) < floor)
		throw new Error(`${copies(next)} of ${floor} voters with data`);
}

function judgeStepDown(seen: ObservedSet): void {
	const heir = seen.config.members.find(({ host, votes, priority }) => {
		const health = seen.members.find((member) => member.host === host);
		return host !== seen.primary && votes === 1 && priority > 0 && health?.state === 2 && health.lagSeconds <= 10;
	});
	if (!heir) throw new Error("steps down with nobody to take over");
}
