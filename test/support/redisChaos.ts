import type { Consistency } from "../../runtime/redis/store.ts";
import type { ManagerProcess } from "./managerProcess.ts";
import type { RedisClient, WriteMore, Written } from "./redisClient.ts";
import { Registers } from "./redisModel.ts";
import type { RedisScene } from "./redisScene.ts";
import type { Operation, Round, Trouble } from "./redisSchedule.ts";
import { within } from "./within.ts";

/** Longest that one step of a round may take; it has time-outs of its own, which are far shorter. */
const STEP_MS = 60_000;

/** Plays a schedule against real nodes, and notes what clients see. */
export class Chaos {
	readonly registers = new Registers();
	readonly done: Record<string, number> = {};
	readonly #scene: RedisScene;
	readonly #process: ManagerProcess;
	/** What ends a trouble, and in which round. */
	readonly #ends: { at: number; kind: Trouble["kind"]; end: () => Promise<void> | void }[] = [];
	#round = 0;

	constructor(scene: RedisScene, process: ManagerProcess) {
		this.#scene = scene;
		this.#process = process;
	}

	async play(rounds: readonly Round[]): Promise<void> {
		for (const { trouble, lasts, operations } of rounds) {
			await this.#endTroubles(this.#round);
			const end = await this.#inTime(trouble.kind, this.#begin(trouble));
			this.#count(trouble.kind === "link" ? trouble.fault.kind : trouble.kind);
			this.#ends.push({ at: this.#round + lasts, kind: trouble.kind, end });
			await Promise.all(operations.map((one) => this.#inTime(one.kind, this.#operate(one))));
			this.#round++;
		}
		await this.#endTroubles(Number.POSITIVE_INFINITY);
	}

	async #endTroubles(round: number): Promise<void> {
		const due = this.#ends.filter(({ at }) => at <= round);
		for (const one of due) {
			this.#ends.splice(this.#ends.indexOf(one), 1);
			await this.#inTime(`the end of ${one.kind}`, one.end());
		}
	}

	/** Whatever hangs says so. */
	#inTime<T>(what: string, work: Promise<T> | T): Promise<T> {
		return within(`${what} in round ${this.#round}`, STEP_MS, work);
	}

	async #begin(trouble: Trouble): Promise<() => Promise<void> | void> {
		const { servers, links, managers } = this.#scene;
		switch (trouble.kind) {
			case "link": {
				const link = links[trouble.manager]![trouble.node]!;
				link.set(trouble.fault);
				return () => link.heal();
			}
			case "split": {
				const lone = trouble.manager;
				const cut = links[lone]!.filter((_, n) => n !== trouble.node);
				for (const link of [...cut, links[1 - lone]![trouble.node]!]) link.set(trouble.fault);
				return () => {
					for (const link of links.slice(0, 2).flat()) link.heal();
				};
			}
			case "killNode": {
				const server = servers[trouble.node]!;
				await server.kill();
				return () => (server.isRunning ? undefined : server.start());
			}
			case "hangNode": {
				const server = servers[trouble.node]!;
				if (server.isRunning) server.pause();
				return () => (server.isRunning ? server.resume() : undefined);
			}
			case "skew": {
				managers[trouble.manager]!.skewMs = trouble.ms;
				return () => {};
			}
			case "reopenManager":
				await this.#scene.reopen(trouble.manager);
				return () => {};
			case "killManager":
				// Not waited for: what is under way has lost its manager.
				void this.#process.kill();
				return () => this.#process.ensure();
			case "forgetScripts": {
				const server = servers[trouble.node]!;
				// A node that hangs does not answer this either.
				if (server.isRunning) void server.cli("SCRIPT", "FLUSH").catch(() => {});
				return () => {};
			}
		}
	}

	#client(index: number): RedisClient {
		return index < 2 ? this.#scene.managers[index]!.client : this.#process.client;
	}

	#clock(index: number): number {
		return Date.now() + (index < 2 ? this.#scene.managers[index]!.skewMs : 0);
	}

	async #operate(operation: Operation): Promise<void> {
		const client = this.#client(operation.manager);
		switch (operation.kind) {
			case "write":
				return this.#write(client, operation.key, operation.ttl, this.#clock(operation.manager));
			case "delete":
				return this.#delete(client, operation.key);
			case "batch":
				return this.#batch(client, operation.keys);
			case "retry":
				return this.#retry(client, operation.back);
			case "read":
				return this.#read(client, operation.key, operation.level, operation.manager);
		}
	}

	async #write(client: RedisClient, index: number, ttl: number | null, clock: number): Promise<void> {
		const write = { key: `key ${index}`, value: this.registers.fresh(), from: performance.now() };
		const more: WriteMore = ttl === null ? {} : { expiresAt: clock + ttl * 1000 };
		const answer = await client.write(write.key, write.value, more).catch(() => undefined);
		this.#note(write, answer?.body, more);
	}

	async #delete(client: RedisClient, index: number): Promise<void> {
		const write = { key: `key ${index}`, from: performance.now() };
		const answer = await client.remove(write.key).catch(() => undefined);
		this.#note(write, answer?.body);
	}

	async #batch(client: RedisClient, indexes: readonly number[]): Promise<void> {
		const from = performance.now();
		const writes = indexes.map((index, i) => ({
			key: `key ${index}`,
			...(i % 2 === 0 ? { value: this.registers.fresh() } : { delete: true as const }),
		}));
		const answer = await client.batch(writes).catch(() => undefined);
		for (const [i, one] of writes.entries()) {
			const value = "value" in one ? one.value : undefined;
			this.#note({ key: one.key, value, from }, answer?.body.results[i]);
		}
	}

	/** The same write again, with its stamp; from further back or just now. */
	async #retry(client: RedisClient, back: number): Promise<void> {
		const repeated = this.registers.sent.at(-1 - back);
		if (!repeated?.stamp) return;
		const { key, value, stamp, expiresAt } = repeated;
		this.registers.repeats(repeated);
		const asked = value === undefined ? client.remove(key, { stamp }) : client.write(key, value, { stamp, expiresAt });
		const answer = await asked.catch(() => undefined);
		if (answer && !answer.body.results) this.#count(`retry refused: ${answer.body.code}`);
		else this.registers.repeated(repeated, answer?.body);
	}

	async #read(client: RedisClient, index: number, level: Consistency, of: number): Promise<void> {
		const from = performance.now();
		const clock = this.#clock(of);
		const answer = await client.get(`key ${index}`, level).catch(() => undefined);
		if (!answer) return;
		this.#count(`read ${answer.status}`);
		this.registers.read(`key ${index}`, level, from, answer, clock);
	}

	#note(...[write, answer, more]: Parameters<Registers["wrote"]>): void {
		this.registers.wrote(write, answer as Written | undefined, more);
		this.#count(`write ${this.registers.sent.at(-1)!.outcome}`);
	}

	#count(what: string): void {
		this.done[what] = (this.done[what] ?? 0) + 1;
	}
}
