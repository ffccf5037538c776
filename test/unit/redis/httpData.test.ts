import { API_KEY, testApp } from "../../support/redisApp.ts";

const JSON_TYPE = { "content-type": "application/json" };

test("the seed's two calls work as its users know them", async () => {
	const { ask } = await testApp();
	const put = await ask({ method: "POST", url: "/data", payload: { key: "myKey", value: "myValue" } });
	expect(put.status).toBe(200);
	expect(put.body).toMatchObject({ success: true, writtenTo: 3, totalNodes: 3 });
	expect(put.body.results[0]).toEqual({ nodeIp: "10.0.0.1", node: "10.0.0.1:6379", success: true, outcome: "ok" });
	const got = await ask({ url: "/data/myKey" });
	expect(got.body).toEqual({ value: "myValue", timestamp: put.body.timestamp, stamp: put.body.stamp });
});

test.each([
	["text"],
	[""],
	[0],
	[false],
	[null],
	[[1, [2]]],
	[{ a: { b: "ü" } }],
	['"\\\u0000\u2028'],
	["\ud800 half"],
])("the JSON value %j comes back as it was", async (value) => {
	const { ask, store } = await testApp();
	expect(
		(await ask({ method: "POST", url: "/data", payload: JSON.stringify({ key: "k", value }), headers: JSON_TYPE }))
			.status,
	).toBe(200);
	expect((await ask({ url: "/data/k" })).body.value).toEqual(value);
	const kind = store.records.get("k")!.write.value!.kind;
	expect(kind).toBe(typeof value === "string" && value.isWellFormed() ? "text" : "json");
});

test("names that JavaScript treats specially are data like any other", async () => {
	const { ask, store } = await testApp();
	const value = '{"__proto__":{"a":1},"constructor":{"prototype":2}}';
	await ask({ method: "POST", url: "/data", payload: `{"key":"k","value":${value}}`, headers: JSON_TYPE });
	expect(store.records.get("k")!.write.value!.payload.toString()).toBe(value);
	expect(({} as { a?: number }).a).toBeUndefined();
});

test("PUT takes bytes, text and JSON by content type, and nothing is lost", async () => {
	const { ask } = await testApp();
	const all = Buffer.from(Array.from({ length: 256 }, (_, i) => i));
	const raw = { accept: "application/octet-stream" };
	for (const type of ["application/octet-stream", "image/png", undefined]) {
		const headers: Record<string, string> = type === undefined ? {} : { "content-type": type };
		expect((await ask({ method: "PUT", url: "/data/b", payload: all, headers })).status).toBe(200);
		expect((await ask({ url: "/data/b" })).body.valueBase64).toBe(all.toString("base64"));
		const bytes = await ask({ url: "/data/b", headers: raw });
		expect(bytes.bytes.equals(all)).toBe(true);
		expect(bytes.headers).toMatchObject({ "content-type": "application/octet-stream" });
		expect(bytes.headers["x-stamp"]).toMatch(/^[0-9a-f]{32}$/);
	}
	await ask({
		method: "PUT",
		url: "/data/t",
		payload: "grüß",
		headers: { "content-type": "text/plain; charset=utf-8" },
	});
	expect((await ask({ url: "/data/t" })).body.value).toBe("grüß");
	const exact = ' {"n": 12345678901234567890123, "n": 1e400} ';
	await ask({ method: "PUT", url: "/data/j", payload: exact, headers: JSON_TYPE });
	expect((await ask({ url: "/data/j", headers: raw })).text).toBe(exact);
	expect((await ask({ url: "/data/j" })).text).toContain(`"value":${exact},`);
});

test("an empty body is an empty value, with and without a content type", async () => {
	const { ask } = await testApp();
	expect((await ask({ method: "PUT", url: "/data/e" })).status).toBe(200);
	expect((await ask({ url: "/data/e" })).body.valueBase64).toBe("");
	expect(
		(await ask({ method: "PUT", url: "/data/e", payload: Buffer.alloc(0), headers: { "content-type": "text/plain" } }))
			.status,
	).toBe(200);
	expect((await ask({ url: "/data/e" })).body.value).toBe("");
});

test("a value of the limit fits, one byte more is 413, in every way to send it", async () => {
	const { ask, store } = await testApp({ maxValueBytes: 1000 });
	const put = (n: number) =>
		ask({ method: "PUT", url: "/data/k", payload: Buffer.alloc(n), headers: { "content-type": "a/b" } });
	const post = (n: number) => ask({ method: "POST", url: "/data", payload: { key: "k", value: "x".repeat(n) } });
	const base64 = (n: number) =>
		ask({ method: "POST", url: "/data", payload: { key: "k", valueBase64: Buffer.alloc(n).toString("base64") } });
	for (const send of [put, post, base64]) {
		expect((await send(1000)).status).toBe(200);
		store.records.clear();
		const refused = await send(1001);
		expect([refused.status, refused.body.code, store.records.size]).toEqual([413, "TOO_LARGE", 0]);
	}
	const bulk = await ask({ method: "POST", url: "/data", payload: { key: "k", value: "x".repeat(100_000) } });
	expect([bulk.status, bulk.body.code]).toEqual([413, "TOO_LARGE"]);
});

test("without a majority a write is 503 with its results and the stamp for the retry", async () => {
	const { ask, store } = await testApp();
	store.answering = 1;
	const failed = await ask({ method: "POST", url: "/data", payload: { key: "k", value: 1 } });
	expect(failed.status).toBe(503);
	expect(failed.body).toMatchObject({ success: false, code: "NO_QUORUM", writtenTo: 1, totalNodes: 3 });
	expect(failed.body.results[2]).toMatchObject({ outcome: "unknown", code: "TIMEOUT", success: false });
	expect(failed.body.error).toBe(
		"1 of 3 nodes took the write (2 more may have), and 2 are needed: repeat it with the same stamp; see /nodes.",
	);
	expect((await ask({ url: "/data/k" })).body).toEqual({
		error: "1 of the 2 nodes needed answered: repeat it, ask with consistency=one, or see /nodes.",
		code: "NO_QUORUM",
	});
	store.answering = 3;
	const { stamp } = failed.body;
	const again = await ask({ method: "POST", url: "/data", payload: { key: "k", value: 1, stamp } });
	expect(again.body).toMatchObject({ success: true, stamp });
	await ask({ method: "PUT", url: "/data/k", payload: "2" });
	const late = await ask({ method: "PUT", url: "/data/k", payload: "1", headers: { "x-stamp": stamp } });
	expect(late.body).toMatchObject({ success: true, superseded: true });
});

test("deleted, expired and absent keys are 404; the first two with the stamp that says so", async () => {
	const { ask } = await testApp();
	expect((await ask({ url: "/data/none" })).body).toMatchObject({ code: "NOT_FOUND" });
	await ask({ method: "POST", url: "/data", payload: { key: "k", value: 1 } });
	const gone = await ask({ method: "DELETE", url: "/data/k" });
	expect(gone.status).toBe(200);
	const missing = await ask({ url: "/data/k" });
	expect([missing.status, missing.body.stamp]).toEqual([404, gone.body.stamp]);
	await ask({ method: "POST", url: "/data", payload: { key: "k", value: 1, expiresAt: Date.now() - 1 } });
	expect((await ask({ url: "/data/k" })).status).toBe(404);
});

test("seconds to live count from now, and of a retry from its stamp", async () => {
	const now = 1_800_000_000_000;
	const { ask } = await testApp({ now: () => now });
	const first = await ask({ method: "PUT", url: "/data/k?ttlSeconds=1.5", payload: "v" });
	expect(first.body.expiresAt).toBe(now + 1500);
	const stamp = `${(now - 700).toString(16).padStart(12, "0")}000000000000000000aa`;
	const again = await ask({ method: "POST", url: "/data", payload: { key: "k2", value: 1, ttlSeconds: 60, stamp } });
	expect(again.body.expiresAt).toBe(now - 700 + 60_000);
	expect((await ask({ method: "PUT", url: "/data/k?ttlSeconds=1&expiresAt=5", payload: "v" })).body.code).toBe(
		"INVALID_REQUEST",
	);
});

test("a stamp further ahead than clocks may differ is 409, whoever sends it", async () => {
	const now = 1_800_000_000_000;
	const { ask, store } = await testApp({ now: () => now, maxSkewMs: 1000 });
	const at = (ms: number) => `${(now + ms).toString(16).padStart(12, "0")}000000000000000000aa`;
	expect((await ask({ method: "POST", url: "/data", payload: { key: "k", value: 1, stamp: at(1000) } })).status).toBe(
		200,
	);
	store.records.clear();
	const stamp = at(1001);
	const refusals = await Promise.all([
		ask({ method: "POST", url: "/data", payload: { key: "k", value: 1, stamp } }),
		ask({ method: "PUT", url: "/data/k", payload: "v", headers: { "x-stamp": stamp } }),
		ask({ method: "DELETE", url: "/data/k", headers: { "x-stamp": stamp } }),
		ask({
			method: "POST",
			url: "/data/batch",
			payload: {
				writes: [
					{ key: "a", value: 1 },
					{ key: "b", delete: true, stamp },
				],
			},
		}),
	]);
	expect(refusals.map(({ status, body }) => [status, body.code])).toEqual(Array(4).fill([409, "STAMP_AHEAD"]));
	expect(store.records.size).toBe(0);
});

test("batches say for each what became of it: 200 when all is well, 207 otherwise", async () => {
	const { ask, store } = await testApp();
	const writes = [
		{ key: "a", value: "A" },
		{ key: "b", valueBase64: "AP8=" },
		{ key: "c", delete: true },
	];
	const put = await ask({ method: "POST", url: "/data/batch", payload: { writes } });
	expect([put.status, put.body.success]).toEqual([200, true]);
	expect(put.body.results.map((one: { key: string }) => one.key)).toEqual(["a", "b", "c"]);
	const got = await ask({ method: "POST", url: "/data/read", payload: { keys: ["a", "b", "c", "d"] } });
	expect(got.status).toBe(200);
	expect(got.body.results).toMatchObject([
		{ key: "a", value: "A" },
		{ key: "b", valueBase64: "AP8=" },
		{ key: "c", code: "NOT_FOUND", stamp: put.body.results[2].stamp },
		{ key: "d", code: "NOT_FOUND" },
	]);
	store.answering = 0;
	const failed = await ask({ method: "POST", url: "/data/batch", payload: { writes } });
	expect([failed.status, failed.body.success, failed.body.results[0].code]).toEqual([207, false, "NO_QUORUM"]);
	const unread = await ask({ method: "POST", url: "/data/read", payload: { keys: ["a"] } });
	expect([unread.status, unread.body.results[0].code]).toEqual([207, "NO_QUORUM"]);
});

test("a batch with one impossible write writes nothing, and names it", async () => {
	const { ask, store } = await testApp();
	for (const wrong of [
		{ key: "", value: 1 },
		{ key: "b" },
		{ key: "b", delete: true, value: 1 },
		{ key: "b", value: 1, valueBase64: "" },
		{ key: "b", value: 1, other: 2 },
	]) {
		const refused = await ask({
			method: "POST",
			url: "/data/batch",
			payload: { writes: [{ key: "a", value: 1 }, wrong] },
		});
		expect([refused.status, store.records.size]).toEqual([400, 0]);
		expect(refused.body.error).toMatch(/^writes\[1\]: |^body\.writes\.1/);
	}
	const many = Array.from({ length: 1001 }, (_, i) => ({ key: `k${i}`, delete: true }));
	expect((await ask({ method: "POST", url: "/data/batch", payload: { writes: many } })).status).toBe(400);
});

test("a batch read ends where its answer grows over the limit", async () => {
	const { ask, store } = await testApp({ maxBatchBytes: 1000 });
	for (const key of ["a", "b", "c"]) await ask({ method: "PUT", url: `/data/${key}`, payload: Buffer.alloc(400) });
	expect((await ask({ method: "POST", url: "/data/read", payload: { keys: ["a", "b"] } })).status).toBe(200);
	const refused = await ask({ method: "POST", url: "/data/read", payload: { keys: ["a", "b", "c"] } });
	expect([refused.status, refused.body.code]).toEqual([413, "TOO_LARGE"]);
	store.records.clear();
	const keys = Array.from({ length: 1000 }, (_, i) => `k${i}`);
	expect((await ask({ method: "POST", url: "/data/read", payload: { keys } })).body.results).toHaveLength(1000);
});

test("a value nested beyond the stack is refused in words, and taken by PUT", async () => {
	const { ask } = await testApp();
	const deep = `${"[".repeat(200_000)}${"]".repeat(200_000)}`;
	const refused = await ask({
		method: "POST",
		url: "/data",
		payload: `{"key":"k","value":${deep}}`,
		headers: JSON_TYPE,
	});
	expect([refused.status, refused.body.code]).toEqual([400, "INVALID_VALUE"]);
	expect((await ask({ method: "PUT", url: "/data/k", payload: deep, headers: JSON_TYPE })).status).toBe(200);
});

test("neither keys nor values nor API keys reach the log, even when everything is logged and fails", async () => {
	const { ask, store, lines } = await testApp({ accessLog: "all" });
	await ask({ method: "POST", url: "/data", payload: { key: "secretkey", value: "secretvalue" } });
	store.failure = new Error("secretvalue in the way of secretkey");
	const failed = await ask({ url: "/data/secretkey" });
	expect([failed.status, failed.body.code]).toEqual([500, "INTERNAL"]);
	expect(failed.text).not.toContain("secret");
	const text = lines.join("");
	expect(text).toContain(failed.body.requestId);
	expect(text).toContain('"route":"/data/:key"');
	for (const hidden of ["secretkey", "secretvalue", API_KEY]) expect(text).not.toContain(hidden);
});
