import { connect, type Socket } from "node:net";
import type { Fault, Tally } from "./faultProxy.ts";

/** Bytes that may wait in a socket before its source is made to wait, too. */
const HIGH_WATER = 1_048_576;
const HELD = Number.POSITIVE_INFINITY;

interface Packet {
	/** `undefined`: the sender has closed its side. */
	bytes: Buffer | undefined;
	/** When it may arrive, by performance.now(). */
	due: number;
}

/** What one direction of a connection does with a packet: lose it, or have it arrive after so many milliseconds. */
type Fate = { lost: true } | { lost: false; afterMs: number };

type Event = "lost" | "passed" | "delayed" | "held" | "released";
type Counter = (what: Event, bytes: number) => void;

/** One direction: packets arrive in order, each not before it is due. */
class Lane {
	readonly #from: Socket;
	readonly #to: Socket;
	readonly #fate: () => Fate;
	readonly #count: Counter;
	readonly #queue: Packet[] = [];
	#timer: NodeJS.Timeout | undefined;
	hasGap = false;

	constructor(from: Socket, to: Socket, fate: () => Fate, count: Counter) {
		this.#from = from;
		this.#to = to;
		this.#fate = fate;
		this.#count = count;
		from.on("data", (bytes) => this.#take(bytes as Buffer));
		from.on("end", () => this.#take(undefined));
		to.on("drain", () => from.resume());
	}

	get isIdle(): boolean {
		return this.#queue.length === 0;
	}

	release(): number {
		let bytes = 0;
		for (const packet of this.#queue) {
			if (packet.due !== HELD) continue;
			packet.due = 0;
			bytes += packet.bytes?.length ?? 0;
		}
		this.#count("released", bytes);
		this.#flush();
		return bytes;
	}

	stop(): void {
		clearTimeout(this.#timer);
		this.#queue.length = 0;
	}

	#take(bytes: Buffer | undefined): void {
		if (this.#to.destroyed) return;
		const fate = this.#fate();
		if (fate.lost) {
			this.hasGap = true;
			this.#count("lost", bytes?.length ?? 0);
			return;
		}
		if (fate.afterMs > 0) this.#count(fate.afterMs === HELD ? "held" : "delayed", bytes?.length ?? 0);
		this.#queue.push({ bytes, due: performance.now() + fate.afterMs });
		this.#flush();
	}

	#flush(): void {
		clearTimeout(this.#timer);
		for (let first = this.#queue[0]; first; first = this.#queue[0]) {
			const wait = first.due - performance.now();
			if (wait === HELD) return;
			if (wait > 0) {
				this.#timer = setTimeout(() => this.#flush(), Math.ceil(wait));
				return;
			}
			this.#queue.shift();
			this.#deliver(first.bytes);
		}
		// Its sender has gone without saying so.
		if (this.#from.destroyed) this.#to.destroySoon();
	}

	#deliver(bytes: Buffer | undefined): void {
		if (!bytes) {
			this.#to.end();
			return;
		}
		this.#count("passed", bytes.length);
		this.#to.write(bytes);
		if (this.#to.writableLength > HIGH_WATER) this.#from.pause();
	}
}

/** One connection through the proxy. */
export class Link {
	readonly #client: Socket;
	readonly #server: Socket;
	readonly #toServer: Lane;
	readonly #toClient: Lane;

	constructor(client: Socket, target: { host: string; port: number }, tally: Tally, fault: () => Fault) {
		this.#client = client;
		this.#server = connect({ ...target, allowHalfOpen: true, noDelay: true });
		this.#toServer = new Lane(client, this.#server, () => toServer(fault()), counter(tally, "toServer"));
		this.#toClient = new Lane(this.#server, client, () => toClient(fault()), counter(tally, "toClient"));
		// Errors end in "close", where both sides are dealt with.
		client.on("error", () => {});
		this.#server.on("error", () => {});
		this.#server.on("close", () => client.destroy());
		client.on("close", () => {
			// What is still on its way arrives all the same; answers have nowhere to go.
			this.#toClient.stop();
			this.#server.resume();
			if (this.#toServer.isIdle) this.#server.destroy();
		});
	}

	get hasGap(): boolean {
		return this.#toServer.hasGap || this.#toClient.hasGap;
	}

	release(): number {
		return this.#toServer.release() + this.#toClient.release();
	}

	/** Ends both sides, with a reset where there is nothing that would have to go first. */
	destroy(): void {
		this.#toServer.stop();
		this.#toClient.stop();
		for (const socket of [this.#client, this.#server]) {
			const isQuiet = !socket.connecting && !socket.writableEnded && socket.writableLength === 0;
			// Node loses the handle of a socket that is reset while it shuts down, and waits for it when the process ends.
			if (isQuiet) socket.resetAndDestroy();
			else socket.destroy();
		}
	}

	onceClosed(fn: () => void): void {
		this.#server.once("close", fn);
	}
}

function toServer(fault: Fault): Fate {
	if (fault.kind === "blackhole") return { lost: true };
	if (fault.kind === "hold") return { lost: false, afterMs: HELD };
	return { lost: false, afterMs: fault.kind === "delay" ? (fault.toServerMs ?? 0) : 0 };
}

function toClient(fault: Fault): Fate {
	if (fault.kind === "blackhole" || fault.kind === "dropReplies") return { lost: true };
	return { lost: false, afterMs: fault.kind === "delay" ? (fault.toClientMs ?? 0) : 0 };
}

function counter(tally: Tally, direction: "toServer" | "toClient"): Counter {
	const lost = direction === "toServer" ? "lostToServer" : "lostToClient";
	return (what, bytes) => {
		tally[what === "passed" ? direction : what === "lost" ? lost : what] += bytes;
	};
}
