import fc from "fast-check";
import { keyOfPath, keyText, routed } from "../../../runtime/redis/http/key.ts";
import { testApp } from "../../support/redisApp.ts";

const encode = (key: Buffer): string => [...key].map((byte) => `%${byte.toString(16).padStart(2, "0")}`).join("");

test("any bytes are a key, however a client escapes them", () => {
	const keys = fc.uint8Array({ minLength: 1, maxLength: 512 });
	fc.assert(
		fc.property(keys, fc.infiniteStream(fc.boolean()), (array, escaped) => {
			const key = Buffer.from(array);
			const text = [...key]
				.map((byte) => {
					// A percent sign, a question mark, and what no request line may hold need their escape.
					const plain = byte > 32 && byte !== 37 && byte !== 63 && byte !== 127 && !escaped.next().value;
					return plain ? String.fromCharCode(byte) : `%${byte.toString(16).padStart(2, "0")}`;
				})
				.join("");
			expect(keyOfPath(text).equals(key)).toBe(true);
		}),
	);
});

test("what is no key is refused by name: empty, too long, a broken escape", () => {
	for (const wrong of ["", "%", "a%4", "%zz", "%+1", "%2", "a".repeat(513), "%00".repeat(513)])
		expect(() => keyOfPath(wrong)).toThrow(expect.objectContaining({ code: "INVALID_KEY" }));
	expect(keyOfPath("%00".repeat(512))).toHaveLength(512);
	expect(keyOfPath("%41%6a%6A+")).toEqual(Buffer.from("Ajj+"));
});

test("routing sees no key: it is cut out of the request line as it came", () => {
	expect(keyText("/data/a/b%2Fc?x=/data/y")).toBe("a/b%2Fc");
	expect(keyText("http://host:1/data/k?q")).toBe("k");
	expect(keyText("/nodes")).toBeUndefined();
	expect(routed({ method: "GET", url: "/data/%FF?consistency=one" })).toBe("/data/:key?consistency=one");
	expect(routed({ method: "POST", url: "/data/read" })).toBe("/data/read");
	expect(routed({ method: "GET", url: "http://host" })).toBe("/");
});

test.each([
	["slashes", "/data/a/b//c", Buffer.from("a/b//c")],
	["an escaped slash", "/data/a%2Fb", Buffer.from("a/b")],
	["unicode", "/data/%D0%BA%D0%BB%D1%8E%D1%87", Buffer.from("ключ")],
	["bytes that are no text", "/data/%FF%FE%00", Buffer.from([255, 254, 0])],
	["the name of a route", "/data/batch", Buffer.from("batch")],
	["the router's own wildcard", "/data/:key", Buffer.from(":key")],
	["a plus", "/data/a+b", Buffer.from("a+b")],
	["512 bytes", `/data/${"k".repeat(512)}`, Buffer.from("k".repeat(512))],
	["512 bytes, escaped", `/data/${"%ff".repeat(512)}`, Buffer.alloc(512, 255)],
])("a key of %s is written, read and deleted", async (_, url, key) => {
	const { ask, store } = await testApp();
	expect((await ask({ method: "PUT", url, payload: "v", headers: { "content-type": "text/plain" } })).status).toBe(200);
	expect([...store.records.keys()]).toEqual([key.toString("latin1")]);
	expect((await ask({ url })).body.value).toBe("v");
	expect((await ask({ method: "DELETE", url })).status).toBe(200);
	expect((await ask({ url })).status).toBe(404);
});

test("a key in JSON and the same key in a path are one key", async () => {
	const { ask } = await testApp();
	await ask({ method: "POST", url: "/data", payload: { key: "a/ключ ?%", value: 1 } });
	expect((await ask({ url: `/data/${encode(Buffer.from("a/ключ ?%"))}` })).body.value).toBe(1);
	const half = await ask({
		method: "POST",
		url: "/data",
		payload: '{"key":"\\ud800","value":1}',
		headers: { "content-type": "application/json" },
	});
	expect([half.status, half.body.code]).toEqual([400, "INVALID_KEY"]);
});

test("no path, query, header or body makes a 500, or an answer that is not documented", async () => {
	const { ask, lines } = await testApp({ failuresPerMinute: 0 });
	const methods = fc.constantFrom("GET" as const, "PUT" as const, "POST" as const, "DELETE" as const, "PATCH" as const);
	// Request lines as Node takes them: visible characters, without what ends the path.
	const path = fc.string({
		unit: fc.mapToConstant({ num: 94, build: (n) => String.fromCharCode(n + 33) }),
		maxLength: 40,
	});
	const starts = fc.constantFrom(
		"/",
		"/data",
		"/data/",
		"/data/batch",
		"/data/read",
		"/admin/nodes/",
		"/admin/",
		"/health",
		"//",
	);
	const queries = fc.constantFrom(
		"",
		"?",
		"?consistency=one",
		"?consistency=two",
		"?ttlSeconds=",
		"?ttlSeconds=-1",
		"?a[__proto__]=1",
		"?expiresAt=1e99",
	);
	const types = fc.constantFrom(
		"application/json",
		"text/plain",
		"application/octet-stream",
		"a/b",
		"nonsense",
		"application/json; charset=latin1",
	);
	const headers = fc.record(
		{ "content-type": types, "x-stamp": fc.constantFrom("f".repeat(32), "0".repeat(32), "x", "") },
		{ requiredKeys: [] },
	);
	const bodies = fc.oneof(
		fc.json(),
		fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
		fc
			.record(
				{ key: fc.anything(), value: fc.jsonValue(), ttlSeconds: fc.anything(), stamp: fc.anything() },
				{ requiredKeys: [] },
			)
			.map(safeJson),
		fc.record({ writes: fc.array(fc.record({ key: fc.string(), delete: fc.boolean() })) }).map(safeJson),
		fc.record({ keys: fc.array(fc.string()) }).map(safeJson),
	);
	const requests = fc.record({ method: methods, start: starts, path, query: queries, headers, payload: bodies });
	await fc.assert(
		fc.asyncProperty(requests, async ({ method, start, path, query, headers, payload }) => {
			// What inject makes of a request line; lines that no URL can be are sent to a socket elsewhere.
			const line = `http://localhost${start}${path}${query}`;
			fc.pre(URL.canParse(line));
			const { pathname, search } = new URL(line);
			const url = pathname + search;
			const bodied = method === "GET" ? {} : { payload };
			const answer = await ask({
				method,
				url,
				headers: headers as Record<string, string>,
				...bodied,
			});
			expect(answer.status).toBeLessThan(500);
			if (answer.status >= 400)
				expect(answer.body).toMatchObject({ error: expect.any(String), code: expect.stringMatching(/^[A-Z_]+$/) });
		}),
		{ numRuns: 1000 },
	);
	expect(lines).toEqual([]);
});

function safeJson(value: unknown): string {
	try {
		return JSON.stringify(value, (_, one) => (typeof one === "bigint" ? String(one) : one)) ?? "null";
	} catch {
		return "{}";
	}
}
