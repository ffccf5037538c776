import swagger from "@fastify/swagger";
import type { FastifyInstance } from "fastify";
import { jsonSchema, responses } from "./declare.ts";
import { routes } from "./routes.ts";
import type { Route } from "./service.ts";

const RAW = ["application/octet-stream", "application/json", "text/plain"];
const stampHeader = {
	type: "object",
	properties: { "x-stamp": { type: "string", description: "Stamp of the write that this one repeats" } },
};

function parameters(url: string): object | undefined {
	const names = [...url.matchAll(/:(\w+)/g)].map(([, name]) => name!);
	if (names.length === 0) return undefined;
	const properties = Object.fromEntries(names.map((name) => [name, { type: "string" }]));
	return { type: "object", properties, required: names };
}

/** What the document says of a route; zod does the checking, so this is for readers only. */
function described(route: Route): Record<string, unknown> {
	const { summary, query, body, raw, url, method, produces } = route;
	return {
		summary,
		operationId: `${method.toLowerCase()}${url.replaceAll(/\W+(\w)/g, (_, letter: string) => letter.toUpperCase())}`,
		...(route.public && { security: [] }),
		...(query && { querystring: jsonSchema(query, "input") }),
		...(body && { body: jsonSchema(body, "input") }),
		...(raw && method === "PUT" && { body: { type: "string", format: "binary" }, consumes: RAW }),
		...(url === "/data/:key" && method !== "GET" && { headers: stampHeader }),
		...(parameters(url) && { params: parameters(url) }),
		...(produces && { produces: [produces] }),
		response: responses(route),
	};
}

/** The document of /openapi.json, from the same data as the routes. */
export async function document(app: FastifyInstance): Promise<void> {
	await app.register(swagger, {
		openapi: {
			openapi: "3.1.0",
			info: {
				title: "Holdfast Redis manager",
				version: "1",
				description:
					"One REST API over independent Redis nodes. Errors are { error, code }; codes never change meaning.",
			},
			components: { securitySchemes: { key: { type: "apiKey", in: "header", name: "x-api-key" } } },
			security: [{ key: [] }],
		},
		transform: ({ schema, url, route }) => {
			const ours = routes.find((one) => one.url === url && one.method === route.method);
			return { url, schema: ours === undefined ? schema : described(ours) };
		},
	});
}
