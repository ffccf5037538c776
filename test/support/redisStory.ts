import { AsyncLocalStorage } from "node:async_hooks";
import { pino } from "pino";
import type { Answer } from "../../runtime/discovery/answer.ts";
import { type Belief, weigh } from "../../runtime/discovery/classify.ts";
import { nameOf, parseAddress } from "../../runtime/discovery/source.ts";
import { HybridClock } from "../../runtime/redis/clock.ts";
import { Coordinator } from "../../runtime/redis/coordinator.ts";
import { longestRoundMs } from "../../runtime/redis/headerRange.ts";
import { HoldKeeper } from "../../runtime/redis/holdKeeper.ts";
import { type ManagerSettings, settle } from "../../runtime/redis/managerSettings.ts";
import { joiningMark } from "../../runtime/redis/mark.ts";
import { Membership } from "../../runtime/redis/membership.ts";
import type { Clock } from "../../runtime/redis/port.ts";
import { encodeRecord, headerOf } from "../../runtime/redis/record.ts";
import { RoundKeeper } from "../../runtime/redis/roundKeeper.ts";
import type { Stamp } from "../../runtime/redis/stamp.ts";
import type { Value } from "../../runtime/redis/store.ts";
import { type FakeLink, FakeRedisNode, FakeRedisServer, type FakeTime, openLink } from "./fakeRedisNode.ts";

const log = pino({ level: "silent" });
export const GRACE_SECONDS = 864_000;

/** Servers, time, and what was acknowledged, over which simulated managers work. */
export class FakeWorld {
	readonly time: FakeTime = { now: 1_800_000_000_000 };
	readonly servers = new Map<string, FakeRedisServer>();
	/** Greatest header that was acknowledged, by key. */
	readonly acknowledged = new Map<string, string>();
	/** Every header under which a write may have landed, by key. */
	readonly offered = new Map<string, Set<string>>();

	constructor(count: number) {
		for (let i = 1; i <= count; i++) this.server(i);
	}

	static nameOf(i: number): string {
		return `10.0.0.${i}:6379`;
	}

	server(i: number): FakeRedisServer {
		const name = FakeWorld.nameOf(i);
		const server = this.servers.get(name) ?? new FakeRedisServer(name, this.time, GRACE_SECONDS * 1000);
		this.servers.set(name, server);
		return server;
	}

	offer(key: string, header: string): void {
		this.offered.set(key, (this.offered.get(key) ?? new Set()).add(header));
	}

	acknowledge(key: string, header: string): void {
		if (header > (this.acknowledged.get(key) ?? "")) this.acknowledged.set(key, header);
	}
}

/** All of a manager but its timers: looks and rounds happen when they are asked for. */
export class SimulatedManager {
	readonly world: FakeWorld;
	readonly membership: Membership;
	readonly coordinator: Coordinator;
	readonly rounds: RoundKeeper;
	readonly holds: HoldKeeper;
	readonly links = new Map<string, FakeLink>();
	/** Stamps drawn for the write in whose course the clock is asked: one that is stamped anew draws several. */
	readonly #drawn = new AsyncLocalStorage<Stamp[]>();
	readonly #closing = new AbortController();
	readonly #declared: boolean;
	#belief: Belief = {};

	constructor(world: FakeWorld, settings: Partial<ManagerSettings> & { skewMs?: number; declared?: boolean } = {}) {
		this.world = world;
		const { skewMs = 0, declared = false, ...rest } = settings;
		this.#declared = declared;
		const wall = () => world.time.now + skewMs;
		const steady = () => world.time.now;
		const source = { kind: "flux", url: "http://127.0.0.1", app: "a" } as const;
		const settled = settle({ discovery: source, log, now: wall, pageSize: 3, buckets: 16, probeMs: 1, ...rest });
		const graceMs = settled.graceSeconds * 1000;
		const { maxSkewMs, removalGraceSeconds, lossWaitSeconds, writeTimeoutMs } = settled;
		this.membership = new Membership({
			...{ graceMs: graceMs - longestRoundMs(settled), removalGraceMs: removalGraceSeconds * 1000, maxSkewMs },
			...{ declared, wall, steady, writeTimeoutMs, lossWaitMs: lossWaitSeconds * 1000 },
			connect: (address) => new FakeRedisNode(world.servers.get(nameOf(address))!, this.link(nameOf(address))),
		});
		const clock = this.#noting(new HybridClock({ now: wall, maxSkewMs }));
		this.coordinator = new Coordinator({ view: () => this.membership.view, clock, graceMs });
		const { signal } = this.#closing;
		const shared = { membership: this.membership, settings: settled, steady, signal, lookAgain: () => this.look() };
		this.rounds = new RoundKeeper(shared);
		this.holds = new HoldKeeper({ ...shared, rounds: this.rounds });
	}

	#noting(clock: Clock): Clock {
		const tick = () => {
			const stamp = clock.tick();
			this.#drawn.getStore()!.push(stamp);
			return stamp;
		};
		return { tick, observe: (stamp) => clock.observe(stamp), now: () => clock.now() };
	}

	link(name: string): FakeLink {
		const link = this.links.get(name) ?? openLink();
		this.links.set(name, link);
		return link;
	}

	get registered(): string[] {
		return this.membership.watches.map(({ name }) => name);
	}

	discover(answer: Answer): void {
		if (this.#closing.signal.aborted) return;
		const [belief, verdict] = weigh(this.#belief, answer, this.world.time.now, this.#declared);
		this.#belief = belief;
		if (verdict === "ok") this.membership.list(belief.addresses!);
	}

	list(names: readonly string[]): void {
		const addresses = names.map((name) => parseAddress(name) as { ip: string; port: number });
		this.discover({ kind: "list", addresses });
	}

	/** One look at every node, and what follows from it. */
	async look(): Promise<void> {
		const { membership } = this;
		await Promise.all(membership.watches.map((watch) => watch.look()));
		membership.refresh();
		const unmarked = membership.watches.filter(
			({ name, isHere }) => isHere && membership.admissions.get(name)?.standing === "unmarked",
		);
		for (const watch of unmarked) {
			const mark = joiningMark(membership.now(), watch.facts!, membership.members());
			await watch.node.replaceMark(mark, watch.facts!.markText).catch(() => undefined);
			await watch.look();
		}
		membership.refresh();
		this.holds.tick();
	}

	/** A round if one is due; whether it was. */
	async round(): Promise<boolean> {
		const why = this.#closing.signal.aborted ? undefined : this.rounds.due();
		if (why !== undefined) await this.rounds.run(why).catch(() => undefined);
		return why !== undefined;
	}

	/** The header that was acknowledged, if it was. */
	async write(key: string, value?: Value): Promise<string | undefined> {
		const { world } = this;
		const drawn: Stamp[] = [];
		const header = (stamp: Stamp) => headerOf(encodeRecord(stamp, value))!;
		const write = { key: Buffer.from(key), ...(value ? { value } : {}) };
		const [outcome] = await this.#drawn.run(drawn, () => this.coordinator.write([write]));
		if (outcome!.results.some(({ outcome }) => outcome !== "failed"))
			for (const stamp of drawn) world.offer(key, header(stamp));
		if (!outcome!.success) return undefined;
		const written = header(outcome!.stamp);
		world.acknowledge(key, written);
		return written;
	}

	/** Stamp that a quorum read found ("" for a key that never was); `undefined` without a quorum. */
	async read(key: string): Promise<string | undefined> {
		const [outcome] = await this.coordinator.read([Buffer.from(key)], "quorum");
		return outcome!.found === "unavailable" ? undefined : (outcome!.stamp ?? "");
	}

	/** Ends it at once, as a kill does: what is under way fails or lands, nothing new begins. */
	kill(): void {
		this.#closing.abort();
		this.coordinator.close();
		for (const link of this.links.values()) link.cut = true;
	}
}

/** What a server holds, as text that can be compared. */
export const contentsOf = (server: FakeRedisServer): Record<string, string> =>
	Object.fromEntries([...server.records].sort().map(([key, record]) => [key, record.toString("latin1")]));
