import { readFileSync } from "node:fs";
import { join } from "node:path";
import { HoldfastError } from "../../../runtime/errors.ts";
import { type ErrorCode, httpErrors } from "../../../runtime/redis/http/errors.ts";
import { commonRefusals, routes } from "../../../runtime/redis/http/routes.ts";
import { rows, section } from "../../support/pages.ts";
import { API_KEY, type Ask, testApp } from "../../support/redisApp.ts";

type Tested = Awaited<ReturnType<typeof testApp>>;
const now = 1_800_000_000_000;
const STAMP_AHEAD = `${(now + 1000).toString(16).padStart(12, "0")}00000000000000000001`;
const JSON_TYPE = { "content-type": "application/json" };
const held = (t: Tested) => {
	t.store.reports = [{ ...t.store.reports[0]!, state: "held" }];
};

function withStamp(one: Ask, stamp: string): Ask {
	if (typeof one.payload !== "object") return { ...one, headers: { "x-stamp": stamp } };
	return { ...one, payload: JSON.parse(JSON.stringify(one.payload).replace(":1", `:1,"stamp":"${stamp}"`)) };
}

/** A request that is served, for each route. */
const good: Record<string, Ask> = {
	"POST /data": { method: "POST", url: "/data", payload: { key: "k", value: 1 } },
	"GET /data/:key": { url: "/data/there" },
	"PUT /data/:key": { method: "PUT", url: "/data/k", payload: "v" },
	"DELETE /data/:key": { method: "DELETE", url: "/data/k" },
	"POST /data/batch": { method: "POST", url: "/data/batch", payload: { writes: [{ key: "k", value: 1 }] } },
	"POST /data/read": { method: "POST", url: "/data/read", payload: { keys: ["k"] } },
	"GET /nodes": { url: "/nodes" },
	"GET /health": { url: "/health" },
	"GET /ready": { url: "/ready" },
	"GET /metrics": { url: "/metrics" },
	"GET /admin/divergence": { url: "/admin/divergence" },
	"POST /admin/sync": { method: "POST", url: "/admin/sync" },
	"POST /admin/nodes/:node": { method: "POST", url: "/admin/nodes/10.0.0.1:6379", payload: { action: "merge" } },
	"GET /openapi.json": { url: "/openapi.json" },
};

/** How each refusal is come by, from a good request. */
const spoiled: Partial<Record<ErrorCode, (one: Ask, t: Tested) => Ask>> = {
	INVALID_REQUEST: (one) =>
		one.payload && typeof one.payload === "object"
			? { ...one, payload: { wrong: 1 } }
			: { ...one, url: `${one.url}?wrong=1` },
	INVALID_JSON: (one) => ({ ...one, payload: "{", headers: JSON_TYPE }),
	INVALID_KEY: (one) => {
		if (typeof one.payload !== "object") return { ...one, url: "/data/%zz" };
		return { ...one, payload: JSON.parse(JSON.stringify(one.payload).replaceAll('"k"', '""')) };
	},
	INVALID_VALUE: (one) =>
		one.method === "PUT"
			? { ...one, payload: "{", headers: JSON_TYPE }
			: {
					...one,
					payload: JSON.stringify(one.payload).replace(":1", `:${"[".repeat(50_000)}${"]".repeat(50_000)}`),
					headers: JSON_TYPE,
				},
	UNAUTHORIZED: (one) => ({ ...one, key: "wrong" }),
	NOT_FOUND: (one) => ({ ...one, url: "/data/none" }),
	NO_NODE: (one) => ({ ...one, url: "/admin/nodes/10.9.9.9:1" }),
	STAMP_AHEAD: (one) => withStamp(one, STAMP_AHEAD),
	STAMP_TOO_OLD: (one) => withStamp(one, "0".repeat(32)),
	NOT_HELD: (one, { store }) => {
		store.reports = [{ ...store.reports[0]!, state: "ready" }];
		return one;
	},
	REFUSED: (one, { store }) => {
		store.failure = new HoldfastError("HF_LOCKED", "another manager is at it");
		return one;
	},
	UNAVAILABLE: (one, { store }) => {
		store.failure = new HoldfastError("HF_UNREACHABLE", "only one node answers");
		return one;
	},
	TOO_LARGE: (one) => ({ ...one, payload: " ".repeat(3_000_000), headers: JSON_TYPE }),
	UNSUPPORTED_MEDIA_TYPE: (one) => {
		const wrong: Record<string, string> =
			one.method === "PUT"
				? { "content-encoding": "gzip" }
				: { "content-type": one.method === "DELETE" ? "nonsense" : "a/b" };
		return { ...one, payload: "x", headers: wrong };
	},
	RATE_LIMITED: (one) => one,
	TOO_MANY_FAILURES: (one) => one,
	INTERNAL: (one, { store }) => {
		store.failure = new Error("inside");
		store.nodes = store.health = () => {
			throw store.failure;
		};
		return one;
	},
	NO_QUORUM: (one, { store }) => {
		store.answering = 1;
		return one;
	},
	NOT_READY: (one, { store }) => {
		store.status = "down";
		return one;
	},
	STOPPING: (one, { service }) => {
		service.stopping = true;
		return one;
	},
	OVERLOADED: (one) => ({ ...one, payload: Buffer.alloc(40_000, " "), headers: JSON_TYPE }),
};

/** Options without which a refusal never comes. */
const settings: Partial<Record<ErrorCode, object>> = {
	RATE_LIMITED: { requestsPerSecond: 1 },
	TOO_MANY_FAILURES: { failuresPerMinute: 1 },
	OVERLOADED: { maxPendingBytes: 20_000 },
	TOO_LARGE: { maxBatchBytes: 1_000_000 },
};

async function prepared(options: object = {}): Promise<Tested> {
	const tested = await testApp({ now: () => now, maxSkewMs: 100, ...options });
	await tested.ask({ method: "PUT", url: "/data/there", payload: "v" });
	held(tested);
	return tested;
}

const name = ({ method, url }: { method: string; url: string }) => `${method} ${url}`;
const documented = routes.flatMap((route) =>
	[...new Set([...route.refusals, ...commonRefusals])].map((code): [string, ErrorCode] => [name(route), code]),
);
/** What cannot be come by: what these two answer is kept, or made without the store. */
const unreachable = (route: string, code: ErrorCode) => code === "INTERNAL" && route === "GET /openapi.json";

test.each(
	documented.filter(([route, code]) => !unreachable(route, code)),
)("%s answers %s as documented", async (route, code) => {
	const tested = await prepared(settings[code]);
	const one = spoiled[code]!(good[route]!, tested);
	if (code === "RATE_LIMITED") await Promise.all([tested.ask(one), tested.ask(one), tested.ask(one)]);
	if (code === "TOO_MANY_FAILURES") for (let i = 0; i < 2; i++) await tested.ask({ ...one, key: "wrong" });
	const answer = await tested.ask(one);
	expect({ status: answer.status, code: answer.body.code }).toEqual({ status: httpErrors[code].status, code });
	expect(answer.body.error).toMatch(/^\S.*[.:]/);
	if (answer.status === 429 || code === "OVERLOADED") expect(Number(answer.headers["retry-after"])).toBeGreaterThan(0);
});

test.each(
	routes.map((route) => [name(route), route] as const),
)("%s answers every success that it documents", async (route, { answers }) => {
	for (const status of Object.keys(answers).map(Number)) {
		const tested = await prepared();
		if (status === 207 || status === 503) tested.store.answering = 1;
		if (status === 503) tested.store.status = "down";
		expect((await tested.ask(good[route]!)).status).toBe(status);
	}
});

test("no code exists that no route or connection answers with", () => {
	const answered = new Set<string>(documented.map(([, code]) => code));
	const elsewhere = ["NO_ROUTE", "METHOD_NOT_ALLOWED", "TIMEOUT", "HEADERS_TOO_LARGE"];
	expect(
		Object.keys(httpErrors)
			.filter((code) => !answered.has(code))
			.sort(),
	).toEqual(elsewhere.sort());
});

test("the OpenAPI document has every route, every status and every code, and no others", async () => {
	const { ask } = await testApp();
	const { paths, openapi } = (await ask({ url: "/openapi.json" })).body;
	expect(openapi).toBe("3.1.0");
	const found = Object.entries<Record<string, { responses: Record<string, { description: string }> }>>(paths).flatMap(
		([path, item]) =>
			Object.entries(item).map(([method, { responses }]) => {
				const url = path.replaceAll(/\{(\w+)\}/g, ":$1");
				const codes = Object.values(responses).flatMap(({ description }) =>
					[...description.matchAll(/\b([A-Z_]{5,}): /g)].map(([, code]) => code!),
				);
				return [`${method.toUpperCase()} ${url}`, Object.keys(responses).sort(), codes.sort()];
			}),
	);
	const wanted = routes.map((route) => {
		const codes = [...new Set([...route.refusals, ...commonRefusals])];
		const statuses = new Set([...Object.keys(route.answers), ...codes.map((code) => String(httpErrors[code].status))]);
		return [name(route), [...statuses].sort(), [...codes].sort()];
	});
	expect(found.sort()).toEqual(wanted.sort());
	expect(paths["/data"].post.requestBody.content["application/json"].schema.required).toEqual(["key"]);
	expect(paths["/data/{key}"].get.parameters.map((one: { name: string }) => one.name).sort()).toEqual([
		"consistency",
		"key",
	]);
	expect(paths["/health"].get.security).toEqual([]);
});

test("the app serves the routes that are declared, and no others", async () => {
	const { http } = await testApp();
	const served = [...http.printRoutes({ commonPrefix: false }).matchAll(/\((.*?)\)/g)].flatMap(([, methods]) =>
		methods!.split(", "),
	);
	expect(served.filter((method) => method !== "HEAD")).toHaveLength(routes.length);
});

test("unknown paths are 404, known paths with other methods 405 with Allow", async () => {
	const { ask } = await testApp();
	for (const url of ["/", "/nope", "/data", "/admin/nodes"]) {
		const answer = await ask({ url });
		expect([url, answer.status, answer.body.code]).toEqual(
			url === "/data" ? [url, 405, "METHOD_NOT_ALLOWED"] : [url, 404, "NO_ROUTE"],
		);
	}
	const allowed = async (one: Ask) => {
		const { status, headers } = await ask(one);
		return [status, headers.allow];
	};
	expect(await allowed({ method: "PATCH", url: "/data/k/l" })).toEqual([405, "GET, PUT, DELETE, HEAD"]);
	expect(await allowed({ method: "POST", url: "/data/k" })).toEqual([405, "GET, PUT, DELETE, HEAD"]);
	expect(await allowed({ method: "DELETE", url: "/nodes" })).toEqual([405, "GET, HEAD"]);
	expect((await ask({ url: "/nope", key: null })).status).toBe(401);
});

test("a path that cannot be decoded is 400 in our form", async () => {
	const { ask } = await testApp();
	for (const url of ["/%", "/admin/nodes/%ff"]) {
		const answer = await ask({ method: "POST", url, payload: {} });
		expect([answer.status, answer.body.code]).toEqual([400, "INVALID_REQUEST"]);
	}
});

test("HEAD answers as GET does, without a body", async () => {
	const { ask } = await prepared();
	const head = await ask({ method: "HEAD", url: "/data/there" });
	expect([head.status, head.text]).toEqual([200, ""]);
	expect((await ask({ method: "HEAD", url: "/data/none" })).status).toBe(404);
});

test("health and readiness say little without a key, and the truth with one", async () => {
	const { ask, store } = await testApp();
	expect((await ask({ url: "/health", key: null })).body).toEqual({ status: "ok" });
	expect((await ask({ url: "/health" })).body).toMatchObject({
		registered: 3,
		needed: 2,
		durability: "an fsync every second",
	});
	expect((await ask({ url: "/health", key: "wrong" })).status).toBe(401);
	expect((await ask({ url: "/ready", key: null })).body).toEqual({ ready: true });
	store.status = "degraded";
	expect((await ask({ url: "/health", key: null })).status).toBe(200);
	expect((await ask({ url: "/ready", key: null })).status).toBe(200);
});

test("an operator's decision reaches the node that is held", async () => {
	const tested = await prepared();
	expect((await tested.ask(good["POST /admin/nodes/:node"]!)).body).toEqual({
		node: "10.0.0.1:6379",
		action: "merge",
		accepted: true,
	});
	expect(tested.store.admitted).toEqual([["10.0.0.1:6379", "merge"]]);
});

test("what the manager refuses is said in its words, without its code", async () => {
	const { ask, store } = await testApp();
	const refused = await ask(good["POST /admin/nodes/:node"]!);
	expect(refused.body).toEqual({
		error: "10.0.0.1:6379 is not a node that is held. Next: see GET /nodes.",
		code: "NOT_HELD",
	});
	expect(store.admitted).toEqual([]);
});

test("metrics name routes, statuses and nodes, never keys", async () => {
	const { ask } = await prepared();
	await ask({ url: "/data/some-secret-key" });
	const { text } = await ask({ url: "/metrics" });
	expect(text).toContain('holdfast_redis_request_seconds_count{route="/data/:key",status="404"} 1');
	expect(text).toContain('holdfast_redis_node_writes_total{node="10.0.0.1:6379",result="ok"} 1');
	expect(text).toContain('holdfast_redis_node_state{node="10.0.0.1:6379",state="held"} 1');
	expect(text).toContain("nodejs_eventloop_lag");
	expect(text).toContain('holdfast_redis_repairs_total{result="done"} 2');
	expect(text).toContain('holdfast_redis_rounds_total{result="failed"} 11');
	for (const hidden of ["some-secret-key", "there", API_KEY]) expect(text).not.toContain(hidden);
	expect((await ask({ url: "/metrics" })).text).toContain(
		'holdfast_redis_node_writes_total{node="10.0.0.1:6379",result="ok"} 1',
	);
});

test("docs/redis-api.md lists every route and every code, and no others", () => {
	const page = readFileSync(join(__dirname, "../../../docs/redis-api.md"), "utf8");
	const firsts = (text: string, first: string) => rows(text, first).map(([cell]) => cell);
	expect(firsts(page, "Route").sort()).toEqual(routes.map(name).sort());
	const codes = rows(section(page, "## Errors"), "Code").map(([code, status]) => [code, Number(status)]);
	expect(codes).toEqual(Object.entries(httpErrors).map(([code, { status }]) => [code, status]));
});
