import { Client } from "pg";
import { serve } from "../../runtime/lifecycle.ts";
import type { DatabaseInputs, RoleInputs } from "../../runtime/postgres/objectArguments.ts";

export const access = { stack: "objects", cluster: "pg0" };

/** A role that logs in, as a program without further wishes declares it. */
export const role = (name: string, more: Partial<RoleInputs> = {}): RoleInputs => ({
	...{ access, role: name, login: true, superuser: false, createdb: false, createrole: false, inherit: true },
	...{ replication: false, bypassrls: false, connectionLimit: -1, memberOf: [], settings: {}, adopt: false },
	...(more.login === false ? {} : { password: `pw of ${name}` }),
	...more,
});

export const database = (name: string, more: Partial<DatabaseInputs> = {}): DatabaseInputs => ({
	...{ access, database: name, connectionLimit: -1, allowConnections: true, settings: {}, extensions: {}, schemas: {} },
	...{ grants: [], adopt: false, dropOnDelete: true },
	...more,
});

/** A resource as Pulumi drives it, with its state. */
export class Resource<I extends RoleInputs | DatabaseInputs> {
	inputs: I;
	readonly #kind: "postgres/Role" | "postgres/Database";
	state: Record<string, unknown> | undefined;
	#id = "";

	constructor(inputs: I) {
		this.inputs = inputs;
		this.#kind = "role" in inputs ? "postgres/Role" : "postgres/Database";
	}

	/** Creates, or updates with what changed. */
	async up(changes: Partial<I> = {}): Promise<this> {
		this.inputs = { ...this.inputs, ...changes };
		if (this.state) {
			const { outs } = (await serve(this.#kind, "update", [this.#id, this.state, this.inputs])) as { outs: object };
			this.state = outs as Record<string, unknown>;
		} else {
			const { id, outs } = (await serve(this.#kind, "create", [this.inputs])) as { id: string; outs: object };
			this.#id = id;
			this.state = outs as Record<string, unknown>;
		}
		return this;
	}

	/** What a refresh would show: `undefined` for gone, else the properties that differ from the state. */
	async drift(): Promise<Record<string, unknown> | undefined> {
		const { props } = (await serve(this.#kind, "read", [this.#id, this.state])) as { props?: Record<string, unknown> };
		if (!props) return undefined;
		const keys = new Set([...Object.keys(props), ...Object.keys(this.state!)]);
		const differing = [...keys].filter((key) => JSON.stringify(props[key]) !== JSON.stringify(this.state![key]));
		return Object.fromEntries(differing.map((key) => [key, props[key]]));
	}

	async down(): Promise<void> {
		await serve(this.#kind, "delete", [this.#id, this.state]);
		this.state = undefined;
	}
}

/** Statements that `fn` sends, whoever sends them. */
export async function sent(fn: () => Promise<unknown>): Promise<string[]> {
	const texts: string[] = [];
	const spy = jest.spyOn(Client.prototype, "query");
	try {
		await fn();
		for (const [text] of spy.mock.calls) texts.push(String(text));
		return texts;
	} finally {
		spy.mockRestore();
	}
}

/**
 * Runs `fn` as a process that is killed before it sends its `nth` statement (from 0), with its connections. Whether it
 * came that far.
 */
export async function killedAt(nth: number, fn: () => Promise<unknown>): Promise<boolean> {
	const original = Client.prototype.query as (...args: unknown[]) => Promise<unknown>;
	let count = 0;
	const spy = jest.spyOn(Client.prototype, "query").mockImplementation(async function (
		this: Client,
		...args: unknown[]
	) {
		// The search for a leader changes nothing, and takes a failure for an answer.
		if (/pg_is_in_recovery/.test(String(args[0]))) return original.apply(this, args);
		const at = count++;
		if (at < nth) return original.apply(this, args);
		(this as unknown as { connection: { stream: { destroy(): void } } }).connection.stream.destroy();
		throw new Error("killed");
	} as never);
	try {
		await fn();
		return false;
	} catch (error) {
		if (!String(error).includes("killed")) throw error;
		return true;
	} finally {
		spy.mockRestore();
	}
}
