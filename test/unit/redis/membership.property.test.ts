import fc from "fast-check";
import { majority } from "../../../runtime/redis/majority.ts";
import type { Value } from "../../../runtime/redis/store.ts";
import type { FakeRedisServer } from "../../support/fakeRedisNode.ts";
import { long } from "../../support/long.ts";
import { contentsOf, FakeWorld, SimulatedManager } from "../../support/redisStory.ts";

const seed = Number(process.env.HOLDFAST_SEED) || Date.now() % 2 ** 31;
const SERVERS = 4;
const KEYS = ["a", "b", "c"];
/** Waits for nodes that are away, for ever: what is read then has to be right whatever happens. */
const STRICT = { lossWaitSeconds: 1e9, removalGraceSeconds: 1e9 };

const server = fc.integer({ min: 1, max: SERVERS });
const manager = fc.integer({ min: 0, max: 1 });
const key = fc.constantFrom(...KEYS);
/** A server that a write does not reach. */
const missing = fc.option(server, { freq: 2, nil: undefined });
const kinds = {
	write: fc.record({ do: fc.constant("write" as const), manager, key, missing, size: fc.nat({ max: 2 }) }),
	delete: fc.record({ do: fc.constant("delete" as const), manager, key, missing }),
	read: fc.record({ do: fc.constant("read" as const), manager, key }),
	look: fc.record({ do: fc.constantFrom("look" as const, "round" as const), manager }),
	link: fc.record({ do: fc.constantFrom("cut" as const, "mend" as const), manager, server }),
	stop: fc.record({ do: fc.constantFrom("crash" as const, "lose" as const), server, back: fc.boolean() }),
	other: fc.record({
		do: fc.constantFrom("start" as const, "freeze" as const, "thaw" as const, "disk" as const),
		server,
	}),
	list: fc.record({ do: fc.constant("list" as const), server }),
	discover: fc.record({
		do: fc.constant("discover" as const),
		manager,
		how: fc.constantFrom("ok" as const, "ok" as const, "empty" as const, "unavailable" as const, "malformed" as const),
	}),
	restart: fc.record({ do: fc.constant("restart" as const), manager, known: server }),
	wait: fc.record({ do: fc.constant("wait" as const), ms: fc.constantFrom(1, 1000, 60_000, 3_600_000) }),
};
const step = fc.oneof(
	...[
		{ weight: 8, arbitrary: kinds.write },
		{ weight: 2, arbitrary: kinds.delete },
		{ weight: 2, arbitrary: kinds.read },
	],
	...[
		{ weight: 8, arbitrary: kinds.look },
		{ weight: 3, arbitrary: kinds.link },
		{ weight: 5, arbitrary: kinds.stop },
	],
	...[
		{ weight: 4, arbitrary: kinds.other },
		{ weight: 4, arbitrary: kinds.list },
		{ weight: 4, arbitrary: kinds.discover },
	],
	...[
		{ weight: 1, arbitrary: kinds.restart },
		{ weight: 1, arbitrary: kinds.wait },
	],
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;
const story = fc.record({
	count: fc.constantFrom(2, 2, 3, 3, 4),
	skew: fc.constantFrom(0, -5000, 5000, 40_000),
	/** With how many turns of the event loop that pass before the next step begins: steps overlap. */
	steps: fc.array(fc.tuple(step, fc.constantFrom(0, 20, 1000, 1000, 1000)), { minLength: 10, maxLength: 50 }),
});
type Story = typeof story extends fc.Arbitrary<infer T> ? T : never;

const turns = async (count: number) => {
	for (let i = 0; i < count; i++) await undefined;
};

/** Plays a story; what must never happen is checked while it goes on. */
class Play {
	readonly world = new FakeWorld(SERVERS);
	readonly managers: SimulatedManager[];
	readonly #skew: number;
	listed: string[];
	/** Servers that lost something since all copies were whole. */
	readonly lossy = new Set<string>();
	readonly problems: string[] = [];
	#underWay = 0;
	#smallest = SERVERS;
	reads = 0;
	acknowledged = 0;

	constructor({ count, skew }: Story) {
		this.#skew = skew;
		this.listed = Array.from({ length: count }, (_, i) => FakeWorld.nameOf(i + 1));
		this.managers = [0, 1].map((i) => this.#open(i));
	}

	#open(i: number): SimulatedManager {
		return new SimulatedManager(this.world, { ...STRICT, skewMs: i === 1 ? this.#skew : 0 });
	}

	/** Whether every listed server has every acknowledged write, and its mark: then losses so far are made good. */
	#isWhole(): boolean {
		return this.listed.every((name) => {
			const { mark, records } = this.world.servers.get(name)!;
			const has = ([key, header]: [string, string]) => (records.get(key)?.toString("latin1", 0, 53) ?? "") >= header;
			return mark?.phase === "equal" && [...this.world.acknowledged].every(has);
		});
	}

	/** Fewer than a majority may lose data until all is whole again: of the smallest number that counted meanwhile. */
	#mayLose(name: string): boolean {
		const count = Math.min(this.listed.length, ...this.managers.map(({ registered }) => registered.length || SERVERS));
		if (this.#underWay === 0 && this.#isWhole()) {
			this.lossy.clear();
			this.#smallest = count;
		}
		this.#smallest = Math.min(this.#smallest, count);
		return new Set([...this.lossy, name]).size < majority(this.#smallest);
	}

	#isSettled(): boolean {
		const listed = [...this.listed].sort().join();
		return this.managers.every(
			({ registered, membership }) =>
				[...registered].sort().join() === listed && [...(membership.reference?.members ?? [])].sort().join() === listed,
		);
	}

	async #read(manager: SimulatedManager, key: string): Promise<void> {
		const needed = this.world.acknowledged.get(key)?.slice(0, 32) ?? "";
		const found = await manager.read(key);
		if (found === undefined) return;
		this.reads++;
		if (found < needed) this.problems.push(`read of ${key} found ${found || "nothing"}, ${needed} was acknowledged`);
	}

	async #write(manager: SimulatedManager, key: string, missing?: number, value?: Value): Promise<void> {
		const link = missing === undefined ? undefined : manager.link(FakeWorld.nameOf(missing));
		// A call that is lost on the way, not a connection: the node is not known to have been away.
		if (link) link.deafTo = "store";
		this.#underWay++;
		const header = await manager.write(key, value);
		this.#underWay--;
		if (link) link.deafTo = undefined;
		if (header !== undefined) this.acknowledged++;
	}

	/**
	 * Whether a majority could be read that knows nothing of an acknowledged write: at every moment, and without reading,
	 * which would repair.
	 */
	check(): void {
		this.#mayLose("");
		for (const { membership, registered } of this.managers)
			for (const [key, header] of this.world.acknowledged) {
				const unaware = membership.view.places.filter(({ node, reads }) => {
					const server = this.world.servers.get(node.name)!;
					const record = server.records.get(key);
					return reads && server.up && (record?.toString("latin1", 0, 53) ?? "") < header;
				});
				if (unaware.length >= majority(registered.length)) this.problems.push(`a majority has not ${key}`);
			}
	}

	/** What a step begins; what it takes time for goes on while others begin. */
	begin(step: Step): Promise<unknown> | undefined {
		const { world } = this;
		const manager = "manager" in step ? this.managers[step.manager]! : this.managers[0]!;
		const target = "server" in step ? world.server(step.server) : world.server(1);
		switch (step.do) {
			case "write": {
				const payload = Buffer.alloc([3, 0, 1500][step.size]!, Math.floor(world.time.now % 251));
				return this.#write(manager, step.key, step.missing, { kind: "bytes", payload });
			}
			case "delete":
				return this.#write(manager, step.key, step.missing);
			case "read":
				return this.#read(manager, step.key);
			case "look":
				return manager.look();
			case "round":
				return manager.look().then(() => manager.round());
			case "cut": {
				const link = manager.link(target.name);
				if (!link.cut) link.cuts++;
				link.cut = true;
				return undefined;
			}
			case "mend":
				manager.link(target.name).cut = false;
				return undefined;
			case "crash":
			case "lose":
				this.#crash(target, step.do === "lose", step.back);
				return undefined;
			case "start":
				target.start();
				return undefined;
			case "freeze":
				target.freeze();
				return undefined;
			case "thaw":
				target.thaw();
				return undefined;
			case "disk":
				if (target.up) target.sync();
				return undefined;
			case "list":
				this.#list(target.name);
				return undefined;
			case "discover": {
				const before = manager.registered.length;
				if (step.how === "ok") manager.list(this.listed);
				else manager.discover(step.how === "empty" ? { kind: "empty" } : { kind: step.how, problem: "" });
				if (step.how !== "ok" && manager.registered.length < before) this.problems.push(`${step.how} shrank it`);
				return undefined;
			}
			case "restart":
				// What it finds first may be any part of the list: the nodes know the rest.
				manager.kill();
				this.managers[step.manager] = this.#open(step.manager);
				if (this.listed.includes(FakeWorld.nameOf(step.known)) && this.#isSettledBefore(manager))
					this.managers[step.manager]!.list([FakeWorld.nameOf(step.known)]);
				return undefined;
			case "wait":
				world.time.now += step.ms;
				if (step.ms >= 1000) this.sync();
				return undefined;
		}
	}

	#crash(target: FakeRedisServer, all: boolean, back: boolean): void {
		const loses = all ? target.records.size > 0 || target.mark !== undefined : target.isDirty;
		const may = !loses || this.#mayLose(target.name);
		if (may && loses) this.lossy.add(target.name);
		if (target.up) target.stop({ clean: !may });
		if (may && all) target.lose();
		if (back) target.start();
	}

	/** What every server does once a second. */
	sync(): void {
		for (const server of this.world.servers.values()) if (server.up) server.sync();
	}

	/** Before the first round no node knows the others. */
	#isSettledBefore(manager: SimulatedManager): boolean {
		const standing = this.listed.every((name) => this.world.servers.get(name)!.mark?.phase === "equal");
		return manager.membership.reference !== undefined && standing;
	}

	#list(name: string): void {
		if (!this.#isSettled()) return;
		const without = this.listed.filter((known) => known !== name);
		if (without.length === this.listed.length) this.listed = [...this.listed, name].sort();
		else if (without.length >= 2) this.listed = without;
	}

	/** All faults end; then a few looks and rounds have to be enough. */
	async settle(): Promise<void> {
		const { world, managers } = this;
		for (const server of world.servers.values()) {
			server.thaw();
			server.start();
		}
		for (const { links } of managers) for (const link of links.values()) link.cut = false;
		for (let i = 0; i < 40; i++) {
			world.time.now += 100_000;
			for (const manager of managers) {
				manager.list(this.listed);
				await manager.look();
				await manager.round();
			}
			if (!this.#isQuiet()) continue;
			// What reached too few to count may still lie on some: one round is enough for that.
			await managers[0]!.rounds.run("last");
			return;
		}
		this.problems.push("did not settle");
	}

	#isQuiet(): boolean {
		const listed = [...this.listed].sort().join();
		return this.managers.every(
			({ registered, rounds, membership }) =>
				rounds.due() === undefined &&
				[...registered].sort().join() === listed &&
				membership.view.places.every(({ reads, writes }) => reads && writes),
		);
	}

	/** Last writer wins: the same everywhere, nothing acknowledged is gone, nothing was made up. */
	verdict(): string[] {
		const [first, ...others] = this.listed.map((name) => contentsOf(this.world.servers.get(name)!));
		const problems = [...this.problems];
		for (const other of others)
			if (JSON.stringify(other) !== JSON.stringify(first)) problems.push("nodes differ after healing");
		for (const [key, header] of this.world.acknowledged)
			if ((first![key] ?? "") < header) problems.push(`an acknowledged write of ${key} is lost`);
		for (const [key, record] of Object.entries(first!))
			if (!this.world.offered.get(key)?.has(record.slice(0, 53))) problems.push(`${key} holds what nobody wrote`);
		return problems;
	}
}

async function play(tale: Story): Promise<Play> {
	const it = new Play(tale);
	for (const manager of it.managers) {
		manager.list(it.listed);
		await manager.look();
		await manager.round();
	}
	it.sync();
	const open: Promise<unknown>[] = [];
	for (const [step, wait] of tale.steps) {
		const work = it.begin(step);
		if (work) open.push(work);
		await turns(wait);
		it.check();
	}
	await Promise.all(open);
	await it.settle();
	return it;
}

const at = (manager: number) => ({ manager, key: "a", missing: undefined, size: 0 });
/** Stories that went wrong once. */
const found: Story[] = [
	// Two become three: what one of the two and the third had acknowledged, a manager missed that knew of two only.
	{
		...{ count: 2, skew: 0 },
		steps: [
			[{ do: "list", server: 3 }, 0],
			[{ do: "discover", manager: 0, how: "ok" }, 0],
			[{ do: "look", manager: 0 }, 0],
			[{ do: "look", manager: 0 }, 1000],
			[{ do: "write", ...at(0), missing: 2 }, 0],
			[{ do: "crash", server: 1, back: true }, 0],
			[{ do: "round", manager: 1 }, 0],
			[{ do: "discover", manager: 0, how: "ok" }, 1000],
		],
	},
	// One that had just started founded a cluster of a new node and one that had lost all, while the last one hung.
	{
		...{ count: 2, skew: 0 },
		steps: [
			[{ do: "write", ...at(0) }, 0],
			[{ do: "list", server: 3 }, 0],
			[{ do: "lose", server: 2, back: false }, 0],
			[{ do: "crash", server: 2, back: true }, 0],
			[{ do: "freeze", server: 1 }, 0],
			[{ do: "restart", manager: 1, known: 1 }, 0],
			[{ do: "discover", manager: 1, how: "ok" }, 0],
			[{ do: "round", manager: 1 }, 1000],
		],
	},
];

test(`whatever happens, reads are right, and all nodes become equal (seed ${seed})`, async () => {
	let [reads, acknowledged] = [0, 0];
	await fc.assert(
		fc.asyncProperty(story, async (tale) => {
			const it = await play(tale);
			reads += it.reads;
			acknowledged += it.acknowledged;
			expect(it.verdict()).toEqual([]);
		}),
		{ seed, numRuns: long ? 5000 : 300, examples: found.map((tale) => [tale]) },
	);
	// Stories in which nothing works prove nothing.
	expect(reads).toBeGreaterThan(50);
	expect(acknowledged).toBeGreaterThan(200);
}, 600_000);
