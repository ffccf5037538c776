import { hash, timingSafeEqual } from "node:crypto";
import rateLimit from "@fastify/rate-limit";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { Refusal, sentence } from "./errors.ts";

declare module "fastify" {
	interface FastifyRequest {
		/** Place of the API key that the request showed; -1 without one. */
		keyIndex: number;
	}
}

const WINDOW_MS = 60_000;
const BEARER = "Bearer ";
const digest = (text: string): Buffer => hash("sha256", text, "buffer");

/**
 * Finds a key among the valid ones in a time that tells nothing about them: digests are compared, in constant time, and
 * always all of them.
 */
export class KeyRing {
	readonly #keys: () => readonly string[];
	#known: readonly string[] = [];
	#digests: readonly Buffer[] = [];

	constructor(keys: () => readonly string[]) {
		this.#keys = keys;
	}

	/** Place of the key among the valid ones; -1 if it is none. */
	find(shown: string): number {
		const keys = this.#keys();
		if (keys !== this.#known) {
			this.#known = keys;
			this.#digests = keys.map(digest);
		}
		const given = digest(shown);
		let found = -1;
		for (let i = 0; i < this.#digests.length; i++) if (timingSafeEqual(this.#digests[i]!, given)) found = i;
		return found;
	}

	/** Names a key where its text must not stand. */
	label(index: number): string {
		return this.#digests[index]?.toString("base64") ?? "";
	}
}

/** An address as it is counted: of IPv6 the network that one host is given; none where the connection has gone. */
const addressOf = ({ ip }: FastifyRequest): string => (ip === undefined ? "" : rateLimit.normalizeIP(ip, 64));

/** The key that a request shows, in our header or in the common one. */
function shownKey({ headers }: FastifyRequest): string | undefined {
	const own = headers["x-api-key"];
	if (own !== undefined) return own as string;
	const { authorization } = headers;
	return authorization?.startsWith(BEARER) ? authorization.slice(BEARER.length) : undefined;
}

/**
 * Refuses whoever shows no valid key, and unheard those addresses that showed more than `failuresPerMinute` wrong ones
 * (0: any number).
 */
export function authenticate(app: FastifyInstance, ring: KeyRing, failuresPerMinute: number): void {
	const count = app.createRateLimit({ max: failuresPerMinute, timeWindow: WINDOW_MS, keyGenerator: addressOf });
	// Until then some address may be refused; nobody is looked up before anybody failed too often.
	let refusingUntil = 0;
	const admitted = (request: FastifyRequest, shown: string | undefined): boolean => {
		request.keyIndex = shown === undefined ? -1 : ring.find(shown);
		return request.keyIndex >= 0;
	};
	const judge = async (request: FastifyRequest, shown: string | undefined): Promise<void> => {
		refuseFull(await count(request, { increment: false }));
		if (admitted(request, shown)) return;
		if (failuresPerMinute === 0) throw new Refusal("UNAUTHORIZED", sentence("UNAUTHORIZED"));
		const counted = await count(request);
		if (!isFull(counted)) throw new Refusal("UNAUTHORIZED", sentence("UNAUTHORIZED"));
		refusingUntil = Date.now() + WINDOW_MS;
		refuseFull(counted);
	};
	app.decorateRequest("keyIndex", -1);
	app.addHook("onRequest", (request: FastifyRequest, _reply: FastifyReply, done) => {
		const shown = shownKey(request);
		if (shown === undefined && request.routeOptions.config.public === true) done();
		else if (Date.now() >= refusingUntil && admitted(request, shown)) done();
		else judge(request, shown).then(() => done(), done);
	});
}

type Counted = Awaited<ReturnType<ReturnType<FastifyInstance["createRateLimit"]>>>;

const isFull = (counted: Counted): boolean => !counted.isAllowed && counted.isExceeded;

function refuseFull(counted: Counted): void {
	if (counted.isAllowed || !counted.isExceeded) return;
	const seconds = String(Math.max(1, counted.ttlInSeconds));
	throw new Refusal("TOO_MANY_FAILURES", sentence("TOO_MANY_FAILURES"), { "retry-after": seconds });
}
