import type { RolloutMember, RolloutStep } from "../../runtime/mongo/state.ts";

type Keys = RolloutMember["keys"];

interface Process {
	host: string;
	votes: 0 | 1;
	priority: number;
	arbiter: boolean;
	joined: boolean;
	/** On disk. */
	keys: Keys;
	revision: number;
	/** What the process read when it last started. */
	loadedKeys: Keys;
	loadedRevision: number;
	up: boolean;
	/** Ticks until it serves. */
	starting: number;
	/** Down because of a restart that we asked for. */
	ours: boolean;
}

export interface Layout {
	votes: 0 | 1;
	priority: number;
	arbiter: boolean;
	joined: boolean;
}

const START_TICKS = 2;

/** Members with processes and key files; throws when a restart or a key breaks what a rollout promises. */
export class SimulatedRollout {
	readonly processes: Process[];
	primary: string | undefined;
	constructor(layout: readonly Layout[], keys: Keys, changed: boolean) {
		this.processes = layout.map((member, i) => ({
			...{ ...member, host: `m${i}`, keys: member.joined ? keys : "new", revision: changed ? 1 : 0 },
			...{ loadedKeys: member.joined ? keys : "new", loadedRevision: 0, up: true, starting: 0, ours: false },
		}));
		this.tick();
	}

	#find(host: string): Process {
		return this.processes.find((process) => process.host === host)!;
	}

	get #joined(): Process[] {
		return this.processes.filter(({ joined }) => joined);
	}

	get #voters(): Process[] {
		return this.#joined.filter(({ votes }) => votes === 1);
	}

	get #hasMajority(): boolean {
		return this.#voters.filter(serves).length > this.#voters.length / 2;
	}

	observe(): RolloutMember[] {
		return this.processes.map((p) => ({
			...{
				host: p.host,
				votes: p.joined ? p.votes : 0,
				priority: p.joined ? p.priority : 0,
				joined: p.joined,
				lagSeconds: 0,
			},
			state: !p.joined || !p.up ? -1 : p.starting > 0 ? 3 : p.host === this.primary ? 1 : p.arbiter ? 7 : 2,
			pendingRestart: p.keys !== p.loadedKeys || p.revision !== p.loadedRevision,
			keys: p.keys,
		}));
	}

	act(step: RolloutStep): void {
		if (step.kind === "writeKeys") this.#find(step.host).keys = step.keys;
		if (step.kind === "restart") this.#restart(this.#find(step.host));
		if (step.kind === "stepDown") this.#stepDown(step.host);
		this.#checkKeys();
	}

	#restart(process: Process): void {
		const wasServing = serves(process) && process.joined;
		if (wasServing && this.#joined.some((other) => other.ours)) throw new Error("two members down by our doing");
		if (wasServing && this.#joined.some((other) => !serves(other)))
			throw new Error("a restart while another member is not healthy");
		const heirs = this.#voters.filter(({ host, priority }) => host !== process.host && priority > 0);
		if (process.host === this.primary && heirs.length > 0)
			throw new Error("the primary is restarted without a step-down");
		if (
			wasServing &&
			this.#joined.some((p) => p !== process && p.host !== this.primary && isPending(p)) &&
			process.host === this.primary
		) {
			throw new Error("the primary is restarted before the others");
		}
		this.#load(process);
		process.ours = wasServing;
		if (this.#voters.length > 2 && wasServing && !this.#hasMajority) throw new Error("no majority is left");
	}

	#load(process: Process): void {
		process.loadedKeys = process.keys;
		process.loadedRevision = process.revision;
		process.up = true;
		process.starting = START_TICKS;
		if (this.primary === process.host) this.primary = undefined;
	}

	#stepDown(host: string): void {
		if (host !== this.primary) throw new Error(`${host} is not primary`);
		const heir = this.#voters.find((other) => other.host !== host && serves(other) && other.priority > 0);
		if (!heir) throw new Error("nobody takes over");
		this.primary = heir.host;
	}

	/** A crash; the supervisor starts it again with what is on disk, now or only when healed. */
	crash(index: number, stays: boolean): void {
		const process = this.processes[index % this.processes.length]!;
		if (stays) {
			process.up = false;
			process.ours = false;
			if (this.primary === process.host) this.primary = undefined;
		} else this.#load(process);
		this.#checkKeys();
	}

	heal(): void {
		for (const process of this.processes) if (!process.up) this.#load(process);
	}

	tick(): void {
		for (const process of this.#joined) {
			process.starting = Math.max(0, process.starting - 1);
			if (serves(process)) process.ours = false;
		}
		if (!this.#hasMajority) this.primary = undefined;
		else this.primary ??= this.#voters.find((p) => serves(p) && p.priority > 0)?.host;
		this.#checkKeys();
	}

	#checkKeys(): void {
		const running = this.#joined.filter(({ up }) => up).map(({ loadedKeys }) => loadedKeys);
		if (running.includes("old") && running.includes("new"))
			throw new Error("a process with only the old key beside one with only the new");
	}
}

const serves = ({ up, starting }: Process): boolean => up && starting === 0;
const isPending = (p: Process): boolean => p.keys !== p.loadedKeys || p.revision !== p.loadedRevision;
