import { randomBytes } from "node:crypto";
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { openBucket } from "../../../runtime/gcs/openBucket.ts";
import { StorageServer } from "../../support/storageServer.ts";

let server: StorageServer;
const bucket = () => openBucket({ bucket: "from", endpoint: server.endpoint }, { firstDelayMs: 1, attempts: 3 });
const whole = {
	contentType: "text/plain; charset=utf-8",
	cacheControl: "no-store",
	contentDisposition: "inline",
	contentEncoding: "gzip",
	contentLanguage: "de",
	storageClass: "NEARLINE",
	customTime: "2020-01-01T00:00:00Z",
	metadata: { "ä key": "value" },
};

beforeEach(async () => {
	server = await StorageServer.start();
	server.buckets.create("from", "to");
});
afterEach(() => server.stop());

/** Faults one after another, for requests of one kind. */
function failing(kind: Parameters<StorageServer["sent"]>[0], ...faults: ReturnType<StorageServer["fault"]>[]) {
	server.fault = (request) => (server.sent(kind).at(-1) === request ? faults.shift() : undefined);
}

describe("a listing", () => {
	it("comes in pages, between offsets, in UTF-8 order", async () => {
		for (const name of ["a", "b/1", "b/ﬀ", "b/💡", "c"]) server.buckets.put("from", name, name);
		server.buckets.pageSize = 2;
		const first = await bucket().list({ prefix: "b/" });
		expect(first.objects.map(({ name }) => name)).toEqual(["b/1", "b/ﬀ"]);
		const second = await bucket().list({ prefix: "b/", pageToken: first.nextPageToken });
		expect(second).toEqual({ objects: [expect.objectContaining({ name: "b/💡", size: 6 })] });
		const between = await bucket().list({ startOffset: "b/1", endOffset: "b/💡" });
		expect(between.objects).toHaveLength(2);
	});

	it("of no bucket is refused", async () => {
		const missing = openBucket({ bucket: "none", endpoint: server.endpoint });
		await expect(missing.list({})).rejects.toThrow("HF_REJECTED: there is no bucket");
	});
});

describe("calls", () => {
	it("are repeated while the service is busy, and no sooner than it says", async () => {
		server.buckets.put("from", "a/ä %", "x", whole);
		failing("stat", { status: 503 }, { status: 429, retryAfter: "1" }, { drop: "before" });
		let busy = 0;
		const began = performance.now();
		const patient = openBucket(
			{ bucket: "from", endpoint: server.endpoint },
			{ firstDelayMs: 1, onBusy: () => busy++ },
		);
		expect(await patient.stat("a/ä %")).toMatchObject({ ...whole, name: "a/ä %", size: 1 });
		expect(server.sent("stat")).toHaveLength(4);
		expect(busy).toBe(2);
		expect(performance.now() - began).toBeGreaterThan(990);
	});

	it("end when it does not pass, and at once when they are refused", async () => {
		server.fault = () => ({ status: 500 });
		await expect(bucket().stat("a")).rejects.toThrow("HF_RETRY");
		expect(server.requests).toHaveLength(4);
		server.fault = () => ({ status: 403 });
		await expect(bucket().stat("a")).rejects.toThrow("HF_CREDENTIALS");
		server.fault = () => ({ status: 400 });
		await expect(bucket().stat("a")).rejects.toThrow("HF_REJECTED");
		expect(server.requests).toHaveLength(6);
	});

	it("carry no credentials to an emulator", async () => {
		expect(await bucket().stat("a")).toBeUndefined();
		expect(server.requests[0]?.headers.authorization).toBeUndefined();
	});
});

describe("a rewrite", () => {
	it("sends its preconditions and all metadata in every round", async () => {
		const { resource } = server.buckets.put("from", "a", Buffer.alloc(1000), whole);
		server.buckets.rewriteBytes = 400;
		const source = { object: "a", generation: resource.generation };
		const info = { ...whole, metadata: { ...whole.metadata, more: "1" } };
		let token: string | undefined;
		let rounds = 0;
		for (;;) {
			const step = await bucket().rewrite(
				source,
				{ bucket: "to", object: "b" },
				info,
				{ ifGenerationMatch: "0" },
				token,
			);
			rounds++;
			if (step === undefined) throw new Error("refused");
			if (step.done) break;
			token = step.token;
			expect(step.written).toBe(rounds * 400);
		}
		expect(rounds).toBe(3);
		for (const { query, json } of server.sent("rewrite")) {
			expect(query).toMatchObject({ ifGenerationMatch: "0", ifSourceGenerationMatch: resource.generation });
			expect(json).toEqual(info);
		}
		expect(server.buckets.get("to", "b")?.resource).toMatchObject(info);
	});

	it("answers undefined where a precondition does not hold", async () => {
		const { resource } = server.buckets.put("from", "a", "1");
		server.buckets.put("to", "b", "2");
		const to = { bucket: "to", object: "b" };
		const source = { object: "a", generation: resource.generation };
		expect(await bucket().rewrite(source, to, whole, { ifGenerationMatch: "0" })).toBeUndefined();
		const other = { object: "a", generation: "1" };
		expect(
			await bucket().rewrite(other, { bucket: "to", object: "c" }, whole, { ifGenerationMatch: "0" }),
		).toBeUndefined();
		expect(server.buckets.names("to")).toEqual(["b"]);
	});
});

describe("a download", () => {
	const bytes = randomBytes(300_000);

	it("goes on at the byte where the connection broke", async () => {
		const { resource } = server.buckets.put("from", "a", bytes, { contentEncoding: "gzip" });
		failing("read", { cut: 100_000 }, { status: 503 }, { cut: 5 }, { drop: "before" });
		const read = await bucket().read("a", { generation: resource.generation });
		expect((await buffer(read)).equals(bytes)).toBe(true);
		const ranges = server.sent("read").map(({ headers }) => headers.range);
		expect(ranges.at(-1)).toMatch(/^bytes=\d+-$/);
		for (const { headers, query } of server.sent("read")) {
			expect(headers["accept-encoding"]).toBe("gzip");
			expect(query.generation).toBe(resource.generation);
		}
	});

	it("ends when no connection brings anything", async () => {
		const { resource } = server.buckets.put("from", "a", bytes);
		server.fault = () => ({ cut: 0 });
		const read = await bucket().read("a", { generation: resource.generation });
		await expect(buffer(read)).rejects.toThrow("HF_RETRY");
		expect(server.sent("read").length).toBeLessThan(10);
	});

	it("begins at a byte, and is empty at the end", async () => {
		const { resource } = server.buckets.put("from", "a", bytes);
		const at = async (start: number) => buffer(await bucket().read("a", { generation: resource.generation, start }));
		expect((await at(299_000)).equals(bytes.subarray(299_000))).toBe(true);
		expect(await at(300_000)).toHaveLength(0);
	});

	it("finds altered bytes", async () => {
		const stored = server.buckets.put("from", "a", bytes);
		stored.bytes[7] = (stored.bytes[7] as number) ^ 1;
		const read = await bucket().read("a", { generation: stored.resource.generation });
		await expect(buffer(read)).rejects.toThrow("HF_DAMAGED");
	});

	it("names a generation that is gone", async () => {
		server.buckets.put("from", "a", bytes);
		await expect(bucket().read("a", { generation: "1" })).rejects.toThrow("not there in the generation");
	});
});

describe("an upload", () => {
	const bytes = randomBytes(20_000_000);
	const pieces = (size: number) =>
		Readable.from(
			Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) => bytes.subarray(i * size, (i + 1) * size)),
		);

	it("goes on with what the service has not got", async () => {
		failing("put", { keep: 1_000_000 }, { status: 503 }, undefined, { drop: "before" }, undefined, undefined, {
			keep: 0,
		});
		const info = await bucket().write("a/b", pieces(700_001), whole, { ifGenerationMatch: "0" });
		expect(server.buckets.get("from", "a/b")?.bytes.equals(bytes)).toBe(true);
		expect(server.buckets.get("from", "a/b")?.resource).toMatchObject(whole);
		expect(info?.size).toBe(bytes.length);
		expect(server.sent("begin")[0]?.query.ifGenerationMatch).toBe("0");
	});

	it("takes the object for written when only the answer was lost", async () => {
		failing("put", { drop: "after" });
		const info = await bucket().write("a", Buffer.from("small"), {}, { ifGenerationMatch: "0" });
		expect(info?.generation).toBe(server.buckets.get("from", "a")?.resource.generation);
	});

	it.each([0, 1, 8 * 2 ** 20, 16 * 2 ** 20, 16 * 2 ** 20 + 1])("writes %d bytes", async (size) => {
		await bucket().write("a", bytes.subarray(0, size), {}, { ifGenerationMatch: "0" });
		expect(server.buckets.get("from", "a")?.bytes.equals(bytes.subarray(0, size))).toBe(true);
	});

	it("answers undefined where there is such an object, before and after the bytes", async () => {
		server.buckets.put("from", "a", "1");
		expect(await bucket().write("a", bytes, {}, { ifGenerationMatch: "0" })).toBeUndefined();
		expect(server.sent("put")).toHaveLength(0);
		server.fault = (request) => {
			if (server.sent("put").at(-1) === request) server.buckets.put("from", "b", "1");
			return undefined;
		};
		expect(await bucket().write("b", Buffer.from("2"), {}, { ifGenerationMatch: "0" })).toBeUndefined();
		expect(String(server.buckets.get("from", "b")?.bytes)).toBe("1");
	});

	it("leaves nothing when its contents fail", async () => {
		const broken = Readable.from(
			(async function* () {
				yield bytes.subarray(0, 9_000_000);
				throw new Error("no more");
			})(),
		);
		await expect(bucket().write("a", broken, {}, { ifGenerationMatch: "0" })).rejects.toThrow("no more");
		expect(server.buckets.names("from")).toEqual([]);
		expect(server.requests.at(-1)?.method).toBe("DELETE");
	});
});
