import { isAscii } from "node:buffer";
import type { Call, Carrier } from "./batch.ts";
import type { Argument, Connection } from "./connection.ts";
import { type NodeFailure, refusal } from "./failure.ts";
import type { Stored } from "./port.ts";
import { compareAndSet, recordPrefix } from "./script.ts";

/** Shorter arguments travel as strings where they can: the client joins those, and writes every buffer on its own. */
const shortBytes = 4096;
const prefix = Buffer.from(recordPrefix);
const stored: Stored = Object.freeze({ stored: true });

/** Key of a record on a node. */
export function redisKey(key: Buffer): Argument {
	return isAscii(key) ? recordPrefix + key.toString("latin1") : Buffer.concat([prefix, key]);
}

function argument(bytes: Buffer): Argument {
	return bytes.length <= shortBytes && isAscii(bytes) ? bytes.toString("latin1") : bytes;
}

export type Guard = Carrier<unknown, unknown>["guard"];

/** Compare-and-set by one script call. */
export function storeCarrier(
	node: string,
	connection: Connection,
	grace: string,
	guard: Guard,
): Carrier<{ key: Buffer; record: Buffer }, Stored> {
	return {
		guard,
		send(calls) {
			const keys: Argument[] = [];
			const args: Argument[] = [grace];
			for (const { item } of calls) {
				keys.push(redisKey(item.key));
				args.push(argument(item.record));
			}
			return connection.run(compareAndSet, keys, args);
		},
		deliver(reply, calls) {
			if (reply === 1) for (const call of calls) call.resolve(stored);
			else deliverEach(node, reply as (1 | Buffer)[], calls);
		},
	};
}

function deliverEach(node: string, said: readonly (1 | Buffer)[], calls: readonly Call<unknown, Stored>[]): void {
	for (const [at, call] of calls.entries()) {
		const word = said[at]!;
		if (word === 1) call.resolve(stored);
		else if (word[0] === "-".charCodeAt(0)) call.reject(failureOf(node, word));
		else call.resolve({ stored: false, before: word.toString("latin1") });
	}
}

function failureOf(node: string, word: Buffer): NodeFailure {
	return refusal(node, word.toString("utf8", 1));
}

/** MGET: a key that holds no string is as one that holds nothing. */
export class ReadCarrier implements Carrier<Buffer, Buffer | undefined> {
	readonly guard: Guard;
	readonly #connection: Connection;
	/**
	 * Bytes that a value will have, by those read lately. Without it a batch is bounded by its keys alone, and a few
	 * hundred large values would swell both the node's output buffer and the manager.
	 */
	expected = 0;

	constructor(connection: Connection, guard: Guard) {
		this.#connection = connection;
		this.guard = guard;
	}

	send(calls: readonly Call<Buffer, Buffer | undefined>[]): Promise<unknown> {
		const args: Argument[] = ["MGET"];
		for (const { item } of calls) args.push(redisKey(item));
		return this.#connection.send(args);
	}

	deliver(reply: unknown, calls: readonly Call<Buffer, Buffer | undefined>[]): void {
		const values = reply as (Buffer | null)[];
		let bytes = 0;
		for (let at = 0; at < calls.length; at++) {
			const value = values[at];
			bytes += value?.length ?? 0;
			calls[at]!.resolve(value ?? undefined);
		}
		// Up at once, down slowly.
		this.expected = Math.max(this.expected * 0.9, bytes / calls.length);
	}
}
