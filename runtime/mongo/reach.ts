import type { MongoClient } from "mongodb";
import { describe } from "../errors.ts";
import { type Credential, directClient } from "./connect.ts";
import { type TlsRecord, tlsOptions } from "./tls.ts";

/** The part of a `hello` answer that matters here. */
export interface Hello {
	/** Absent while the member belongs to no set. */
	setName?: string;
	isWritablePrimary: boolean;
	secondary: boolean;
	arbiterOnly: boolean;
	hosts: string[];
	primary?: string;
	/** `host:port` by which the set knows this member. */
	me?: string;
}
export type Answer = { host: string; hello: Hello } | { host: string; hello?: undefined; reason: string };

/** Connections to single members, kept for the length of one verb. */
export class Reach {
	readonly #clients = new Map<string, MongoClient>();
	readonly #tls: ReturnType<typeof tlsOptions>;

	constructor(tls?: TlsRecord) {
		this.#tls = tlsOptions(tls);
	}

	/** A client of one member, kept until `close`. */
	member(host: string, credential?: Credential): MongoClient {
		const key = JSON.stringify([host, credential]);
		const known = this.#clients.get(key);
		if (known) return known;
		// A stopped process (SIGSTOP) accepts connections and never answers: hello must not wait for it.
		const client = directClient(host, credential, { ...this.#tls, ...(credential ? {} : { socketTimeoutMS: 3000 }) });
		this.#clients.set(key, client);
		return client;
	}

	/** Asks one member who it is; needs no credentials. */
	async hello(host: string): Promise<Answer> {
		try {
			const said = await this.member(host).db("admin").command({ hello: 1 });
			return {
				host,
				hello: {
					setName: said.setName,
					isWritablePrimary: said.isWritablePrimary === true,
					secondary: said.secondary === true,
					arbiterOnly: said.arbiterOnly === true,
					hosts: [...(said.hosts ?? []), ...(said.passives ?? []), ...(said.arbiters ?? [])],
					primary: said.primary,
					me: said.me,
				},
			};
		} catch (error) {
			return { host, reason: describe(error) };
		}
	}

	hellos(hosts: readonly string[]): Promise<Answer[]> {
		return Promise.all(hosts.map((host) => this.hello(host)));
	}

	/** Drops what is known of a member, e.g. after its restart or a changed password. */
	async forget(host?: string): Promise<void> {
		const dropped = [...this.#clients].filter(([key]) => host === undefined || JSON.parse(key)[0] === host);
		for (const [key] of dropped) this.#clients.delete(key);
		await Promise.all(dropped.map(([, client]) => client.close()));
	}

	async close(): Promise<void> {
		await this.forget();
	}
}
