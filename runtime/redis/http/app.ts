import rateLimit from "@fastify/rate-limit";
import fastify, { type FastifyInstance } from "fastify";
import type { Logger } from "pino";
import { Metrics } from "../metrics.ts";
import type { Store } from "../store.ts";
import { authenticate, KeyRing } from "./auth.ts";
import { boundBodies } from "./bodies.ts";
import { declare } from "./declare.ts";
import { Refusal, sentence } from "./errors.ts";
import { answerBroken, answerUnrouted, handleErrors, handleUnknown, routeName } from "./failures.ts";
import { routed } from "./key.ts";
import { document } from "./openapi.ts";
import { routes } from "./routes.ts";
import type { Service } from "./service.ts";

/** What is written to the log of requests: those that failed for a reason of ours (status 500 and above), all, or none. */
export type AccessLog = "errors" | "all" | "none";

export interface AppOptions {
	store: Store;
	log: Logger;
	/** API keys that are valid at this moment; another array whenever they change. */
	apiKeys(): readonly string[];
	/** Bytes of one value. @default 1048576 */
	maxValueBytes?: number;
	/** Bytes of the body of a batch write, and of the values in the answer to a batch read. @default 16777216 */
	maxBatchBytes?: number;
	/** Bytes of all larger bodies under way at once. @default 268435456 */
	maxPendingBytes?: number;
	/** Milliseconds that a client's stamp may lie in the future. @default 60000 */
	maxSkewMs?: number;
	/** Milliseconds that it may lie in the past. @default 86400000 */
	maxStampAgeMs?: number;
	/** Requests of one API key in a second. 0: any number. @default 0 */
	requestsPerSecond?: number;
	/** Wrong keys that one address may show in a minute. 0: any number. @default 60 */
	failuresPerMinute?: number;
	/** @default errors */
	accessLog?: AccessLog;
	/** Addresses of proxies whose X-Forwarded-For is believed. @default none */
	trustedProxies?: readonly string[];
	/** Milliseconds for the headers of a request. @default 10000 */
	headersTimeoutMs?: number;
	/** Milliseconds for the whole of a request. @default 30000 */
	requestTimeoutMs?: number;
	/** Milliseconds that a connection may stay between two requests. @default 72000 */
	keepAliveMs?: number;
	/** Milliseconds without a byte in either direction. @default 60000 */
	silenceMs?: number;
	/** Connections at once. @default 20000 */
	maxConnections?: number;
	/** Milliseconds since 1970; for tests. @default Date.now */
	now?: () => number;
}

export interface App {
	http: FastifyInstance;
	service: Service;
}

const MEBIBYTE = 1024 * 1024;
const DAY_MS = 86_400_000;
const HEADER_BYTES = 16 * 1024;
/** How often connections are looked through for those that take too long. */
const CHECK_MS = 1000;

function server(options: AppOptions): FastifyInstance {
	const { headersTimeoutMs = 10_000, requestTimeoutMs = 30_000, keepAliveMs = 72_000, silenceMs = 60_000 } = options;
	const app = fastify({
		// Its request log makes a child logger for every request; ours is a hook.
		logger: false,
		rewriteUrl: routed,
		clientErrorHandler: answerBroken,
		frameworkErrors: answerUnrouted,
		genReqId: requestIds(),
		bodyLimit: 64 * 1024,
		// JSON values are data: any name in them is a name.
		onProtoPoisoning: "ignore",
		onConstructorPoisoning: "ignore",
		return503OnClosing: false,
		requestTimeout: requestTimeoutMs,
		keepAliveTimeout: keepAliveMs,
		connectionTimeout: silenceMs,
		trustProxy: options.trustedProxies === undefined ? false : [...options.trustedProxies],
		http: {
			headersTimeout: headersTimeoutMs,
			connectionsCheckingInterval: Math.min(CHECK_MS, headersTimeoutMs),
			maxHeaderSize: HEADER_BYTES,
		},
	});
	app.server.maxConnections = options.maxConnections ?? 20_000;
	return app;
}

/** Ids of requests: of this process, and counting. */
function requestIds(): () => string {
	const prefix = Math.random().toString(36).slice(2, 8);
	let count = 0;
	return () => `${prefix}-${(++count).toString(36)}`;
}

function observe(app: FastifyInstance, { metrics }: Service, log: Logger, access: AccessLog): void {
	app.addHook("onResponse", (request, reply, done) => {
		const status = reply.statusCode;
		metrics.requested(routeName(request), status, reply.elapsedTime);
		if (access === "all" || (access === "errors" && status >= 500)) {
			const fields = { requestId: request.id, route: routeName(request), status, ms: Math.round(reply.elapsedTime) };
			log[status >= 500 ? "warn" : "info"](fields, "request");
		}
		done();
	});
}

/** Of the limiter's headers only Retry-After is sent: the others would cost every answer more than they tell. */
const QUIET = { "x-ratelimit-limit": false, "x-ratelimit-remaining": false, "x-ratelimit-reset": false };

async function guard(app: FastifyInstance, options: AppOptions): Promise<void> {
	const ring = new KeyRing(options.apiKeys);
	const { failuresPerMinute = 60, requestsPerSecond = 0 } = options;
	await app.register(rateLimit, { global: false, addHeaders: QUIET, addHeadersOnExceeding: QUIET });
	authenticate(app, ring, failuresPerMinute);
	if (requestsPerSecond === 0) return;
	const limit = app.rateLimit({
		max: requestsPerSecond,
		timeWindow: 1000,
		keyGenerator: ({ keyIndex, ip }) => (keyIndex < 0 ? ip : ring.label(keyIndex)),
		errorResponseBuilder: () => new Refusal("RATE_LIMITED", sentence("RATE_LIMITED")),
	});
	app.addHook("onRequest", limit);
}

/** The HTTP service over a store, not yet listening. */
export async function buildApp(options: AppOptions): Promise<App> {
	const { store, log, maxValueBytes = MEBIBYTE, maxBatchBytes = 16 * MEBIBYTE } = options;
	const { maxSkewMs = 60_000, maxStampAgeMs = DAY_MS } = options;
	const metrics = new Metrics(store);
	const now = options.now ?? Date.now;
	const stamps = { maxSkewMs, maxStampAgeMs };
	const service: Service = { store, metrics, maxValueBytes, maxBatchBytes, ...stamps, now, stopping: false };
	const http = server(options);
	handleErrors(http, log);
	await document(http);
	await guard(http, options);
	observe(http, service, log, options.accessLog ?? "errors");
	const bodies = boundBodies(options.maxPendingBytes ?? 256 * MEBIBYTE);
	for (const route of routes) if (!route.raw) declare(http, route, service, bodies);
	await http.register(async (raw) => {
		raw.removeAllContentTypeParsers();
		raw.addContentTypeParser("*", { parseAs: "buffer" }, (_request, body, done) => done(null, body));
		for (const route of routes) if (route.raw) declare(raw, route, service, bodies);
	});
	handleUnknown(http, routes);
	await http.ready();
	return { http, service };
}
