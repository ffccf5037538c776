import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { pino } from "pino";
import { HoldfastError } from "../../../runtime/errors.ts";
import { type Served, type ServeOptions, serve } from "../../../runtime/redis/serve.ts";
import { FakeStore } from "../../support/fakeStore.ts";
import { long } from "../../support/long.ts";
import { API_KEY } from "../../support/redisApp.ts";
import { until } from "../../support/until.ts";

jest.setTimeout(long ? 300_000 : 60_000);
const SOCKETS = long ? 10_000 : 200;
const KEYS = [API_KEY];
let store: FakeStore;
let served: Served | undefined;
const sockets = new Set<Socket>();

async function start(options: Partial<ServeOptions> = {}): Promise<Served> {
	store = new FakeStore();
	const log = pino({ level: "silent" });
	served = await serve({ store, log, apiKeys: () => KEYS, host: "127.0.0.1", port: 0, ...options });
	return served;
}
afterEach(async () => {
	for (const socket of sockets) socket.destroy();
	sockets.clear();
	await served?.stop();
	served = undefined;
});

const headers = { "x-api-key": API_KEY };
const get = (path: string) => fetch(served!.url + path, { headers });
const put = (key: string, body: string) => fetch(`${served!.url}/data/${key}`, { method: "PUT", headers, body });

/** Connected, and what came back on it. */
async function open(): Promise<{ socket: Socket; heard: () => string; ended: () => boolean }> {
	const socket = connect({ host: "127.0.0.1", port: served!.port });
	sockets.add(socket);
	let text = "";
	socket.on("data", (chunk) => {
		text += chunk;
	});
	let isEnded = false;
	socket.on("close", () => {
		isEnded = true;
	});
	socket.on("error", () => undefined);
	await once(socket, "connect");
	return { socket, heard: () => text, ended: () => isEnded };
}

async function many(count: number): Promise<Awaited<ReturnType<typeof open>>[]> {
	const all = [];
	while (all.length < count)
		all.push(...(await Promise.all(Array.from({ length: Math.min(100, count - all.length) }, open))));
	return all;
}

const line = (path: string, method = "GET") => `${method} ${path} HTTP/1.1\r\nhost: x\r\nx-api-key: ${API_KEY}\r\n`;

test("it serves on a port of the system's choice, keys and bytes as they come over the wire", async () => {
	await start();
	expect((await put("k", "v")).status).toBe(200);
	expect(await (await get("/data/k")).json()).toMatchObject({ value: "v" });
	const raw = await open();
	raw.socket.write(`${line("/data/%ff/%fe", "PUT").replace("\r\n", "\r\ncontent-length: 1\r\n")}\r\nx`, "latin1");
	await until("an answer", 30_000, () => raw.heard().includes('"success":true'));
	expect([...store.records.keys()]).toContain("\xff/\xfe");
});

test("connections that send nothing, or slowly, are ended; good clients are served meanwhile", async () => {
	await start({ headersTimeoutMs: 1500, requestTimeoutMs: 2500 });
	const half = SOCKETS / 2;
	const silent = await many(half);
	const slow = await many(half);
	for (const { socket } of slow) socket.write("GET /data/k HTTP/1.1\r\nhost: x\r\n");
	const drip = setInterval(() => {
		for (const { socket } of slow) if (!socket.destroyed) socket.write("x-a: b\r\n");
	}, 300);
	const body = await open();
	body.socket.write(`${line("/data/slow", "PUT")}content-length: 100\r\n\r\nabc`);
	try {
		for (let i = 0; i < 10; i++) expect((await put(`k${i}`, "v")).status).toBe(200);
		await until("all of them to be ended", 30_000, () => [...silent, ...slow, body].every(({ ended }) => ended()));
	} finally {
		clearInterval(drip);
	}
	expect(slow[0]!.heard()).toMatch(/^HTTP\/1\.1 408 Request Timeout\r\n[\s\S]*"code":"TIMEOUT"/);
	expect((await get("/data/k1")).status).toBe(200);
	expect(store.records.has("slow")).toBe(false);
});

test("connections that rest too long are ended, and no more than the most are taken", async () => {
	await start({ keepAliveMs: 500, maxConnections: 50 });
	const first = await open();
	first.socket.write(`${line("/health")}\r\n`);
	await until("an answer", 30_000, () => first.heard().includes('"ok"'));
	await until("the end of its rest", 10_000, first.ended);
	const all = await many(60);
	await until("the rest to be closed", 30_000, () => all.filter(({ ended }) => ended()).length >= 10);
	expect(all.filter(({ ended }) => !ended())).toHaveLength(50);
});

test("a client that does not read its answer is ended", async () => {
	await start({ silenceMs: 1000 });
	const size = 2 ** 25;
	const value = { kind: "bytes" as const, payload: Buffer.alloc(size) };
	store.records.set("large", { stamp: "0".repeat(32), write: { key: Buffer.from("large"), value } });
	const lazy = await open();
	lazy.socket.pause();
	lazy.socket.write(`${line("/data/large")}accept: application/octet-stream\r\n\r\n`);
	await sleep(4000);
	lazy.socket.resume();
	await until("its end", 10_000, lazy.ended);
	expect(lazy.heard().length).toBeLessThan(size);
});

test("what is no HTTP is answered in our form, and ended", async () => {
	await start();
	const nonsense = await open();
	nonsense.socket.write("what is this\r\n\r\n");
	const large = await open();
	large.socket.write(`${line("/health")}x-large: ${"x".repeat(20_000)}\r\n\r\n`);
	const both = await open();
	both.socket.write(
		`${line("/data/k", "PUT")}content-length: 3\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n`,
	);
	await until("their ends", 30_000, () => [nonsense, large, both].every(({ ended }) => ended()));
	expect(nonsense.heard()).toMatch(/^HTTP\/1\.1 400 [\s\S]*"code":"INVALID_REQUEST"/);
	expect(large.heard()).toMatch(/^HTTP\/1\.1 431 [\s\S]*"code":"HEADERS_TOO_LARGE"/);
	expect(both.heard()).toMatch(/^HTTP\/1\.1 400 /);
	expect(store.records.size).toBe(0);
});

test("request lines that no URL can be are answered, none with a 500", async () => {
	await start({ failuresPerMinute: 0 });
	const answer = async (line: string): Promise<string> => {
		const one = await open();
		one.socket.end(`${line} HTTP/1.1\r\nhost: x\r\nx-api-key: ${API_KEY}\r\ncontent-length: 0\r\n\r\n`, "latin1");
		await until(`an answer to ${line}`, 30_000, () => one.ended());
		return one.heard().slice(9, 12);
	};
	const put = ["PUT http://other.example/data/absolute", "PUT /data/\\back", "PUT /data/#hash", "PUT /data/%00"];
	for (const line of put) expect([line, await answer(line)]).toEqual([line, "200"]);
	expect([...store.records.keys()]).toEqual(["absolute", "\\back", "#hash", "\0"]);
	const odd = [
		"GET /data/\xc3\x28",
		"GET *",
		"GET //data/k",
		"GET /data",
		"GET /\\",
		"OPTIONS *",
		"GET /data?key=k",
		"TRACE /",
		"GET http://x",
		"POST /%",
	];
	for (const line of odd) expect([line, await answer(line)]).toEqual([line, expect.stringMatching(/^4/)]);
});

test("a body over the limit is refused before it is read, and one without a length while it is", async () => {
	await start({ maxValueBytes: 1000 });
	const told = await open();
	told.socket.write(`${line("/data/k", "PUT")}content-length: 1001\r\n\r\n`);
	await until("an answer", 30_000, () => told.heard().includes("TOO_LARGE"));
	const chunked = await open();
	chunked.socket.write(
		`${line("/data/k", "PUT")}transfer-encoding: chunked\r\n\r\n3e9\r\n${"x".repeat(1001)}\r\n0\r\n\r\n`,
	);
	await until("an answer", 30_000, () => chunked.heard().includes("TOO_LARGE"));
	expect(store.records.size).toBe(0);
});

test("a client that goes away in the middle of a body leaves nothing behind, and its space is given back", async () => {
	await start({ maxPendingBytes: 100_000 });
	for (let i = 0; i < 5; i++) {
		const gone = await open();
		gone.socket.write(`${line("/data/k", "PUT")}content-length: 90000\r\n\r\nabc`);
		await sleep(50);
		gone.socket.destroy();
		await until("its end", 30_000, gone.ended);
	}
	await until("the space", 30_000, async () => (await put("k", "x".repeat(90_000))).status === 200);
});

test("stopping: readiness ends first, requests under way are answered, new connections refused", async () => {
	await start({ stopDelayMs: 300 });
	const kept = await open();
	let go = () => {};
	store.pause = new Promise<void>((resolve) => {
		go = resolve;
	});
	kept.socket.write(`${line("/data/k", "PUT")}content-length: 1\r\n\r\nv`);
	await sleep(100);
	const stopped = served!.stop();
	const ready = await get("/ready");
	expect([ready.status, ((await ready.json()) as { code: string }).code]).toEqual([503, "STOPPING"]);
	await until("no more connections", 30_000, () =>
		get("/ready").then(
			() => false,
			() => true,
		),
	);
	expect(kept.heard()).toBe("");
	go();
	expect(await stopped).toBe(true);
	expect(kept.heard()).toMatch(/^HTTP\/1\.1 200 /);
	expect(store.records.size).toBe(1);
});

test("stopping ends at its deadline, whoever still waits", async () => {
	await start({ drainMs: 300 });
	const kept = await open();
	store.pause = new Promise(() => {});
	kept.socket.write(`${line("/data/k", "PUT")}content-length: 1\r\n\r\nv`);
	await sleep(100);
	expect(await served!.stop()).toBe(false);
	await until("its end", 30_000, kept.ended);
});

test("a port in use is said in a sentence", async () => {
	const other = createServer().listen(0, "127.0.0.1");
	await once(other, "listening");
	const { port } = other.address() as AddressInfo;
	const refused = await start({ port }).catch((error) => error);
	expect(refused).toBeInstanceOf(HoldfastError);
	expect(refused.message).toBe(
		`HF_PORT_IN_USE: another process listens on 127.0.0.1:${port}. Next: stop it, or give another PORT`,
	);
	await expect(start({ host: "192.0.2.1" })).rejects.toThrow("HF_SETTING: HOST: this machine has no address");
	other.close();
});
