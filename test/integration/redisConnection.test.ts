import { setTimeout as sleep } from "node:timers/promises";
import { Connection } from "../../runtime/redis/connection.ts";
import { type Fault, FaultProxy } from "../support/faultProxy.ts";
import { type RedisServer, removeRedises, startRedis } from "../support/redisServers.ts";
import { within } from "../support/within.ts";

let server: RedisServer;
let link: FaultProxy;

beforeEach(async () => {
	server = await startRedis();
	link = await FaultProxy.start(server);
});
afterEach(async () => {
	await link?.stop();
	await removeRedises();
});

const CLOSE_MS = 1000;
const opened = (): Connection =>
	new Connection({
		...{ name: link.name, host: link.host, port: link.port },
		connectTimeoutMs: 2000,
		silenceMs: 10_000,
	});
/** How a command under way ends: nothing tells whether it was executed. */
const LOST = { code: "UNREACHABLE", outcome: "unknown" };

async function asking(fault: Fault): Promise<{ connection: Connection; answer: Promise<unknown> }> {
	const connection = opened();
	await connection.ready(10_000);
	expect(await connection.send(["PING"])).toBeDefined();
	link.set(fault);
	const answer = connection.send(["PING"]).catch((error: unknown) => error);
	await sleep(50);
	return { connection, answer };
}

describe("closing ends", () => {
	const faults: Fault[] = [{ kind: "blackhole" }, { kind: "dropReplies" }, { kind: "hold" }];

	it.each(faults)("while a command is not answered ($kind)", async (fault) => {
		const { connection, answer } = await asking(fault);
		await within("close", 20_000, connection.close(CLOSE_MS));
		expect(await answer).toMatchObject(LOST);
		expect(link.tally.lostToServer + link.tally.lostToClient + link.tally.held).toBeGreaterThan(0);
	});

	it.each(faults)("when the connection breaks while it waits for an answer ($kind)", async (fault) => {
		const { connection, answer } = await asking(fault);
		const closed = connection.close(CLOSE_MS);
		await sleep(50);
		link.set({ kind: "cut" });
		await within("close", 20_000, closed);
		expect(await answer).toMatchObject(LOST);
		expect(link.tally.resets).toBeGreaterThan(0);
	});

	it("when the node ends in order while it waits for an answer", async () => {
		const { connection, answer } = await asking({ kind: "hold" });
		const closed = connection.close(CLOSE_MS);
		await sleep(50);
		await server.stop();
		await within("close", 20_000, closed);
		expect(await answer).toMatchObject(LOST);
	});

	it("before it has connected", async () => {
		link.set({ kind: "blackhole" });
		const connection = opened();
		await sleep(50);
		const closed = connection.close(CLOSE_MS);
		await sleep(50);
		link.set({ kind: "cut" });
		await within("close", 20_000, closed);
	});

	it("while it connects again and again", async () => {
		link.set({ kind: "cut" });
		const connection = opened();
		await sleep(300);
		await within("close", 20_000, connection.close(CLOSE_MS));
		expect(link.tally.resets).toBeGreaterThan(0);
	});
});

test("a second close is none", async () => {
	const connection = opened();
	await connection.ready(10_000);
	await connection.close(CLOSE_MS);
	await connection.close(CLOSE_MS);
	await expect(connection.send(["PING"])).rejects.toMatchObject({ code: "UNREACHABLE", outcome: "failed" });
});
