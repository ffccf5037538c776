import type { FastifyInstance } from "fastify";
import { z } from "zod";
import type { BodyGuard } from "./bodies.ts";
import { type ErrorCode, httpErrors, Refusal } from "./errors.ts";
import { commonRefusals } from "./routes.ts";
import { errorAnswer } from "./schemas.ts";
import type { Route, Service } from "./service.ts";

declare module "fastify" {
	interface FastifyContextConfig {
		public?: boolean;
	}
}

/** A zod schema for readers and serializers that know JSON Schema only. */
export const jsonSchema = (schema: z.ZodType, io: "input" | "output"): Record<string, unknown> => {
	const { $schema, ...rest } = z.toJSONSchema(schema, { target: "draft-7", io, unrepresentable: "any" });
	return rest;
};

/** Answers of a route by status, as JSON schemas: what Fastify writes them with, and what the document says. */
export function responses({ answers, refusals }: Route): Record<string, object> {
	const codes = [...new Set<ErrorCode>([...refusals, ...commonRefusals])];
	const statuses = new Set([...Object.keys(answers).map(Number), ...codes.map((code) => httpErrors[code].status)]);
	return Object.fromEntries(
		[...statuses].map((status) => {
			const answer = answers[status];
			const refused = codes.filter((code) => httpErrors[code].status === status);
			const said = [
				...(answer ? [answer.meaning] : []),
				...refused.map((code) => `${code}: ${httpErrors[code].meaning}`),
			];
			const schemas = [...(answer ? [answer.schema] : []), ...(refused.length > 0 ? [errorAnswer] : [])];
			const schema = schemas.length === 1 ? schemas[0]! : z.union(schemas);
			return [String(status), { ...jsonSchema(schema, "output"), description: said.join("; ") }];
		}),
	);
}

/** What one says of a request that breaks a schema: where, and what is expected there. */
function broken(part: string, { issues }: z.ZodError): Refusal {
	const said = issues.slice(0, 5).map(({ path, message }) => `${[part, ...path].join(".")}: ${message}`);
	return new Refusal("INVALID_REQUEST", `${said.join("; ")}.`);
}

/** Zod checks; an empty query is the same every time. */
function validator(schema: z.ZodType, part: string) {
	const empty = schema.safeParse({});
	return (data: unknown) => {
		if (part === "query" && empty.success && isEmpty(data)) return { value: empty.data };
		const result = schema.safeParse(data);
		return result.success ? { value: result.data } : { error: broken(part, result.error) };
	};
}

function isEmpty(data: unknown): boolean {
	for (const _ in data as object) return false;
	return true;
}

/** Registers one route. */
export function declare(app: FastifyInstance, route: Route, service: Service, bodies: BodyGuard): void {
	const { method, url, query, body } = route;
	const limit = route.bodyLimit?.(service);
	app.route({
		method,
		url,
		schema: {
			...(query && { querystring: query }),
			...(body && { body }),
			response: responses(route),
		},
		validatorCompiler: ({ schema, httpPart }) =>
			validator(schema as unknown as z.ZodType, httpPart === "querystring" ? "query" : httpPart!),
		config: { public: route.public === true },
		...(limit !== undefined && { bodyLimit: limit, onRequest: bodies(limit) }),
		handler: route.handle(service),
	});
}
