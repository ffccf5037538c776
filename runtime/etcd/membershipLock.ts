import { hostname } from "node:os";
import type { Deadline } from "../deadline.ts";
import { get, grantLease, keepLease, putNew, revokeLease } from "./api.ts";
import type { EtcdGateway } from "./gateway.ts";
import { EtcdError } from "./transport.ts";

/** Seconds after which the lock of a killed run ends. */
const LEASE_SECONDS = 60;
export const LOCK_KEY = "/holdfast/membership";

/** One run at a time changes the member list, whichever host it runs on. Kept in etcd itself, under a lease. */
export class MembershipLock {
	readonly #gateway: EtcdGateway;
	readonly #owner: string;
	#lease = "";
	constructor(gateway: EtcdGateway, what: string) {
		this.#gateway = gateway;
		this.#owner = `${hostname()} pid ${process.pid} (${what}, since ${new Date().toISOString()})`;
	}

	/**
	 * Makes sure that it is ours for another minute, and waits for another run's lock to end. Whether it was ours all
	 * the time since the last call.
	 */
	async hold(deadline: Deadline): Promise<boolean> {
		if (this.#lease !== "" && (await this.#isKept())) return true;
		for (;;) {
			const owner = await this.#take();
			if (owner === undefined) return false;
			await deadline.pause(1000, `the membership lock of the etcd cluster, which ${owner} holds`);
		}
	}

	/** Who has it, when it could not be taken. */
	async #take(): Promise<string | undefined> {
		const lease = await grantLease(this.#gateway, LEASE_SECONDS);
		if (await this.#put(lease)) {
			this.#lease = lease;
			return undefined;
		}
		await revokeLease(this.#gateway, lease);
		return (await get(this.#gateway, LOCK_KEY)).found?.value ?? "nobody any more";
	}

	async #isKept(): Promise<boolean> {
		if ((await keepLease(this.#gateway, this.#lease)) > 0) {
			if ((await get(this.#gateway, LOCK_KEY)).found?.lease === this.#lease) return true;
		}
		this.#lease = "";
		return false;
	}

	/** An answer that got lost is not asked for again: the key tells. */
	async #put(lease: string): Promise<boolean> {
		try {
			return await putNew(this.#gateway, LOCK_KEY, this.#owner, lease);
		} catch (error) {
			if (!(error instanceof EtcdError) || error.outcome !== "unknown") throw error;
			return (await get(this.#gateway, LOCK_KEY)).found?.lease === lease;
		}
	}

	/** Never fails: a lease that cannot be revoked ends by itself. */
	async release(): Promise<void> {
		if (this.#lease === "") return;
		await revokeLease(this.#gateway, this.#lease).catch(() => undefined);
		this.#lease = "";
	}
}
