import type { Socket } from "node:net";
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { Logger } from "pino";
import { defect } from "../serviceLog.ts";
import { type ErrorBody, type ErrorCode, errorBody, httpErrors, Refusal, sentence } from "./errors.ts";
import type { Route } from "./service.ts";

/** What Fastify itself refuses, in our codes. */
const OURS: Readonly<Record<string, ErrorCode>> = {
	FST_ERR_CTP_BODY_TOO_LARGE: "TOO_LARGE",
	FST_ERR_CTP_INVALID_MEDIA_TYPE: "UNSUPPORTED_MEDIA_TYPE",
	FST_ERR_CTP_INVALID_TYPE: "UNSUPPORTED_MEDIA_TYPE",
	FST_ERR_CTP_EMPTY_JSON_BODY: "INVALID_JSON",
	FST_ERR_CTP_INVALID_JSON_BODY: "INVALID_JSON",
	FST_ERR_CTP_INVALID_CONTENT_LENGTH: "INVALID_REQUEST",
};

/** Anything thrown as an answer: what is not known to be harmless is told only as an id to look for in the log. */
function refusalOf(error: FastifyError | Refusal): Refusal | undefined {
	if (error instanceof Refusal) return error;
	const code = OURS[error.code];
	if (code !== undefined) return new Refusal(code, sentence(code));
	// A connection that broke off in the middle of a body.
	return error.statusCode === 400 ? new Refusal("INVALID_REQUEST", sentence("INVALID_REQUEST")) : undefined;
}

export function handleErrors(app: FastifyInstance, log: Logger): void {
	app.setErrorHandler((error: FastifyError | Refusal, request: FastifyRequest, reply: FastifyReply): ErrorBody => {
		const refusal = refusalOf(error);
		if (refusal !== undefined) {
			reply.code(refusal.statusCode).headers(refusal.headers);
			return errorBody(refusal.code, refusal.message);
		}
		const requestId = request.id;
		log.error({ requestId, route: routeName(request), ...defect(error) }, "defect");
		reply.code(httpErrors.INTERNAL.status);
		return errorBody("INTERNAL", sentence("INTERNAL"), { requestId });
	});
}

/** Answers a path that the router cannot decode, before any hook: whoever asks learns nothing by it. */
export function answerUnrouted(_error: FastifyError, _request: FastifyRequest, reply: FastifyReply): void {
	const said = "The path has a % without two hexadecimal digits, or bytes that are no text: correct it.";
	reply.code(httpErrors.INVALID_REQUEST.status).send(errorBody("INVALID_REQUEST", said));
}

export const routeName = (request: FastifyRequest): string => request.routeOptions.url ?? "unknown";

const pattern = (url: string): RegExp =>
	new RegExp(`^${url.replace(/\/data\/:key$/, "/data/.*").replace(/:\w+/g, "[^/]+")}$`, "s");

/** 404 for paths that are not there, 405 with Allow for methods that a path has not. */
export function handleUnknown(app: FastifyInstance, routes: readonly Route[]): void {
	const known = routes.map(({ method, url }) => ({ method, matches: pattern(url) }));
	app.setNotFoundHandler((request) => {
		const path = request.originalUrl.split("?", 1)[0]!;
		const methods = new Set<string>(known.filter(({ matches }) => matches.test(path)).map(({ method }) => method));
		if (methods.size === 0) throw new Refusal("NO_ROUTE", sentence("NO_ROUTE"));
		if (methods.has("GET")) methods.add("HEAD");
		const allow = [...methods].join(", ");
		throw new Refusal("METHOD_NOT_ALLOWED", `This path takes ${allow}.`, { allow });
	});
}

const NO_HTTP =
	"This is no well-formed HTTP request: write bytes of the path outside ASCII as %XX, and see the headers.";
const BROKEN: Readonly<Record<string, ErrorCode>> = {
	HPE_HEADER_OVERFLOW: "HEADERS_TOO_LARGE",
	ERR_HTTP_REQUEST_TIMEOUT: "TIMEOUT",
};
const reasons: Partial<Record<ErrorCode, string>> = {
	HEADERS_TOO_LARGE: "Request Header Fields Too Large",
	TIMEOUT: "Request Timeout",
};

/** Answers what never became a request, and ends its connection. */
export function answerBroken(error: Error & { code?: string }, socket: Socket): void {
	if (error.code === "ECONNRESET" || socket.destroyed) return;
	const code = BROKEN[error.code ?? ""] ?? "INVALID_REQUEST";
	const body = JSON.stringify(errorBody(code, code === "INVALID_REQUEST" ? NO_HTTP : undefined));
	const head = `HTTP/1.1 ${httpErrors[code].status} ${reasons[code] ?? "Bad Request"}\r\nContent-Type: application/json\r\n`;
	if (socket.writable)
		socket.write(`${head}Content-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`);
	socket.destroySoon();
}
