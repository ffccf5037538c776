import type { ServerResponse } from "node:http";
import type { onRequestHookHandler } from "fastify";
import { Refusal, sentence } from "./errors.ts";

/** Bodies up to this many bytes are not counted: connections bound them well enough. */
const SMALL = 16 * 1024;
const reserved = Symbol("bytes");

/** Given to a route that takes bodies up to so many bytes. */
export type BodyGuard = (limit: number) => onRequestHookHandler;

/**
 * Bounds the memory of bodies that are under way: who begins to send a large one when `maxBytes` are taken is told to
 * come back. Space is given back when the answer is sent or the connection lost.
 */
export function boundBodies(maxBytes: number): BodyGuard {
	let taken = 0;
	function release(this: ServerResponse & { [reserved]?: number }): void {
		taken -= this[reserved]!;
	}
	return (limit) => (request, reply, done) => {
		const { headers } = request;
		// Without a length it may grow up to what the route takes.
		const isOpen = headers["transfer-encoding"] !== undefined;
		const length = isOpen ? limit : Number(headers["content-length"] ?? 0);
		if (length <= SMALL) return done();
		const bytes = Math.min(length, limit);
		if (taken + bytes > maxBytes) {
			const seconds = { "retry-after": "1" };
			return done(new Refusal("OVERLOADED", sentence("OVERLOADED"), seconds));
		}
		const response: ServerResponse & { [reserved]?: number } = reply.raw;
		taken += bytes;
		response[reserved] = bytes;
		response.once("close", release);
		done();
	};
}
