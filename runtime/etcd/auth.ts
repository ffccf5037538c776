import type { Deadline } from "../deadline.ts";
import { HoldfastError } from "../errors.ts";
import { prefixEnd } from "./api.ts";
import { EtcdGateway } from "./gateway.ts";
import { EtcdError, type EtcdTls } from "./transport.ts";

export interface EtcdAuth {
	/** Client URLs of the voters. */
	endpoints: readonly string[];
	tls?: EtcdTls;
	/** Administers everything; newest password first, those that may still be in force after it. */
	rootPasswords: readonly [string, ...string[]];
	/** Patroni's own user. It can see and change its scope, and nothing else. */
	patroni: { user: string; password: string };
	scope: string;
	deadline: Deadline;
}

const ROOT = "root";
const CALL_MS = 10_000;

/** All keys of one Patroni scope: with the slash at its end no other scope's name begins with it. */
export const scopePrefix = (scope: string): string => `/service/${scope}/`;

/**
 * Users and rights of the cluster, and then the demand for a login; can be run again, also after it was interrupted.
 * Proved by a login of both users. HF_CREDENTIALS when no password of root is right.
 */
export async function ensureAuth({ rootPasswords, patroni, scope, deadline, ...where }: EtcdAuth): Promise<void> {
	const credentials = rootPasswords.map((password) => ({ user: ROOT, password }));
	const gateway = new EtcdGateway({ ...where, credentials });
	try {
		const door = new Door(gateway, deadline);
		const enabled = (await door.ask("auth/status")).enabled === true;
		const root = { user: ROOT, password: rootPasswords[0] };
		await door.user(root, enabled);
		await door.ask("auth/user/grant", { user: ROOT, role: ROOT });
		await door.role(patroni.user, scopePrefix(scope));
		await door.user(patroni, enabled);
		await door.onlyRole(patroni.user);
		if (!enabled) await door.ask("auth/enable");
		for (const credential of [root, patroni]) {
			if (await gateway.accepts(credential, CALL_MS)) continue;
			throw new HoldfastError(
				"HF_CREDENTIALS",
				`etcd refuses the password that ${credential.user} has just been given`,
			);
		}
	} finally {
		await gateway.close();
	}
}

class Door {
	readonly #gateway: EtcdGateway;
	readonly #deadline: Deadline;
	constructor(gateway: EtcdGateway, deadline: Deadline) {
		this.#gateway = gateway;
		this.#deadline = deadline;
	}

	/** Every call here can be made twice; an outcome that nobody knows is asked for again. */
	async ask(path: string, body: object = {}) {
		for (;;) {
			try {
				return await this.#gateway.call(path, body, { ms: CALL_MS });
			} catch (error) {
				if (!(error instanceof EtcdError) || error.outcome === "refused") throw error;
				await this.#deadline.pause(250, error.message);
			}
		}
	}

	/** As `ask`, where it is fine that something is there, or is gone, already. */
	async #settle(path: string, body: object, words: string): Promise<boolean> {
		try {
			await this.ask(path, body);
			return true;
		} catch (error) {
			if (error instanceof EtcdError && error.reason.includes(words)) return false;
			throw error;
		}
	}

	/** Before logins are asked for, no password can be tried: it is set in any case. */
	async user({ user, password }: { user: string; password: string }, enabled: boolean): Promise<void> {
		if (await this.#settle("auth/user/add", { name: user, password }, "user name already exists")) return;
		if (enabled && (await this.#gateway.accepts({ user, password }, CALL_MS))) return;
		await this.ask("auth/user/changepw", { name: user, password });
	}

	/** A role that may read and write exactly the keys below one prefix. */
	async role(name: string, prefix: string): Promise<void> {
		await this.#settle("auth/role/add", { name }, "role name already exists");
		const wanted = { permType: "READWRITE", key: Buffer.from(prefix).toString("base64"), range_end: prefixEnd(prefix) };
		const { perm: rights = [] } = await this.ask("auth/role/get", { role: name });
		const isWanted = ({ permType, key, range_end }: (typeof rights)[number]) =>
			permType === wanted.permType && key === wanted.key && range_end === wanted.range_end;
		if (!rights.some(isWanted)) await this.ask("auth/role/grant", { name, perm: wanted });
		for (const { key, range_end } of rights.filter(
			(right) => right.key !== wanted.key || right.range_end !== wanted.range_end,
		))
			await this.#settle("auth/role/revoke", { role: name, key, range_end }, "permission is not granted");
	}

	/** The role that bears the user's name, and no other. */
	async onlyRole(user: string): Promise<void> {
		const { roles = [] } = await this.ask("auth/user/get", { name: user });
		if (!roles.includes(user)) await this.ask("auth/user/grant", { user, role: user });
		for (const role of roles.filter((other) => other !== user))
			await this.#settle("auth/user/revoke", { name: user, role }, "role is not granted");
	}
}
