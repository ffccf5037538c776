import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { long } from "../support/long.ts";
import { ManagerProcess } from "../support/managerProcess.ts";
import { API_KEY } from "../support/redisClient.ts";
import { type RedisServer, removeRedises, startRedises } from "../support/redisServers.ts";
import { until } from "../support/until.ts";

jest.setTimeout(long ? 600_000 : 120_000);

const COUNT = long ? 10_000 : 500;
const MEBIBYTE = 1_048_576;
let servers: RedisServer[];
let manager: ManagerProcess;
const sockets = new Set<Socket>();

beforeAll(async () => {
	servers = await startRedises(3);
	manager = await ManagerProcess.start(
		servers.map(({ name }) => name),
		{ HEADERS_TIMEOUT_MS: 3000, REQUEST_TIMEOUT_MS: 5000 },
	);
	await manager.whole(3);
	// Warm: what is compiled and allocated once is not growth.
	await good(2);
});
afterEach(() => {
	for (const socket of sockets) socket.destroy();
	sockets.clear();
});
afterAll(async () => {
	await ManagerProcess.removeAll();
	await removeRedises();
});

/** Opens so many connections, a hundred at a time. */
async function open(count: number): Promise<Socket[]> {
	const opened: Socket[] = [];
	while (opened.length < count) {
		const some = Array.from({ length: Math.min(100, count - opened.length) }, () => {
			// From an address of their own: whoever shows no key too often is refused by address.
			const socket = connect({ host: "127.0.0.1", port: manager.port, localAddress: "127.0.0.2" });
			socket.on("error", () => {});
			sockets.add(socket);
			return socket;
		});
		await Promise.all(some.map((socket) => once(socket, "connect")));
		opened.push(...some);
	}
	return opened;
}

/** Good clients for some seconds: how many were answered, and the slowest answer in milliseconds. */
async function good(seconds: number): Promise<{ answered: number; slowest: number }> {
	const end = Date.now() + seconds * 1000;
	let [answered, slowest] = [0, 0];
	const clients = Array.from({ length: 8 }, async (_, c) => {
		for (let i = 0; Date.now() < end; i++, answered++) {
			const asked = i % 2 === 0 ? manager.client.write(`good ${c}`, i) : manager.client.get(`good ${c}`);
			const { status, ms } = await asked;
			expect(status).toBe(200);
			slowest = Math.max(slowest, ms);
		}
	});
	await Promise.all(clients);
	return { answered, slowest };
}

const report = (label: string, before: number, found: { answered: number; slowest: number }): void => {
	const [from, to] = [before, manager.memory].map((bytes) => (bytes / MEBIBYTE).toFixed(0));
	process.stderr.write(
		`${label}: ${found.answered} good answers, slowest ${found.slowest.toFixed(0)} ms, memory ${from} -> ${to} MiB\n`,
	);
};

test(`slowloris, ${COUNT} connections that send a header a byte at a time: good clients are served, the slow ones ended`, async () => {
	const before = manager.memory;
	const slow = await open(COUNT);
	const ended = () => slow.filter((socket) => socket.destroyed || socket.readableEnded).length;
	for (const socket of slow) {
		socket.resume();
		socket.write("POST /data HTTP/1.1\r\nHost: a\r\n");
	}
	let isOver = false;
	const dripping = (async () => {
		for (; !isOver; await sleep(500)) for (const socket of slow) if (socket.writable) socket.write("X");
	})();
	const found = await good(long ? 10 : 4);
	report("slowloris", before, found);
	expect(found.answered).toBeGreaterThan(20);
	await until("the slow ones to be ended", 30_000, () => ended() === COUNT);
	isOver = true;
	await dripping;
	expect(manager.memory - before).toBeLessThan(64 * MEBIBYTE + COUNT * 32_768);
});

test(`${COUNT} connections that send bodies which never end, without a key: refused, and memory stays bounded`, async () => {
	const before = manager.memory;
	const part = "x".repeat(16_384);
	const flooding = await open(COUNT);
	for (const socket of flooding) {
		socket.resume();
		socket.write("POST /data HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n");
		socket.write(`Content-Length: 1000000\r\n\r\n{"key":"k","value":"${part}`);
	}
	const found = await good(long ? 10 : 3);
	report("endless bodies", before, found);
	expect(found.answered).toBeGreaterThan(20);
	expect(manager.memory - before).toBeLessThan(64 * MEBIBYTE + COUNT * 32_768);
});

test(`${COUNT} idle connections that have been served once: good clients are served, memory is given back`, async () => {
	const before = manager.memory;
	const idle = await open(COUNT);
	let answers = 0;
	for (const socket of idle) {
		socket.on("data", () => {
			answers++;
		});
		socket.write(`GET /nodes HTTP/1.1\r\nHost: a\r\nx-api-key: ${API_KEY}\r\n\r\n`);
	}
	await until("all to be answered", 60_000, () => answers >= COUNT);
	const found = await good(long ? 10 : 3);
	report("idle connections", before, found);
	expect(found.answered).toBeGreaterThan(20);
	expect(manager.memory - before).toBeLessThan(64 * MEBIBYTE + COUNT * 32_768);
	for (const socket of idle) socket.destroy();
	await good(1);
	// Again as many: what a connection took was given back.
	const between = manager.memory;
	await open(COUNT);
	await good(1);
	expect(manager.memory - between).toBeLessThan(64 * MEBIBYTE + COUNT * 16_384);
});
