import { batchRead, batchWrite } from "./batch.ts";
import { deleteData, getData, postData, putData } from "./data.ts";
import type { ErrorCode } from "./errors.ts";
import { admit, divergence, health, listNodes, metricsText, ready, sync } from "./operate.ts";
import * as schemas from "./schemas.ts";
import type { Route, Service } from "./service.ts";

const JSON_OVERHEAD = 16 * 1024;
/** Quotes, backslashes and line ends double; who writes more escapes than that sends bytes with PUT. */
const jsonLimit = ({ maxValueBytes }: Service): number => 2 * maxValueBytes + JSON_OVERHEAD;
const SMALL = 64 * 1024;
/** 1000 keys of 512 bytes, each of them perhaps escaped. */
const KEYS = 2 * 1024 * 1024;

const body: readonly ErrorCode[] = [
	"INVALID_REQUEST",
	"INVALID_JSON",
	"TOO_LARGE",
	"UNSUPPORTED_MEDIA_TYPE",
	"OVERLOADED",
];
const raw = body.filter((code) => code !== "INVALID_JSON");
const stamp: readonly ErrorCode[] = ["STAMP_AHEAD", "STAMP_TOO_OLD"];
const answer = (schema: Route["answers"][number]["schema"], meaning = "Done") => ({ 200: { meaning, schema } });
const written = {
	200: { meaning: "A majority of the registered nodes has it", schema: schemas.writeAnswer },
	503: { meaning: "No majority; to be repeated with the same stamp", schema: schemas.unwrittenAnswer },
};

const data: readonly Route[] = [
	{
		method: "POST",
		url: "/data",
		summary: "Write a value under a key",
		body: schemas.writeBody,
		bodyLimit: jsonLimit,
		answers: written,
		refusals: [...body, "INVALID_KEY", "INVALID_VALUE", ...stamp],
		handle: postData,
	},
	{
		method: "GET",
		url: "/data/:key",
		summary: "Read the newest value under a key; with Accept: application/octet-stream its bytes",
		query: schemas.getQuery,
		answers: answer(schemas.valueAnswer, "The newest value"),
		refusals: ["INVALID_REQUEST", "INVALID_KEY", "NOT_FOUND", "NO_QUORUM"],
		handle: getData,
	},
	{
		method: "PUT",
		url: "/data/:key",
		summary: "Write the body under a key: text/* as text, application/json as JSON, any other type as bytes",
		query: schemas.putQuery,
		raw: true,
		bodyLimit: ({ maxValueBytes }) => maxValueBytes,
		answers: written,
		refusals: [...raw, "INVALID_KEY", "INVALID_VALUE", ...stamp],
		handle: putData,
	},
	{
		method: "DELETE",
		url: "/data/:key",
		summary: "Delete a key, whether or not it is there",
		query: schemas.noQuery,
		raw: true,
		bodyLimit: () => SMALL,
		answers: written,
		refusals: [...raw, "INVALID_KEY", ...stamp],
		handle: deleteData,
	},
	{
		method: "POST",
		url: "/data/batch",
		summary: "Write and delete up to 1000 keys; each on its own",
		body: schemas.batchBody,
		bodyLimit: ({ maxBatchBytes }) => maxBatchBytes,
		answers: {
			200: { meaning: "Every write has its majority", schema: schemas.batchAnswer },
			207: { meaning: "Some have not; each says for itself", schema: schemas.batchAnswer },
		},
		refusals: [...body, "INVALID_KEY", "INVALID_VALUE", ...stamp],
		handle: batchWrite,
	},
	{
		method: "POST",
		url: "/data/read",
		summary: "Read up to 1000 keys",
		body: schemas.readBody,
		bodyLimit: () => KEYS,
		answers: {
			200: { meaning: "Every key was answered, be it with NOT_FOUND", schema: schemas.readAnswer },
			207: { meaning: "Some were not; each says for itself", schema: schemas.readAnswer },
		},
		refusals: [...body, "INVALID_KEY"],
		handle: batchRead,
	},
];

const operation: readonly Route[] = [
	{
		method: "GET",
		url: "/nodes",
		summary: "Registered nodes and their states",
		answers: answer(schemas.nodesAnswer),
		refusals: [],
		handle: listNodes,
	},
	{
		method: "GET",
		url: "/health",
		summary: "Whether reads and writes have a majority, and what is wrong; without a key the status alone",
		public: true,
		answers: {
			200: { meaning: "ok, or degraded", schema: schemas.healthAnswer },
			503: { meaning: "down: no majority", schema: schemas.healthAnswer },
		},
		refusals: [],
		handle: health,
	},
	{
		method: "GET",
		url: "/ready",
		summary: "Whether to send requests here",
		public: true,
		answers: answer(schemas.readyAnswer, "Send them"),
		refusals: ["NOT_READY", "STOPPING"],
		handle: ready,
	},
	{
		method: "GET",
		url: "/metrics",
		summary: "Figures for Prometheus",
		produces: "text/plain",
		answers: answer(schemas.textAnswer, "Prometheus text format"),
		refusals: [],
		handle: metricsText,
	},
	{
		method: "GET",
		url: "/admin/divergence",
		summary: "Compare all nodes now",
		answers: answer(schemas.divergenceAnswer),
		refusals: ["UNAVAILABLE", "REFUSED"],
		handle: divergence,
	},
	{
		method: "POST",
		url: "/admin/sync",
		summary: "Make all nodes equal now; answers when that is done",
		bodyLimit: () => SMALL,
		answers: answer(schemas.syncAnswer),
		refusals: ["UNAVAILABLE", "REFUSED", "INVALID_JSON", "TOO_LARGE", "UNSUPPORTED_MEDIA_TYPE", "OVERLOADED"],
		handle: sync,
	},
	{
		method: "POST",
		url: "/admin/nodes/:node",
		summary: "Decide over a node that is held",
		body: schemas.admitBody,
		bodyLimit: () => SMALL,
		answers: answer(schemas.admitAnswer, "Begun"),
		refusals: [
			"INVALID_REQUEST",
			"INVALID_JSON",
			"TOO_LARGE",
			"UNSUPPORTED_MEDIA_TYPE",
			"OVERLOADED",
			"NO_NODE",
			"NOT_HELD",
			"UNAVAILABLE",
			"REFUSED",
		],
		handle: admit,
	},
	{
		method: "GET",
		url: "/openapi.json",
		summary: "This description",
		answers: answer(schemas.anyAnswer, "OpenAPI 3.1"),
		refusals: [],
		handle: () => (request) => request.server.swagger(),
	},
];

export const routes: readonly Route[] = [...data, ...operation];

/** What every route may answer with. */
export const commonRefusals: readonly ErrorCode[] = ["UNAUTHORIZED", "RATE_LIMITED", "TOO_MANY_FAILURES", "INTERNAL"];
