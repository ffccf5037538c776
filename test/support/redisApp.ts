import { pino } from "pino";
import type { z } from "zod";
import { type App, type AppOptions, buildApp } from "../../runtime/redis/http/app.ts";
import { httpErrors } from "../../runtime/redis/http/errors.ts";
import { commonRefusals, routes } from "../../runtime/redis/http/routes.ts";
import { errorAnswer } from "../../runtime/redis/http/schemas.ts";
import { FakeStore } from "./fakeStore.ts";

export const API_KEY = "a-key-of-the-tests";

export interface Ask {
	method?: "GET" | "PUT" | "POST" | "DELETE" | "HEAD" | "PATCH";
	url: string;
	headers?: Record<string, string>;
	payload?: string | Buffer | object;
	/** @default that of the tests; null: none */
	key?: string | null;
	from?: string;
}

export interface Answer {
	status: number;
	headers: Record<string, unknown>;
	text: string;
	bytes: Buffer;
	// biome-ignore lint/suspicious/noExplicitAny: bodies are checked against the documented schema already.
	body: any;
}

/** The service over a fake store, and what it wrote to its log. Every answer is checked against what is documented. */
export async function testApp(options: Partial<AppOptions> = {}) {
	const store = new FakeStore();
	const lines: string[] = [];
	const log = pino({ level: "trace" }, { write: (line: string) => void lines.push(line) });
	const app = await buildApp({ store, log, apiKeys: () => KEYS, ...options });
	const seen = new Set<string>();
	const ask = async (one: Ask): Promise<Answer> => {
		const answer = await inject(app, one);
		seen.add(documented(one, answer));
		return answer;
	};
	return { store, lines, app, http: app.http, service: app.service, ask, seen };
}
const KEYS = [API_KEY];

async function inject(
	{ http }: App,
	{ method = "GET", url, headers, payload, key = API_KEY, from }: Ask,
): Promise<Answer> {
	const answer = await http.inject({
		method,
		url,
		headers: { ...(key !== null && { "x-api-key": key }), ...headers },
		payload,
		remoteAddress: from ?? "127.0.0.1",
	});
	const isJson = String(answer.headers["content-type"]).startsWith("application/json") && method !== "HEAD";
	return {
		status: answer.statusCode,
		headers: answer.headers,
		text: answer.body,
		bytes: answer.rawPayload,
		body: isJson ? JSON.parse(answer.body) : undefined,
	};
}

/** The route of a request, as it is declared. */
export function routeOf({ method = "GET", url }: Ask) {
	const path = url.split("?", 1)[0]!;
	const matches = (pattern: string) =>
		new RegExp(`^${pattern.replace("/data/:key", "/data/.*").replace(/:\w+/, "[^/]+")}$`, "s").test(path);
	return routes.find((route) => route.method === method && matches(route.url));
}

/** Throws unless the answer is one of those that the route documents; "METHOD url status" of it. */
function documented(one: Ask, { status, body, text }: Answer): string {
	const route = routeOf(one);
	if (route === undefined) return `none ${status}`;
	const name = `${route.method} ${route.url} ${status}`;
	const answer = route.answers[status];
	const codes = [...route.refusals, ...commonRefusals].filter((code) => httpErrors[code].status === status);
	const isError = body?.code !== undefined && !(answer && "success" in body);
	if (!isError && answer === undefined) throw new Error(`${name} is not documented: ${text}`);
	if (isError && !codes.includes(body.code)) throw new Error(`${name} ${body.code} is not documented`);
	if (body !== undefined) strict(isError ? errorAnswer : answer!.schema, body, name);
	return name;
}

function strict(schema: z.ZodType, body: unknown, name: string): void {
	const parsed = schema.safeParse(body);
	if (!parsed.success) throw new Error(`${name}: ${parsed.error.message}`);
	// Objects drop what they do not know: an answer that has more than is documented differs here.
	expect({ name, body }).toEqual({ name, body: parsed.data });
}
