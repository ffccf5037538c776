import { createServer, type Server, type Socket } from "node:net";
import { Link } from "./faultLink.ts";

/**
 * What a network may do. What got lost on a connection is never made up for: such a connection is reset when the fault
 * ends, because a stream with a gap in it does not exist.
 */
export type Fault =
	| { kind: "pass" }
	/** Connections are reset, also new ones. */
	| { kind: "cut" }
	/** Connections are accepted and stay; nothing that they carry arrives, in either direction. */
	| { kind: "blackhole" }
	/** Milliseconds that every packet travels longer. */
	| { kind: "delay"; toServerMs?: number; toClientMs?: number }
	/** What clients send arrives, the answers do not. */
	| { kind: "dropReplies" }
	/** What clients send is on its way until `release`, even when the client has closed its connection meanwhile. */
	| { kind: "hold" };

/** What happened so far: bytes, and events. */
export interface Tally {
	connections: number;
	/** Connections that a fault reset. */
	resets: number;
	toServer: number;
	toClient: number;
	/** Bytes that never arrived. */
	lostToServer: number;
	lostToClient: number;
	/** Bytes that arrived later than they were sent. */
	delayed: number;
	/** Bytes that were held, and those of them that arrived after all. */
	held: number;
	released: number;
}

const HOST = "127.0.0.1";

/** A TCP proxy on loopback in front of one server, which does to connections what is asked of it. */
export class FaultProxy {
	readonly host = HOST;
	readonly tally: Tally = {
		...{ connections: 0, resets: 0, toServer: 0, toClient: 0, lostToServer: 0, lostToClient: 0 },
		...{ delayed: 0, held: 0, released: 0 },
	};
	readonly #target: { host: string; port: number };
	readonly #links = new Set<Link>();
	#server!: Server;
	#fault: Fault = { kind: "pass" };

	private constructor(target: { host: string; port: number }) {
		this.#target = target;
	}

	static async start(target: { host: string; port: number }): Promise<FaultProxy> {
		const proxy = new FaultProxy(target);
		proxy.#server = createServer({ allowHalfOpen: true, noDelay: true }, (client) => proxy.#accept(client));
		await new Promise<void>((resolve) => proxy.#server.listen(0, HOST, resolve));
		return proxy;
	}

	get port(): number {
		return (this.#server.address() as { port: number }).port;
	}

	/** `ip:port`. */
	get name(): string {
		return `${this.host}:${this.port}`;
	}

	get fault(): Fault {
		return this.#fault;
	}

	get openConnections(): number {
		return this.#links.size;
	}

	/** From now on. Connections that lost something under the last fault are reset; what is held stays held. */
	set(fault: Fault): void {
		this.#fault = fault;
		for (const link of this.#links) {
			if (fault.kind === "cut" || link.hasGap) this.#reset(link);
		}
	}

	/** Lets arrive what is held; how many bytes. New packets meet the fault that is set. */
	release(): number {
		return [...this.#links].reduce((sum, link) => sum + link.release(), 0);
	}

	/** No fault any more, and what was held arrives. */
	heal(): void {
		this.set({ kind: "pass" });
		this.release();
	}

	async stop(): Promise<void> {
		for (const link of this.#links) link.destroy();
		await new Promise((resolve) => this.#server.close(resolve));
	}

	#accept(client: Socket): void {
		this.tally.connections++;
		const link = new Link(client, this.#target, this.tally, () => this.#fault);
		this.#links.add(link);
		link.onceClosed(() => this.#links.delete(link));
		if (this.#fault.kind === "cut") this.#reset(link);
	}

	#reset(link: Link): void {
		this.tally.resets++;
		link.destroy();
	}
}
