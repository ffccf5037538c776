import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { FaultProxy } from "../../support/faultProxy.ts";
import { until } from "../../support/until.ts";

let server: Server;
let proxy: FaultProxy;
/** All that the server ever got, and when. */
let arrived: { text: string; at: number }[];
const clients: Socket[] = [];

beforeEach(async () => {
	arrived = [];
	server = createServer((socket) => {
		socket.on("error", () => {});
		socket.on("data", (bytes) => {
			arrived.push({ text: String(bytes), at: performance.now() });
			socket.write(`<${bytes}>`);
		});
	});
	await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
	proxy = await FaultProxy.start({ host: "127.0.0.1", port: (server.address() as AddressInfo).port });
});

afterEach(async () => {
	for (const client of clients.splice(0)) client.destroy();
	await proxy.stop();
	await new Promise((done) => server.close(done));
});

const LIMIT_MS = 30_000;

class Client {
	readonly socket: Socket;
	got = "";
	/** When the first of it came. */
	heardAt = Number.NaN;
	/** What ended it: "end", "ECONNRESET" ... */
	ended: string | undefined;

	private constructor(socket: Socket) {
		this.socket = socket;
		clients.push(socket);
		socket.on("data", (bytes) => {
			if (this.got === "") this.heardAt = performance.now();
			this.got += bytes;
		});
		socket.on("error", (error: NodeJS.ErrnoException) => {
			this.ended = error.code;
		});
		socket.on("end", () => {
			this.ended ??= "end";
		});
	}

	static async open(): Promise<Client> {
		const client = new Client(connect({ host: proxy.host, port: proxy.port }));
		// A reset may be quicker than the connection.
		await new Promise((resolve) => client.socket.once("connect", resolve).once("close", resolve));
		return client;
	}

	async heard(text: string): Promise<void> {
		await until(`${text} to be heard`, LIMIT_MS, () => this.got === text);
	}
}

const texts = () => arrived.map(({ text }) => text).join("");

test("passes both ways and counts", async () => {
	const client = await Client.open();
	client.socket.write("one");
	await client.heard("<one>");
	expect(proxy.tally).toMatchObject({ connections: 1, toServer: 3, toClient: 5, lostToServer: 0, resets: 0 });
	client.socket.end();
	await until("the connection to end", LIMIT_MS, () => proxy.openConnections === 0);
	expect(client.ended).toBe("end");
});

test("carries more than the sockets hold, in order", async () => {
	const client = await Client.open();
	const text = Array.from({ length: 400_000 }, (_, i) => String(i).padStart(10)).join("");
	client.socket.write(text);
	await until("all to arrive", LIMIT_MS, () => proxy.tally.toServer === text.length);
	await until("all to come back", LIMIT_MS, () => client.got.replaceAll(/[<>]/g, "").length === text.length);
	expect(client.got.replaceAll(/[<>]/g, "") === text).toBe(true);
});

test("cut: what is open and what comes is reset", async () => {
	const before = await Client.open();
	before.socket.write("one");
	await before.heard("<one>");
	proxy.set({ kind: "cut" });
	await until("its end", LIMIT_MS, () => before.ended !== undefined);
	const after = await Client.open();
	await until("its end", LIMIT_MS, () => after.ended !== undefined);
	expect([before.ended, after.ended]).toEqual(["ECONNRESET", "ECONNRESET"]);
	expect(proxy.tally).toMatchObject({ resets: 2, toServer: 3 });
	proxy.heal();
	const healed = await Client.open();
	healed.socket.write("two");
	await healed.heard("<two>");
});

test("blackhole: nothing arrives and nothing is refused; with the end of the fault the connection ends", async () => {
	const client = await Client.open();
	proxy.set({ kind: "blackhole" });
	client.socket.write("one");
	await until("it to be swallowed", LIMIT_MS, () => proxy.tally.lostToServer === 3);
	expect([arrived, client.ended, client.got]).toEqual([[], undefined, ""]);
	proxy.heal();
	await until("the end of a connection with a gap", LIMIT_MS, () => client.ended === "ECONNRESET");
});

test("dropReplies: it lands, and the answer does not come", async () => {
	const client = await Client.open();
	proxy.set({ kind: "dropReplies" });
	client.socket.write("one");
	await until("an answer to be lost", LIMIT_MS, () => proxy.tally.lostToClient === 5);
	expect([texts(), client.got]).toEqual(["one", ""]);
});

test.each([
	["toServerMs", 1],
	["toClientMs", 0],
] as const)("delay: %s is waited out, in order", async (direction, toServer) => {
	const client = await Client.open();
	proxy.set({ kind: "delay", [direction]: 100 });
	const begin = performance.now();
	client.socket.write("one");
	await sleep(30);
	client.socket.write("two");
	await client.heard("<one><two>");
	expect(performance.now() - begin).toBeGreaterThan(120);
	if (toServer) expect(arrived[0]!.at - begin).toBeGreaterThan(95);
	else expect(client.heardAt - arrived[0]!.at).toBeGreaterThan(95);
	expect(proxy.tally.delayed).toBe(toServer ? 6 : 10);
});

test("hold: arrives when it is released, also after its sender has gone, and before what is sent later", async () => {
	const [gone, stays] = [await Client.open(), await Client.open()];
	proxy.set({ kind: "hold" });
	gone.socket.write("one");
	stays.socket.write("two");
	await until("it to be held", LIMIT_MS, () => proxy.tally.held === 6);
	gone.socket.resetAndDestroy();
	await sleep(50);
	proxy.set({ kind: "pass" });
	stays.socket.write("three");
	await sleep(50);
	expect(arrived).toEqual([]);
	expect(proxy.release()).toBe(6);
	await stays.heard("<twothree>");
	await until("the packet of the one that left", LIMIT_MS, () => texts().includes("one"));
	expect(proxy.tally).toMatchObject({ released: 6, toServer: 11, lostToServer: 0 });
	stays.socket.end();
	await until("the connections to end", LIMIT_MS, () => proxy.openConnections === 0);
});
