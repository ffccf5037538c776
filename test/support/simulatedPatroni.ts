import type { Durability } from "../../runtime/postgres/durability.ts";
import type { RetireStep, RolloutMember, RolloutStep } from "../../runtime/postgres/state.ts";

/** What a server or its Patroni runs with. */
interface Loaded {
	/** A parameter that no standby may have lower than its leader. */
	floor: number;
	/** Any other parameter that counts after a restart only. */
	other: number;
	/** Files of Patroni's process and build of PostgreSQL. */
	process: number;
	/** Files that a reload takes up. */
	files: number;
}

interface Member {
	name: string;
	loaded: Loaded;
	/** Patroni's process is there. */
	up: boolean;
	/** Looks until it serves. */
	starting: number;
	/** Looks until the leader may count on it. */
	settling: number;
	timeline: number;
	sync: boolean;
	/** Down because of a step of ours. */
	ours: boolean;
}

export interface Story {
	members: number;
	durability: Durability;
	nodeCount: number;
	/** What is staged, where 1 is what everybody runs. */
	staged: Loaded;
}

const START_LOOKS = 2;
const SETTLE_LOOKS = 1;
const serves = ({ up, starting }: Member): boolean => up && starting === 0;

/** Members under Patroni, as far as rollouts can tell; throws when a step breaks what a rollout promises. */
export class SimulatedPatroni {
	members: Member[];
	leader: string | undefined;
	paused = false;
	#timeline = 1;
	readonly #story: Story;

	constructor(story: Story) {
		this.#story = story;
		this.members = [...Array(story.members).keys()].map((slot) => ({
			...{ name: `m${slot}`, loaded: { floor: 1, other: 1, process: 1, files: 1 }, up: true, starting: 0 },
			...{ settling: 0, timeline: 1, sync: false, ours: false },
		}));
		this.leader = "m0";
		this.tick();
	}

	/** Standbys that have to be synchronous, of those that there can be. */
	get needed(): number {
		const { durability, nodeCount } = this.#story;
		return durability === "async" ? 0 : Math.min(nodeCount, this.members.length - 1);
	}

	get rules() {
		return { synchronous: this.needed, maximumLag: 100, paused: this.paused };
	}

	find(name: string): Member {
		return this.members.find((member) => member.name === name)!;
	}

	#isLowered = ({ loaded }: Member): boolean => loaded.floor > this.#story.staged.floor;

	#isPending(member: Member): boolean {
		const { floor, other, process } = this.#story.staged;
		return member.loaded.process !== process || member.loaded.other !== other || member.loaded.floor < floor;
	}

	isCurrent(member: Member): boolean {
		return !this.#isPending(member) && !this.#isLowered(member) && member.loaded.files === this.#story.staged.files;
	}

	observe(): RolloutMember[] {
		const { staged } = this.#story;
		return this.members.map((member): RolloutMember => {
			const { name, loaded, up, starting, timeline, sync } = member;
			const lead = name === this.leader;
			const answers = up && (starting === 0 || starting < START_LOOKS);
			return {
				...{ name, timeline, lagBytes: lead ? undefined : 0 },
				role: !up ? "absent" : lead ? "leader" : sync ? "sync" : "replica",
				state: !up ? "absent" : !answers ? "stopped" : starting > 0 ? "starting" : lead ? "running" : "streaming",
				reloadPending: loaded.files !== staged.files,
				restartPending: {
					lowered: up && loaded.floor > staged.floor,
					other: up && (loaded.other !== staged.other || loaded.floor < staged.floor),
				},
				processPending: loaded.process !== staged.process,
			};
		});
	}

	act(step: RolloutStep | RetireStep): void {
		if (step.kind === "reload") this.#reload(this.find(step.member));
		if (step.kind === "restartPostgres") this.#restart(this.find(step.member), false);
		if (step.kind === "restartProcess") this.#restart(this.find(step.member), true);
		if (step.kind === "stop") Object.assign(this.find(step.member), { up: false, sync: false });
		if (step.kind === "switchover") this.#switchover(this.find(step.from), this.find(step.to));
	}

	#reload(member: Member): void {
		if (!member.up) throw new Error(`${member.name} cannot be reloaded: it does not answer`);
		member.loaded.files = this.#story.staged.files;
	}

	#restart(member: Member, process: boolean): void {
		if (!member.up && !process) throw new Error("PostgreSQL is restarted through a Patroni that does not answer");
		if (this.paused) throw new Error("a restart in maintenance mode");
		const serving = serves(member);
		if (serving) this.#mayMiss(member);
		if (serving && member.name === this.leader) this.#leaderMayRestart(member);
		this.#load(member, process);
		member.ours = serving;
	}

	#mayMiss(member: Member): void {
		const others = this.members.filter((other) => other !== member);
		if (others.some(({ ours }) => ours)) throw new Error("two members down by our doing");
		if (others.some((other) => !serves(other))) throw new Error("a restart while another member is not healthy");
		if (this.members.filter(({ sync }) => sync).length < this.needed)
			throw new Error("a restart while too few standbys are synchronous");
	}

	#leaderMayRestart(leader: Member): void {
		const others = this.members.filter((other) => other !== leader);
		if (others.some((other) => this.#isPending(other))) throw new Error("the leader is restarted before the others");
		if (others.length > 0 && !this.#isLowered(leader)) throw new Error("the leader is restarted without a switchover");
	}

	/** A standby starts with at least what its leader had: the WAL says so. */
	#load(member: Member, process: boolean): void {
		const { staged } = this.#story;
		const leader = this.members.find(({ name }) => name === this.leader);
		const least = leader && leader !== member ? leader.loaded.floor : 0;
		member.loaded = {
			...{ floor: Math.max(staged.floor, least), other: staged.other },
			...{ process: process ? staged.process : member.loaded.process },
			files: process ? staged.files : member.loaded.files,
		};
		Object.assign(member, { up: true, starting: START_LOOKS, settling: SETTLE_LOOKS, sync: false });
	}

	#switchover(from: Member, to: Member): void {
		if (from.name !== this.leader) throw new Error(`${from.name} does not lead`);
		if (!serves(to)) throw new Error(`${to.name} cannot take over: it does not serve`);
		if (this.needed > 0 && !to.sync) throw new Error(`${to.name} takes over without every commit`);
		this.#promote(to);
		this.#load(from, false);
		from.ours = true;
	}

	#promote(member: Member): void {
		this.leader = member.name;
		member.sync = false;
		this.#timeline++;
		member.timeline = this.#timeline;
		for (const other of this.members) Object.assign(other, { sync: false, settling: SETTLE_LOOKS });
	}

	/** A crash; Patroni or the supervisor starts it again, now or only when healed. */
	crash(index: number, stays: boolean): void {
		const member = this.members[index % this.members.length]!;
		Object.assign(member, { ours: false, sync: false });
		if (!stays) this.#load(member, false);
		else member.up = false;
		if (stays && this.leader === member.name) this.leader = undefined;
	}

	heal(): void {
		this.paused = false;
		for (const member of this.members) if (!member.up) this.#load(member, true);
	}

	/** The members that stay, once the others' processes have stopped. */
	retire(leaving: readonly string[]): void {
		if (this.leader !== undefined && leaving.includes(this.leader)) throw new Error("the leader is taken away");
		this.members = this.members.filter(({ name }) => !leaving.includes(name));
	}

	tick(): void {
		for (const member of this.members) {
			member.starting = Math.max(0, member.starting - 1);
			if (serves(member)) member.ours = false;
		}
		const heir = this.members.find((member) => serves(member) && (this.needed === 0 || member.sync));
		if (this.leader === undefined) {
			// Without a synchronous standby only somebody who had every commit may lead: here, whoever comes back first.
			const next = heir ?? (this.members.every(({ up }) => up) ? this.members.find(serves) : undefined);
			if (next) this.#promote(next);
		}
		const leader = this.members.find(({ name }) => name === this.leader);
		if (leader && serves(leader)) this.#follow(leader);
	}

	#follow(leader: Member): void {
		for (const member of this.members.filter((one) => one !== leader && serves(one))) {
			member.timeline = leader.timeline;
			if (member.settling > 0) member.settling--;
			else member.sync ||= this.#story.durability === "quorum" || this.#story.durability === "strict";
		}
		if (this.#story.durability !== "sync") return;
		const standbys = this.members.filter((one) => one !== leader && serves(one) && one.settling === 0);
		for (const member of standbys) if (this.members.filter(({ sync }) => sync).length < this.needed) member.sync = true;
	}
}
