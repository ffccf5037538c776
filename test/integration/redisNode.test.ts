import { setTimeout as sleep } from "node:timers/promises";
import { ADMIN_USER, aclText, NODE_USER } from "../../runtime/redis/aclFile.ts";
import { type NodeOptions, openNode } from "../../runtime/redis/node.ts";
import { largeBytes, pageBytes } from "../../runtime/redis/pageScripts.ts";
import type { RecordPage, RedisNode } from "../../runtime/redis/port.ts";
import { encodeRecord, headerOf } from "../../runtime/redis/record.ts";
import { formatStamp } from "../../runtime/redis/stamp.ts";
import type { Value } from "../../runtime/redis/store.ts";
import { sha256 } from "../../runtime/sha256.ts";
import { type RedisOptions, type RedisServer, removeRedises, startRedis } from "../support/redisServers.ts";

const graceMs = 3_600_000;
const soon = Date.now() + 60_000;
/** Now: a tombstone whose grace is over is dropped at once. */
const start = Date.now();
const stampAt = (ms: number) => formatStamp({ ms: start + ms, counter: 0, nodeId: "00000000000000aa" });
const bytes = (payload: Buffer, expiresAt?: number): Value => ({
	...{ kind: "bytes", payload },
	...(expiresAt !== undefined && { expiresAt }),
});
const text = (words: string, expiresAt?: number) => bytes(Buffer.from(words), expiresAt);
const record = (ms: number, value?: Value) => encodeRecord(stampAt(ms), value);
const named = (name: string) => Buffer.from(name);

const opened: RedisNode[] = [];

async function connected({ host, port }: RedisServer, options: Partial<NodeOptions> = {}): Promise<RedisNode> {
	const node = openNode({ host, port, graceMs, ...options });
	opened.push(node);
	await eventually(() => node.facts());
	return node;
}

async function scene(options: RedisOptions = {}, nodeOptions: Partial<NodeOptions> = {}) {
	const server = await startRedis(options);
	return { server, node: await connected(server, nodeOptions) };
}

/** Tries again until it goes well: a connection comes back by itself, in its own time. */
async function eventually<T>(what: () => Promise<T>): Promise<T> {
	for (let tries = 0; ; tries++) {
		try {
			return await what();
		} catch (error) {
			if (tries === 600) throw error;
			await sleep(50);
		}
	}
}

afterEach(async () => {
	await Promise.all(opened.splice(0).map((node) => node.close()));
	await removeRedises();
});

describe("records", () => {
	it("come back as they went, whatever their keys and bytes", async () => {
		const { node, server } = await scene();
		const all256 = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));
		const long = Buffer.alloc(512, "k");
		const cases = [
			[named("plain"), text("v")],
			[named("empty"), text("")],
			[all256, bytes(all256)],
			[named("a/b ü \0"), text("ü\0")],
			[long, bytes(Buffer.alloc(2 ** 20, all256))],
		] as const;
		await Promise.all(cases.map(([key, value]) => node.store(key, record(1, value))));
		for (const [key, value] of cases) expect((await node.read(key))!.equals(record(1, value))).toBe(true);
		expect((await server.records()).map(({ key }) => key).sort()).toEqual(
			cases.map(([key]) => Buffer.concat([named("d:"), key]).toString("hex")).sort(),
		);
		expect(await node.read(named("absent"))).toBeUndefined();
	});

	it("give way to newer ones only, each for itself in a batch", async () => {
		const { node } = await scene();
		const [older, standing, newer] = [1, 2, 3].map((ms) => record(ms, text(`at ${ms}`)));
		const keys = ["a", "b", "c", "d"].map(named);
		await Promise.all(keys.slice(0, 3).map((key) => node.store(key, standing!)));
		const answers = await Promise.all([
			node.store(keys[0]!, older!),
			node.store(keys[1]!, standing!),
			node.store(keys[2]!, newer!),
			node.store(keys[3]!, older!),
		]);
		expect(answers).toEqual([
			{ stored: false, before: headerOf(standing!) },
			{ stored: true },
			{ stored: true },
			{ stored: true },
		]);
		expect(await Promise.all(keys.map((key) => node.read(key)))).toEqual([standing, standing, newer, older]);
	});

	it("are mended by the same record with a whole payload", async () => {
		const { node, server } = await scene();
		const whole = record(1, text("whole"));
		await server.cli("SET", "d:k", whole.toString().replace("whole", "whale"));
		expect(await node.store(named("k"), whole)).toEqual({ stored: true });
		expect(await node.read(named("k"))).toEqual(whole);
	});

	it("are dropped by Redis only when the grace is over, and not at all when they are overwritten for good", async () => {
		const { node, server } = await scene();
		await node.store(named("brief"), record(1, text("v", soon)));
		await node.store(named("gone"), record(0));
		await node.store(named("kept"), record(1, text("v", soon)));
		await node.store(named("kept"), record(2, text("v")));
		const left = async (key: string) => Number(await server.cli("PTTL", key));
		expect(Math.abs((await left("d:brief")) - (soon + graceMs - Date.now()))).toBeLessThan(60_000);
		expect(Math.abs((await left("d:gone")) - (start + graceMs - Date.now()))).toBeLessThan(60_000);
		expect(await left("d:kept")).toBe(-1);
	});

	it("replace strings that are none, and leave other types alone, without harm to the rest of the batch", async () => {
		const { node, server } = await scene();
		await server.cli("SET", "d:foreign", "z".repeat(60));
		await server.cli("SET", "d:short", "z");
		await server.cli("RPUSH", "d:list", "x");
		const keys = ["foreign", "list", "short", "new"].map(named);
		const answers = await Promise.allSettled(keys.map((key) => node.store(key, record(1, text("v")))));
		expect(answers.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled", "fulfilled"]);
		expect(answers[1]).toMatchObject({ reason: { code: "REFUSED", outcome: "failed" } });
		expect(await Promise.all(keys.map((key) => node.read(key)))).toEqual([
			record(1, text("v")),
			undefined,
			record(1, text("v")),
			record(1, text("v")),
		]);
		expect(await server.cli("TYPE", "d:list")).toBe("list");
	});

	it("of one tick travel in one command each way", async () => {
		const { node, server } = await scene();
		await node.store(named("warm"), record(1, text("v")));
		await server.cli("CONFIG", "RESETSTAT");
		const keys = Array.from({ length: 100 }, (_, at) => named(`k${at}`));
		await Promise.all(keys.map((key) => node.store(key, record(1, text("v")))));
		await Promise.all(keys.map((key) => node.read(key)));
		const stats = await server.cli("INFO", "commandstats");
		expect(stats).toMatch(/cmdstat_evalsha:calls=1,/);
		expect(stats).toMatch(/cmdstat_mget:calls=1,/);
	});
});

describe("a node", () => {
	it("that is full fails writes, and goes on reading", async () => {
		const { node, server } = await scene();
		await node.store(named("before"), record(1, text("v")));
		await server.cli("CONFIG", "SET", "maxmemory", "1");
		const full = { code: "OUT_OF_MEMORY", outcome: "failed" };
		const writes = ["before", "a", "b"].map((key) => node.store(named(key), record(2, text("w"))));
		for (const write of writes) write.catch(() => {});
		for (const write of writes) await expect(write).rejects.toMatchObject(full);
		expect(await node.read(named("before"))).toEqual(record(1, text("v")));
		const page = await node.records("0", 10);
		await server.cli("DEL", "d:before");
		for (const mode of ["fill", "merge"] as const) await expect(node.take(page, mode)).rejects.toMatchObject(full);
		expect(node.isAvailable).toBe(true);
		await server.cli("CONFIG", "SET", "maxmemory", "0");
		expect(await node.take(page, "fill")).toBe(1);
	});

	it("that lost its scripts, even again and again, is not noticed", async () => {
		const { node, server } = await scene();
		const flushes = (async () => {
			for (let flush = 0; flush < 20; flush++) await server.cli("SCRIPT", "FLUSH");
		})();
		let isFlushing = true;
		void flushes.finally(() => {
			isFlushing = false;
		});
		let writes = 0;
		while (isFlushing) expect(await node.store(named(`k${writes++}`), record(1, text("v")))).toEqual({ stored: true });
		await flushes;
		expect(writes).toBeGreaterThan(20);
	});

	it("that is only a copy refuses writes", async () => {
		const { node, server } = await scene();
		await server.cli("REPLICAOF", "127.0.0.1", "1");
		await expect(node.store(named("k"), record(1))).rejects.toMatchObject({ code: "REFUSED", outcome: "failed" });
		await expect(node.writeMark({ phase: "equal", at: 1, runId: "r", members: [] })).rejects.toMatchObject({
			code: "REFUSED",
		});
	});

	it("that restarts serves again, as another run over a new connection", async () => {
		const { node, server } = await scene();
		const before = await node.facts();
		expect(node.connections).toBe(1);
		await server.kill();
		await expect(node.read(named("k"))).rejects.toMatchObject({ code: "UNREACHABLE" });
		await server.start();
		const after = await eventually(() => node.facts());
		expect(after.runId).not.toBe(before.runId);
		// One more where a node that ends accepts a last connection before it closes its port.
		expect(node.connections).toBeGreaterThan(1);
		expect(await node.store(named("k"), record(1))).toEqual({ stored: true });
	});

	it("that is not there fails calls at once, and is found when it comes", async () => {
		const server = await startRedis();
		await server.stop();
		const node = openNode({ host: server.host, port: server.port, connectTimeoutMs: 500, writeTimeoutMs: 500 });
		opened.push(node);
		await expect(node.store(named("k"), record(1))).rejects.toMatchObject({ code: "UNREACHABLE", outcome: "failed" });
		await expect(node.facts()).rejects.toMatchObject({ code: "UNREACHABLE" });
		await server.start();
		expect(await eventually(() => node.facts())).toMatchObject({ hasRecords: false });
	});

	it("that hangs leaves calls unknown, then fails them at once, and comes back", async () => {
		const { node, server } = await scene({}, { writeTimeoutMs: 150, readTimeoutMs: 150 });
		server.pause();
		const first = await Promise.allSettled([node.store(named("k"), record(1)), node.read(named("k"))]);
		for (const call of first) expect(call).toMatchObject({ reason: { code: "TIMEOUT", outcome: "unknown" } });
		while (node.isAvailable) await node.store(named("k"), record(1)).catch(() => {});
		await expect(node.store(named("k"), record(1))).rejects.toMatchObject({ code: "BREAKER_OPEN" });
		await expect(node.records("0", 10)).rejects.toMatchObject({ code: "BREAKER_OPEN" });
		server.resume();
		await eventually(() => node.facts());
		expect(node.isAvailable).toBe(true);
		expect(await node.store(named("k"), record(2))).toEqual({ stored: true });
	});

	it("that hangs holds no more than it may", async () => {
		const limits = { waitingItems: 100, inFlight: 2 };
		const { node, server } = await scene({}, { writeTimeoutMs: 60_000, readTimeoutMs: 60_000, limits });
		server.pause();
		const calls = Array.from({ length: 150 }, (_, at) => node.store(named(`k${at}`), record(1, text("v"))));
		const codes = Promise.allSettled(calls).then((all) =>
			all.map((one) => (one as PromiseRejectedResult).reason?.code),
		);
		await sleep(50);
		server.resume();
		expect((await codes).filter((code) => code === "OVERLOADED")).toHaveLength(50);
		expect(await node.store(named("k"), record(1))).toEqual({ stored: true });
	});

	it("replaces a mark only where it is still the one that was seen", async () => {
		const { node } = await scene();
		const mark = (at: number) => ({ phase: "equal", at, runId: "r", members: [node.name], former: ["a"] }) as const;
		expect(await node.replaceMark(mark(1))).toBe(true);
		const { markText } = await node.facts();
		expect(await node.replaceMark(mark(2))).toBe(false);
		expect(await node.replaceMark(mark(2), markText)).toBe(true);
		expect(await node.replaceMark(mark(3), markText)).toBe(false);
		// A retry of what has landed.
		expect(await node.replaceMark(mark(2), markText)).toBe(true);
		expect((await node.facts()).mark).toEqual(mark(2));
	});

	it("tells of itself", async () => {
		const { node, server } = await scene({ args: ["--maxmemory", "64mb"] });
		const mark = { phase: "equal", at: 5, runId: "r", members: [node.name] } as const;
		await node.writeMark(mark);
		expect(await node.facts()).toEqual({
			...{ runId: expect.stringMatching(/^[0-9a-f]{40}$/), version: expect.stringMatching(/^\d+\.\d+\.\d+$/) },
			...{ mark, markText: JSON.stringify(mark), hasRecords: false, durability: "everysec" },
			...{ clock: expect.any(Number), memory: { used: expect.any(Number), limit: 64 * 2 ** 20 } },
		});
		for (let key = 0; key < 3000; key += 1000)
			await server.cli(
				"EVAL",
				"for i = ARGV[1], ARGV[1] + 999 do redis.call('SET', 'x' .. i, 1) end",
				"0",
				String(key),
			);
		expect((await node.facts()).hasRecords).toBe(false);
		await node.store(named("k"), record(1));
		expect((await node.facts()).hasRecords).toBe(true);
		expect(Math.abs((await node.facts()).clock - Date.now())).toBeLessThan(60_000);
		await server.cli("CONFIG", "SET", "appendonly", "no");
		expect((await node.facts()).durability).toBe("off");
	});

	it("ends what is under way before it closes, and takes nothing more", async () => {
		const { node } = await scene();
		const last = node.store(named("k"), record(1));
		await new Promise((resolve) => setImmediate(resolve));
		await node.close();
		expect(await last).toEqual({ stored: true });
		await expect(node.read(named("k"))).rejects.toMatchObject({ code: "UNREACHABLE", outcome: "failed" });
	});
});

describe("pages", () => {
	const walk = async (node: RedisNode, count: number): Promise<RecordPage[]> => {
		const pages = [await node.records("0", count)];
		while (pages.at(-1)!.cursor !== "0") pages.push(await node.records(pages.at(-1)!.cursor, count));
		return pages;
	};

	async function filled() {
		const { node, server } = await scene();
		const keys = Array.from({ length: 500 }, (_, at) => named(`key ${at} ü`));
		await Promise.all(
			keys.map((key, at) => node.store(key, record(at, text(`value ${at}`, at % 3 ? undefined : soon)))),
		);
		await server.cli("SET", "d:foreign", "nothing of ours");
		await server.cli("RPUSH", "d:list", "x");
		await server.cli("SET", "other", "z".repeat(60));
		return { node, server, keys };
	}

	it("carry all records of a node to another, with their expiry, and nothing else", async () => {
		const { node, server, keys } = await filled();
		const [target] = [await scene()];
		let taken = 0;
		for (const page of await walk(node, 100)) taken += await target.node.take(page, "fill");
		expect(taken).toBe(keys.length);
		await server.cli("DEL", "d:list");
		const ours = (await server.records()).filter(({ value }) => headerOf(Buffer.from(value, "hex")));
		expect(ours).toHaveLength(keys.length);
		expect(await target.server.records()).toEqual(ours);
	});

	it.each(["fill", "merge"] as const)("let only newer records in (%s)", async (mode) => {
		const [from, to] = [await scene(), await scene()];
		for (const [key, there, here] of [
			["newer there", 2, 1],
			["newer here", 1, 2],
			["equal", 1, 1],
			["deleted here", 1, undefined],
		] as const) {
			await from.node.store(named(key), record(there, text("there")));
			await to.node.store(named(key), here ? record(here, text(here === there ? "there" : "here")) : record(9));
		}
		await from.node.store(named("only there"), record(1, text("there")));
		await from.node.store(named("list here"), record(1, text("there")));
		await to.server.cli("RPUSH", "d:list here", "x");
		const [page] = await walk(from.node, 100);
		expect(await to.node.take(page!, mode)).toBe(2);
		expect(await to.node.take(page!, mode)).toBe(0);
		const found = async (key: string) => to.node.read(named(key));
		expect(await found("newer there")).toEqual(record(2, text("there")));
		expect(await found("newer here")).toEqual(record(2, text("here")));
		expect(await found("deleted here")).toEqual(record(9));
		expect(await found("only there")).toEqual(record(1, text("there")));
		expect(await to.server.cli("TYPE", "d:list here")).toBe("list");
	});

	it("name large records apart, and stay bounded; picking them one after the other ends", async () => {
		const { node } = await scene();
		const half = bytes(Buffer.alloc(largeBytes - 1000, 1));
		const count = (2 * pageBytes) / largeBytes;
		for (let key = 0; key < count; key++) await node.store(named(`half ${key}`), record(1, half));
		await node.store(named("large"), record(1, bytes(Buffer.alloc(largeBytes * 20, 2))));
		const page = await node.records("0", 1000);
		expect(page.records.length).toBeLessThan(pageBytes + largeBytes);
		expect(page.count + page.large.length).toBe(count + 1);
		expect(page.large.map(String)).toContain("large");
		const target = (await scene()).node;
		let taken = await target.take(page, "fill");
		let left = page.large;
		while (left.length > 0) {
			const picked = await node.pick(left);
			expect(picked.count).toBeGreaterThan(0);
			taken += await target.take(picked, "merge");
			left = picked.large;
		}
		expect(taken).toBe(count + 1);
		for (const key of ["large", "half 0"].map(named))
			expect((await target.read(key))!.equals((await node.read(key))!)).toBe(true);
	});

	it("leave out what has gone when it is picked", async () => {
		const { node, keys } = await filled();
		const page = await node.pick([named("absent"), keys[1]!, named("list"), named("foreign")]);
		expect(page).toMatchObject({ count: 1, large: [], cursor: "" });
		expect(await node.pick([])).toMatchObject({ count: 0 });
	});

	it("of headers tell what another node lacks", async () => {
		const { node, keys } = await filled();
		const other = (await scene()).node;
		let cursor = "0";
		const entries = [];
		do {
			const page = await node.headers(cursor, 100);
			entries.push(...page.entries);
			cursor = page.cursor;
		} while (cursor !== "0");
		expect(entries.map(({ key }) => String(key)).sort()).toEqual(keys.map(String).sort());
		for (const { key, header } of entries) expect(headerOf((await node.read(key))!)).toBe(header);
		expect(await other.lacking(entries)).toHaveLength(entries.length);
		expect(await node.lacking(entries)).toEqual([]);
		expect(await other.lacking([])).toEqual([]);
		await other.take(await node.pick(keys.slice(0, 300)), "merge");
		await other.store(keys[300]!, record(-1));
		await other.store(keys[301]!, record(10_000));
		const lacking = (await other.lacking(entries)).map(String).sort();
		expect(lacking).toEqual([keys[300]!, ...keys.slice(302)].map(String).sort());
	});

	it("are erased under our prefix only, and without the mark", async () => {
		const { node, server } = await filled();
		await node.writeMark({ phase: "wiping", at: 1, runId: "r", members: [] });
		let cursor = "0";
		do cursor = await node.erase(cursor, 100);
		while (cursor !== "0");
		expect((await server.cli("KEYS", "*")).split("\n").sort()).toEqual(["m:mark", "other"]);
	});
});

describe("a lease", () => {
	it("is held by one token, renewed by it, and given back by it alone", async () => {
		const { node, server } = await scene();
		expect(await node.lease("a", 60_000)).toBe(true);
		expect(await node.lease("b", 60_000)).toBe(false);
		expect(await node.lease("a", 90_000)).toBe(true);
		expect(Number(await server.cli("PTTL", "m:lock"))).toBeGreaterThan(60_000);
		await node.release("b");
		expect(await node.lease("b", 60_000)).toBe(false);
		await node.release("a");
		expect(await node.lease("b", 60_000)).toBe(true);
	});

	it("ends by itself", async () => {
		const { node } = await scene();
		expect(await node.lease("a", 1)).toBe(true);
		await sleep(20);
		expect(await node.lease("b", 1000)).toBe(true);
	});
});

describe("the managers' user", () => {
	const acl = (password: string) => [
		...aclText({ node: [sha256(password)], admin: [sha256("admin")] })
			.trim()
			.split("\n"),
		"user tests on nopass ~* &* +@all",
	];
	const admin = ["--user", "tests", "--pass", "x", "--no-auth-warning"] as const;

	it("may do all that a node is asked for, and a rotated password is taken up", async () => {
		const credentials = { username: NODE_USER, password: "first" };
		const { node, server } = await scene({ acl: acl("first") }, { credentials: () => credentials });
		await node.store(named("k"), record(1, text("v")));
		await node.writeMark({ phase: "equal", at: 1, runId: "r", members: [] });
		expect(await node.facts()).toMatchObject({ hasRecords: true, durability: "everysec" });
		const page = await node.records("0", 10);
		expect(await node.take(page, "fill")).toBe(0);
		expect(await node.lacking((await node.headers("0", 10)).entries)).toEqual([]);
		expect(await node.pick([named("k")])).toMatchObject({ count: 1 });
		expect(await node.lease("a", 1000)).toBe(true);
		await node.release("a");
		await node.erase("0", 10);
		credentials.password = "second";
		await server.cli(...admin, "ACL", "SETUSER", NODE_USER, "resetpass", ">second");
		await server.cli(...admin, "CLIENT", "KILL", "USER", NODE_USER);
		await eventually(() => node.facts());
		expect(await node.store(named("k"), record(2))).toEqual({ stored: true });
	});

	it.each([
		["with another password", { username: NODE_USER, password: "wrong" }],
		["without a name", { password: "first" }],
		["as the administrator", { username: ADMIN_USER, password: "admin" }],
	])("%s is refused, and nothing of it is said", async (_, credentials) => {
		const server = await startRedis({ acl: acl("first") });
		const node = openNode({ host: server.host, port: server.port, credentials: () => credentials });
		opened.push(node);
		const failure = await node.facts().catch((error) => error);
		expect(failure).toMatchObject({ code: "REFUSED", outcome: "failed" });
		expect(failure.message).not.toContain(credentials.password);
	});
});
