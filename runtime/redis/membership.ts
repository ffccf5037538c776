import { type Address, parseAddress } from "../discovery/source.ts";
import { type Admission, admit, isHeld } from "./admission.ts";
import { isMajority } from "./majority.ts";
import { referenceMark } from "./mark.ts";
import { type Clocks, medianSkewMs, NodeWatch } from "./nodeWatch.ts";
import type { Mark, RedisNode, View } from "./port.ts";
import { adopted, departure, emptyRegistry, forgotten, listed, type Registry, without } from "./registry.ts";
import { ViewMaker } from "./view.ts";

export interface MembershipOptions {
	connect: (address: Address) => RedisNode;
	graceMs: number;
	removalGraceMs: number;
	/** Milliseconds after which nodes that give nothing are not waited for. */
	lossWaitMs: number;
	maxSkewMs: number;
	/** Milliseconds that a write may be under way. */
	writeTimeoutMs: number;
	/** Whether somebody wrote the list down on purpose. */
	declared: boolean;
	wall: () => number;
	steady: () => number;
	/** Called with every node that was let go, after its connection was closed. */
	left?: (name: string) => void;
}

/** A round that came to its end: when it began, by a steady clock, and who was equal then. */
export interface PastRound {
	began: number;
	equal: ReadonlySet<string>;
}

/** Who is registered, and what each may do. Recomputed as a whole after every look, from nothing but what was seen. */
export class Membership {
	readonly #options: MembershipOptions;
	readonly #clocks: Clocks;
	readonly #watches = new Map<string, NodeWatch>();
	#registry: Registry = emptyRegistry;
	#admissions: ReadonlyMap<string, Admission> = new Map();
	#reference?: Mark;
	readonly #views = new ViewMaker();
	/** Nodes that leave and take no writes any more. */
	readonly #quietSince = new Map<string, number>();
	round?: PastRound;

	constructor(options: MembershipOptions) {
		this.#options = options;
		this.#clocks = { wall: options.wall, steady: options.steady, now: () => this.now() };
	}

	/** Of all registered nodes: first those that are listed. */
	get watches(): readonly NodeWatch[] {
		return [...this.#registry.members.keys()].flatMap((name) => this.#watches.get(name) ?? []);
	}

	get view(): View {
		return this.#views.view;
	}

	get admissions(): ReadonlyMap<string, Admission> {
		return this.#admissions;
	}

	/** Of the last round that anybody made, as the nodes tell. */
	get reference(): Mark | undefined {
		return this.#reference;
	}

	isLeaving(name: string): boolean {
		return this.#registry.members.get(name)?.absent !== undefined;
	}

	/**
	 * After what time, by a steady clock, a round has to begin to carry all that a node that leaves has acknowledged. Of an
	 * even number each write it is part of has a majority without it; of an odd number it first stops taking writes.
	 */
	drainAfter(name: string): number | undefined {
		const since = this.#registry.members.get(name)?.absent?.since;
		if (since === undefined || this.#registry.members.size % 2 === 0) return since;
		const quiet = this.#quietSince.get(name);
		return quiet === undefined ? undefined : Math.max(since, quiet + 2 * this.#options.writeTimeoutMs);
	}

	/** When the last node left, by a steady clock. */
	get departed(): number | undefined {
		return this.#registry.departed;
	}

	/** Names that a mark is to name: whoever has belonged to the cluster, or does now. */
	members(): string[] {
		const belongs = ({ isOld, standing }: Admission) => isOld || ["joining", "same", "restarted"].includes(standing);
		return [...this.#admissions].filter(([, admission]) => belongs(admission)).map(([name]) => name);
	}

	/** Nodes that have given nothing for so long that the others go on without. */
	waited(): ReadonlySet<string> {
		const since = this.#options.steady() - this.#options.lossWaitMs;
		const waited = this.watches.filter(({ nothingSince }) => nothingSince !== undefined && nothingSince <= since);
		return new Set(waited.map(({ name }) => name));
	}

	/** Milliseconds by which the median of all clocks is ahead of this machine's: no single clock that is wrong decides. */
	skewMs(): number {
		return medianSkewMs(this.watches);
	}

	/** Milliseconds since 1970, as most clocks have it. */
	now(): number {
		return Math.round(this.#options.wall() + this.skewMs());
	}

	/** Whether this machine's clock is too wrong to stamp writes with. */
	isClockWrong(): boolean {
		return Math.abs(this.skewMs()) > this.#options.maxSkewMs;
	}

	/** Takes a list that is believed. */
	list(addresses: readonly Address[]): void {
		this.#registry = listed(this.#registry, addresses, this.#options.steady());
		this.refresh();
	}

	/** Draws all conclusions anew. */
	refresh(): void {
		const { graceMs, maxSkewMs } = this.#options;
		const now = this.now();
		for (const watch of this.watches) watch.setBackTo(now);
		this.#reference = referenceMark(this.watches, now + maxSkewMs);
		this.#adopt();
		this.#depart();
		this.#connect();
		const watches = this.watches;
		this.#admissions = admit(watches, { now, graceMs, maxSkewMs, waited: this.waited() });
		for (const watch of watches) this.#wait(watch);
		this.#quiet(watches);
		this.#publish();
	}

	#adopt(): void {
		const known = (this.#reference?.members ?? []).flatMap((name) => {
			const { ip, port } = parseAddress(name) ?? {};
			return ip !== undefined && port !== undefined ? [{ ip, port }] : [];
		});
		this.#registry = adopted(this.#registry, known, this.#options.steady());
	}

	#depart(): void {
		const { steady, removalGraceMs, declared } = this.#options;
		const silentSince = new Map(
			this.watches.flatMap(({ name, silentSince, waitingSince }) => {
				const since = silentSince ?? (isHeld(this.#admissions.get(name)) ? waitingSince : undefined);
				return since === undefined ? [] : [[name, since] as const];
			}),
		);
		const twins = new Set([...this.#admissions].flatMap(([name, { standing }]) => (standing === "twin" ? [name] : [])));
		const drains = this.watches.map(({ name }) => [name, this.drainAfter(name)] as const);
		const drainAfter = new Map(drains.flatMap(([name, after]) => (after === undefined ? [] : [[name, after]])));
		const facts = { round: this.round, silentSince, drainAfter, twins, graceMs: removalGraceMs, declared };
		const name = departure(this.#registry, steady(), facts);
		if (name === undefined) return;
		this.#registry = twins.has(name) ? forgotten(this.#registry, name) : without(this.#registry, name, steady());
	}

	#connect(): void {
		for (const [name, { address }] of this.#registry.members)
			if (!this.#watches.has(name))
				this.#watches.set(name, new NodeWatch(this.#options.connect(address), address, this.#clocks));
		for (const [name, { node }] of this.#watches) {
			if (this.#registry.members.has(name)) continue;
			this.#watches.delete(name);
			this.#quietSince.delete(name);
			void node.close().catch(() => undefined);
			this.#options.left?.(name);
		}
	}

	#wait(watch: NodeWatch): void {
		if (this.#admissions.get(watch.name)?.reads || !watch.isHere) watch.waitingSince = undefined;
		else watch.waitingSince ??= this.#options.steady();
	}

	/** A node that leaves takes no writes as soon as the others are a majority by themselves. */
	#quiet(watches: readonly NodeWatch[]): void {
		const all = watches.map(({ name, isHere }) => ({ name, isHere, ...this.#admissions.get(name)! }));
		const isEnough = isMajority(all, ({ name, isHere, writes }) => isHere && writes && !this.isLeaving(name));
		for (const { name } of watches)
			if (!this.isLeaving(name) || !isEnough) this.#quietSince.delete(name);
			else if (!this.#quietSince.has(name)) this.#quietSince.set(name, this.#options.steady());
	}

	#publish(): void {
		const writing = !this.isClockWrong();
		const findings = this.watches.map((watch) => {
			const { reads, writes, isSettled } = this.#admissions.get(watch.name)!;
			const takes = writes && writing && !this.#quietSince.has(watch.name);
			return { node: watch.node, reads, writes: takes, isSettled, connection: watch.connection };
		});
		this.#views.make(findings);
	}
}
