import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import { describe, HoldfastError } from "../errors.ts";
import type { JsonObject } from "./dynamic.ts";
import { RestCaller, type RestEndpoint, type RestOptions } from "./restCaller.ts";
import { historySchema, patroniSchema, viewSchema } from "./restSchemas.ts";
import type { ClusterView, HistoryEntry, PatroniStatus } from "./state.ts";

/** How long Patroni itself waits before it answers a switchover: 2 * max(10, loop_wait), and some. */
const SWITCHOVER_MS = 150_000;

/**
 * Patroni's REST API on one member. Every call has a deadline and names the member in its errors: HF_UNREACHABLE when
 * nobody answers in time, HF_CREDENTIALS for 401 and 403, HF_REJECTED for any other refusal, with Patroni's own words.
 */
export class PatroniRest {
	readonly endpoint: RestEndpoint;
	readonly #caller: RestCaller;

	constructor(endpoint: RestEndpoint, options: RestOptions = {}) {
		this.endpoint = endpoint;
		this.#caller = new RestCaller(endpoint, options);
	}

	close(): Promise<void> {
		return this.#caller.close();
	}

	/** What this member says of itself now. It answers while PostgreSQL is down. */
	async patroni(): Promise<PatroniStatus> {
		return this.#caller.look("/patroni", patroniSchema);
	}

	async cluster(): Promise<ClusterView> {
		return this.#caller.look("/cluster", viewSchema);
	}

	/** Timelines that ended, the oldest first. */
	async history(): Promise<HistoryEntry[]> {
		return this.#caller.look("/history", historySchema);
	}

	/** The configuration in etcd; `undefined` before the cluster was bootstrapped. */
	async config(): Promise<JsonObject | undefined> {
		const answer = await this.#caller.ask("GET", "/config");
		if (answer.status === 502) return undefined;
		return this.#caller.read("/config", answer, z.record(z.string(), z.json())) as JsonObject;
	}

	/**
	 * Merges `patch` into the configuration; not where it was changed at the same time, or this member has not seen its
	 * latest change yet (409). What came of it is to be read back, for a moment it can still be the old one.
	 */
	async patchConfig(patch: JsonObject): Promise<void> {
		this.#caller.accept(await this.#caller.ask("PATCH", "/config", patch), "PATCH /config", [200, 409]);
	}

	/** Begins Patroni's next round now: a patch that changes nothing does just that. */
	async wake(): Promise<void> {
		this.#caller.accept(await this.#caller.ask("PATCH", "/config", { holdfast: null }), "PATCH /config", [200]);
	}

	/** Makes Patroni read its files. It is done within a second or so; nobody says when. */
	async reload(): Promise<void> {
		this.#caller.accept(await this.#caller.ask("POST", "/reload", {}), "POST /reload", [202]);
	}

	/**
	 * Restarts PostgreSQL and waits for it, up to `ms`. A synchronous standby is relieved first, which takes Patroni up to
	 * 2 * loop_wait. `pendingOnly`: not if no restart is pending, `timeout`: seconds to start, else a leader fails over.
	 * Returns at once while Patroni is busy with the member, as after a switchover: the next look says what came of it.
	 */
	async restart(options: { pendingOnly?: boolean; role?: "primary" | "replica"; timeout?: number; ms: number }) {
		const { pendingOnly, role, timeout, ms } = options;
		const body = {
			...(pendingOnly ? { restart_pending: true } : {}),
			...(role === undefined ? {} : { role }),
			...(timeout === undefined ? {} : { timeout }),
		};
		const answer = await this.#caller.ask("POST", "/restart", body, ms);
		const idle = /conditions are not satisfied|already in progress/.test(answer.text);
		if (answer.status === 503 && idle) return;
		this.#caller.accept(answer, "POST /restart", [200]);
	}

	/** Clones the member's data anew from the cluster; what only it has is gone. Starts it and returns. */
	async reinitialize({ force = false, fromLeader = false } = {}): Promise<void> {
		const answer = await this.#caller.ask("POST", "/reinitialize", { force, from_leader: fromLeader });
		this.#caller.accept(answer, "POST /reinitialize", [200]);
	}

	/**
	 * Lets `to` take over from `from`, and returns once `/cluster` shows it as leader; HF_REJECTED when another one took
	 * over or nobody did. A lost answer is not asked again: the cluster itself says what became of it.
	 */
	async switchover(from: string, to: string): Promise<void> {
		const words = await this.#command("/switchover", { leader: from, candidate: to });
		await this.#settled(to, `switchover from ${from} to ${to}`, words);
	}

	/**
	 * Makes `to` leader without asking whether it has every commit: acknowledged writes can be lost. Only for a cluster
	 * that has no leader and will not get one.
	 */
	async failover(to: string): Promise<void> {
		const words = await this.#command("/failover", { candidate: to });
		await this.#settled(to, `failover to ${to}`, words);
	}

	/** Patroni's answer in words; of one that was lost, why. */
	async #command(path: string, body: JsonObject): Promise<string> {
		try {
			const answer = await this.#caller.ask("POST", path, body, SWITCHOVER_MS);
			// 503 can mean that Patroni stopped watching.
			return answer.status === 503 ? answer.text : this.#caller.accept(answer, `POST ${path}`, [200]);
		} catch (error) {
			if (error instanceof HoldfastError && error.code === "HF_UNREACHABLE") return describe(error);
			throw error;
		}
	}

	/** Waits until `/cluster` names `to` as a running leader: an answer of 200 alone can mean somebody else. */
	async #settled(to: string, what: string, words: string): Promise<void> {
		const other = / over to "(.*)" instead of /.exec(words)?.[1];
		let leader = other;
		// "failed" is Patroni's last word, a lost answer is not.
		const most = words.endsWith(" failed") ? 4 : 20;
		for (let tries = 0; other === undefined && tries < most; tries++) {
			const seen = (await this.cluster()).members.find(({ role }) => role === "leader");
			leader = seen?.name;
			if (leader === to && seen?.state === "running") return;
			await sleep(500);
		}
		const state = leader === undefined ? "there is no leader now" : `${leader} is leader now`;
		throw new HoldfastError("HF_REJECTED", `${what} did not happen: ${state} (${words})`, {
			next: "see holdfast status",
		});
	}
}
