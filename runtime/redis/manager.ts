import { setTimeout as sleep } from "node:timers/promises";
import type { Address } from "../discovery/source.ts";
import { isDeclared, nameOf } from "../discovery/source.ts";
import { type Sighting, type Watch, type WatchOptions, watch } from "../discovery/watch.ts";
import { HybridClock } from "./clock.ts";
import { Coordinator } from "./coordinator.ts";
import { longestRoundMs } from "./headerRange.ts";
import { HoldKeeper } from "./holdKeeper.ts";
import { Lookout } from "./lookout.ts";
import { type ManagerSettings, type Settled, settle } from "./managerSettings.ts";
import { Membership } from "./membership.ts";
import { openNode } from "./node.ts";
import type { RedisNode } from "./port.ts";
import { healthOf, nodeReports, type ReportInput } from "./reports.ts";
import { RoundKeeper } from "./roundKeeper.ts";
import type { Consistency, Figures, Store, Write } from "./store.ts";

const REDIS_PORT = 6379;
/** Longest that opening waits for a first look at every node. */
const OPENING_MS = 3000;

/** What the manager is made of, besides itself; tests put others in. */
export interface Parts {
	connect: (address: Address, settings: Settled) => RedisNode;
	discover: (options: WatchOptions) => Watch;
	steady: () => number;
}

/** A manager that has looked at every node once, or for 3 s. It never fails for want of nodes: its health says so. */
export async function openManager(settings: ManagerSettings): Promise<Store> {
	const settled = settle(settings);
	const manager = new Manager(settled, {
		connect: connectTo,
		discover: (options) => watch(settled.discovery, options),
		steady: () => performance.now(),
	});
	await manager.opened(OPENING_MS);
	return manager;
}

function connectTo({ ip, port }: Address, settings: Settled): RedisNode {
	const { credentials, writeTimeoutMs, readTimeoutMs, graceSeconds } = settings;
	return openNode({ host: ip, port, credentials, writeTimeoutMs, readTimeoutMs, graceMs: graceSeconds * 1000 });
}

export class Manager implements Store {
	readonly #settings: Settled;
	readonly #parts: Parts;
	readonly #membership: Membership;
	readonly #coordinator: Coordinator;
	readonly #rounds: RoundKeeper;
	readonly #holds: HoldKeeper;
	readonly #lookout: Lookout;
	readonly #discovery: Watch;
	readonly #closing = new AbortController();
	#sighting?: Sighting;
	#believedAt?: number;
	/** States that were logged last. */
	#states = "";

	constructor(settings: Settled, parts: Parts) {
		this.#settings = settings;
		this.#parts = parts;
		const { signal } = this.#closing;
		const { maxSkewMs, writeTimeoutMs, now: wall } = settings;
		const graceMs = settings.graceSeconds * 1000;
		this.#membership = new Membership({
			...{ maxSkewMs, writeTimeoutMs, wall, steady: parts.steady, declared: isDeclared(settings.discovery) },
			...{ graceMs: graceMs - longestRoundMs(settings), removalGraceMs: settings.removalGraceSeconds * 1000 },
			lossWaitMs: settings.lossWaitSeconds * 1000,
			connect: (address) => parts.connect(address, settings),
			left: (node) => settings.log.info({ node }, "node left"),
		});
		const clock = new HybridClock({ now: wall, maxSkewMs });
		this.#coordinator = new Coordinator({ view: () => this.#membership.view, clock, writeTimeoutMs, graceMs });
		const shared = { settings, membership: this.#membership, steady: parts.steady, signal };
		this.#lookout = new Lookout({ ...shared, conclude: () => this.#conclude() });
		const lookAgain = () => this.#lookout.lookAtAll();
		this.#rounds = new RoundKeeper({ ...shared, lookAgain });
		this.#holds = new HoldKeeper({ ...shared, lookAgain, rounds: this.#rounds });
		const ports = { missing: REDIS_PORT, ...(settings.port === undefined ? {} : { instead: settings.port }) };
		this.#discovery = parts.discover({ ports, everyMs: settings.discoveryMs, seen: (found) => this.#seen(found) });
	}

	/** Resolves when every node was looked at once, or after `ms`. */
	async opened(ms: number): Promise<void> {
		const isSettled = () =>
			this.#sighting !== undefined &&
			this.#membership.watches.every(({ facts, failure }) => (facts ?? failure) !== undefined);
		for (const end = this.#parts.steady() + ms; !isSettled() && this.#parts.steady() < end; ) await sleep(10);
	}

	write(writes: readonly Write[]) {
		return this.#coordinator.write(writes);
	}

	read(keys: readonly Buffer[], consistency: Consistency) {
		return this.#coordinator.read(keys, consistency);
	}

	nodes() {
		return nodeReports(this.#reported());
	}

	health() {
		return healthOf(this.#reported());
	}

	figures(): Figures {
		const { foreign, damaged, ahead, restamped, repairs } = this.#coordinator.counts();
		const { underWay, waiting, ...ended } = repairs;
		return {
			repairs: { waiting: waiting + underWay, ...ended },
			restamped,
			odd: { foreign, damaged, ahead },
			rounds: { ...this.#rounds.counts },
		};
	}

	divergence() {
		return this.#rounds.divergence();
	}

	sync() {
		return this.#rounds.run("asked for");
	}

	async admit(node: string, action: "merge" | "wipe"): Promise<void> {
		this.#holds.decide(node, action);
	}

	async close(): Promise<void> {
		this.#closing.abort();
		this.#discovery.stop();
		this.#coordinator.close();
		await this.#rounds.ended();
		await Promise.allSettled(this.#membership.watches.map(({ node }) => node.close()));
	}

	#reported(): ReportInput {
		return {
			membership: this.#membership,
			holdState: (name) => this.#holds.state(name),
			...(this.#sighting ? { sighting: this.#sighting } : {}),
			...(this.#believedAt === undefined ? {} : { believedAt: this.#believedAt }),
		};
	}

	#seen(sighting: Sighting): void {
		const before = this.#sighting;
		this.#sighting = sighting;
		if (before?.verdict !== sighting.verdict) {
			const { verdict, problem } = sighting;
			const nodes = sighting.addresses?.map(nameOf);
			this.#settings.log[verdict === "ok" ? "info" : "warn"]({ verdict, problem, nodes }, "discovery answered");
		}
		if (sighting.verdict !== "ok") return;
		this.#believedAt = this.#settings.now();
		this.#membership.list(sighting.addresses!);
		this.#conclude();
	}

	/** Whatever follows from what is known now. */
	#conclude(): void {
		if (this.#closing.signal.aborted) return;
		this.#membership.refresh();
		this.#logStates();
		this.#lookout.tick();
		this.#holds.tick();
		this.#rounds.tick();
	}

	#logStates(): void {
		const nodes = this.nodes().map(({ node, state }) => ({ node, state }));
		const states = JSON.stringify(nodes);
		if (states !== this.#states) this.#settings.log.info({ nodes }, "nodes changed");
		this.#states = states;
	}
}
