import { FaultProxy } from "./faultProxy.ts";
import { type Links, type ManagerOptions, RedisManager } from "./redisManagers.ts";
import { type Found, type RedisOptions, type RedisServer, startRedises } from "./redisServers.ts";
import { until } from "./until.ts";

export interface SceneOptions extends ManagerOptions {
	/** @default 3 */
	nodes?: number;
	/** Milliseconds by which each manager's clock is ahead; as many managers as there are figures. @default one, in time */
	skews?: readonly number[];
	redis?: RedisOptions;
}

const scenes = new Set<RedisScene>();

/** Redis nodes and managers, with a fault proxy of its own between each manager and each node. */
export class RedisScene {
	readonly servers: readonly RedisServer[];
	readonly managers: RedisManager[] = [];
	/** Of each manager, to each node. */
	readonly links: FaultProxy[][] = [];
	readonly #settings: ManagerOptions;

	private constructor(servers: readonly RedisServer[], settings: ManagerOptions) {
		this.servers = servers;
		this.#settings = settings;
		scenes.add(this);
	}

	/** Resolves when all nodes are ready for all managers. */
	static async create({ nodes = 3, skews = [0], redis, ...settings }: SceneOptions = {}): Promise<RedisScene> {
		const scene = new RedisScene(await startRedises(nodes, redis), settings);
		for (const skewMs of skews) await scene.add(skewMs);
		return scene;
	}

	/** One more manager. Resolves when all nodes are ready for it. */
	async add(skewMs = 0, settings: ManagerOptions = {}): Promise<RedisManager> {
		const links = await Promise.all(this.servers.map((server) => FaultProxy.start(server)));
		this.links.push(links);
		const manager = await RedisManager.open(this.#links(this.links.length - 1), {
			...{ ...this.#settings, ...settings, skewMs },
		});
		this.managers.push(manager);
		await manager.whole();
		return manager;
	}

	/** Ends a manager and opens it anew over the same links. */
	async reopen(index: number, settings: ManagerOptions = {}): Promise<RedisManager> {
		const { skewMs } = this.managers[index]!;
		await this.managers[index]!.stop();
		const manager = await RedisManager.open(this.#links(index), { ...this.#settings, ...settings, skewMs });
		this.managers[index] = manager;
		return manager;
	}

	#links(manager: number): Links {
		return new Map(this.servers.map(({ name }, n) => [name, this.links[manager]![n]!]));
	}

	/** What is said of each node, in the order of `servers`. */
	inOrder<T extends { node: string }>(said: readonly T[]): T[] {
		return this.servers.map(({ name }) => said.find(({ node }) => node === name)!);
	}

	/** All links to a node, of every manager. */
	to(node: number): FaultProxy[] {
		return this.links.map((links) => links[node]!);
	}

	/** No fault, no skew, every server runs: all nodes are ready for all managers, and a round was held. */
	async heal(): Promise<void> {
		for (const link of this.links.flat()) link.heal();
		for (const manager of this.managers) manager.skewMs = 0;
		for (const server of this.servers) {
			if (server.isRunning) server.resume();
			else await server.start();
		}
		for (const manager of this.managers) await this.#equalize(manager);
	}

	/** A connection that has broken may not have been noticed yet: only a round that reached all nodes shows that all is well. */
	async #equalize(manager: RedisManager): Promise<void> {
		await until("a round that makes all nodes equal", 60_000, async () => {
			await manager.whole();
			const { status, body } = await manager.client.sync();
			return status === 200 && body.equal.length === this.servers.length && manager.isWhole;
		});
	}

	/** What all nodes hold, which must be the same to the byte, with the same physical expiry. */
	async agreed(): Promise<Found[]> {
		const held = await Promise.all(this.servers.map((server) => server.records()));
		for (const other of held) expect(other).toEqual(held[0]);
		return held[0]!;
	}

	async remove(): Promise<void> {
		scenes.delete(this);
		for (const manager of this.managers) await manager.stop();
		for (const link of this.links.flat()) await link.stop();
		for (const server of this.servers) await server.remove();
	}

	/** For `afterAll`. */
	static async removeAll(): Promise<void> {
		for (const scene of [...scenes]) await scene.remove();
	}
}
