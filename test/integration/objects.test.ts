import { gunzipSync } from "node:zlib";
import { MongoClient } from "mongodb";
import { openLedger } from "../../runtime/migrate/ledger.ts";
import { objectTransfer } from "../../runtime/migrate/objects/objectTransfer.ts";
import { retryDeadLetters } from "../../runtime/migrate/retryLetters.ts";
import { type RunOptions, runMigration } from "../../runtime/migrate/run.ts";
import {
	type Expected,
	fill,
	METADATA,
	map,
	newId,
	objectParts,
	objectsDeclaration,
	report,
} from "../support/objectScene.ts";
import { type ReplicaSet, startReplicaSet } from "../support/replicaSet.ts";
import { StorageServer } from "../support/storageServer.ts";

let set: ReplicaSet;
let client: MongoClient;
let server: StorageServer;
const ledger = () => openLedger(client, "holdfast_migrations");

beforeAll(async () => {
	set = await startReplicaSet(1);
	process.env.HOLDFAST_TEST_TARGET = set.uri;
	client = await new MongoClient(set.uri).connect();
});
afterAll(async () => {
	await client.close();
	await set.stop();
});
beforeEach(async () => {
	await client.db("holdfast_migrations").dropDatabase();
	server = await StorageServer.start();
	server.buckets.create("from", "into");
});
afterEach(() => server.stop());

const run = (options: RunOptions = {}, more: Parameters<typeof objectsDeclaration>[1] = {}) =>
	runMigration(objectsDeclaration(server.endpoint, more), options, objectParts);

function contentsOf(name: string): string | undefined {
	const stored = server.buckets.get("into", name);
	return stored && String(stored.resource.contentEncoding === "gzip" ? gunzipSync(stored.bytes) : stored.bytes);
}

function expectCopies(expected: Expected[]): void {
	expect(server.buckets.names("into")).toEqual(
		expected.map(({ to }) => to).sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b))),
	);
	for (const { name, to, contents } of expected) {
		const source = server.buckets.get("from", name)?.resource;
		expect(contentsOf(to)).toBe(contents);
		expect(server.buckets.get("into", to)?.resource).toMatchObject({
			...METADATA,
			...(source?.contentEncoding === "gzip" && { contentEncoding: "gzip" }),
			metadata: {
				...METADATA.metadata,
				"holdfast-source-generation": source?.generation,
				"holdfast-migration": "objects",
			},
		});
	}
}

describe("a migration of objects", () => {
	it("copies, renames and remaps, and finds everything equal a second time", async () => {
		const expected = fill(server.buckets, 40);
		server.buckets.pageSize = 7;
		server.buckets.rewriteBytes = 100;
		const outcome = await run();
		expect(outcome).toMatchObject({ state: "complete", counts: { read: 121, written: 120, skipped: 1 } });
		expectCopies(expected);
		const rounds = server.sent("rewrite");
		expect(rounds.length).toBeGreaterThan(80);
		for (const { query, json } of rounds) {
			expect(query).toMatchObject({ ifGenerationMatch: "0", ifSourceGenerationMatch: expect.stringMatching(/^\d+$/) });
			expect(json).toMatchObject({ ...METADATA, metadata: expect.objectContaining(METADATA.metadata) });
		}
		for (const { query } of server.sent("begin")) expect(query.ifGenerationMatch).toBe("0");

		const again = await run({}, { name: "again" });
		expect(again.counts).toMatchObject({ read: 121, equal: 120, skipped: 1 });
		expectCopies(expected);
	});

	it("goes through while the service is busy and connections break", async () => {
		const expected = fill(server.buckets, 10);
		const faults = [{ status: 503 }, { drop: "after" }, { status: 429 }, { drop: "before" }, { status: 500 }] as const;
		let requests = 0;
		server.fault = () => (++requests % 5 === 0 ? faults[(requests / 5) % faults.length] : undefined);
		const { counts } = await run();
		expect((counts.written ?? 0) + (counts.equal ?? 0)).toBe(30);
		server.fault = () => undefined;
		expectCopies(expected);
	});

	it("leaves what stands in the target and differs, until it is told otherwise", async () => {
		const expected = fill(server.buckets, 3);
		for (const { to } of [expected[0], expected[1]] as Expected[]) server.buckets.put("into", to, "somebody else's");
		await expect(run()).rejects.toThrow("HF_INCOMPLETE");
		expect(contentsOf((expected[0] as Expected).to)).toBe("somebody else's");
		const found = await ledger().conflicts.find().sort({ _id: 1 }).toArray();
		expect(found.map(({ text, target, paths }) => ({ text, target, paths }))).toEqual([
			{
				text: expected[0]?.name,
				target: expected[0]?.to,
				paths: ["size: 200 bytes, 15 in the target", "crc32c", "metadata.holdfast-source-generation"],
			},
			{ text: expected[1]?.name, target: expected[1]?.to, paths: expect.arrayContaining(["crc32c"]) },
		]);
		// The answer to the first overwriting copy is lost.
		const begun = server.sent("rewrite").length;
		server.fault = (request) => (server.sent("rewrite").indexOf(request) === begun + 1 ? { drop: "after" } : undefined);
		const { passed } = await retryDeadLetters(objectsDeclaration(server.endpoint), { overwrite: true }, objectParts);
		expect(passed).toBe(2);
		expect(server.sent("rewrite").length - begun).toBe(3);
		expectCopies(expected);
		expect(await run()).toMatchObject({ state: "complete", counts: { overwritten: 2, conflicts: 0 } });
	});

	it("puts aside what it cannot copy, and goes on", async () => {
		const expected = fill(server.buckets, 2);
		const bad = {
			"v1/datasets/unknown/x": "UNMAPPED_KEY",
			"v1/other": "UNMATCHED",
			[`v1/datasets/d0/${"x".repeat(1000)}`]: "NAME_LENGTH",
			"v1/reports/d50.json": "UNMAPPED",
			"v1/reports/d51.json": "MALFORMED",
			"v1/logs/d50/1": "MALFORMED",
			"v1/logs/d50/2": "ENCODING",
			"v1/reports/d52.json": "NOT_AN_ID",
		};
		for (const name of Object.keys(bad)) server.buckets.put("from", name, report("secret-id"));
		server.buckets.put("from", "v1/reports/d51.json", `${report("d1")}secret-id`);
		server.buckets.put("from", "v1/logs/d50/1", '{"dataset":null}\n{"secret-id');
		server.buckets.put("from", "v1/logs/d50/2", "secret-id", { contentEncoding: "gzip" });
		server.buckets.put("from", "v1/reports/d52.json", '{"dataset":["secret-id"]}');
		await expect(run()).rejects.toThrow("HF_INCOMPLETE");
		expectCopies(expected);
		const letters = await ledger().deadLetters.find().toArray();
		expect(Object.fromEntries(letters.map(({ _id, code }) => [_id.key, code]))).toEqual(bad);
		expect(JSON.stringify(letters)).not.toContain("secret-id");
		expect(letters.find(({ _id }) => _id.key === "v1/logs/d50/1")?.reason).toContain("line 2");
		expect(
			await ledger()
				.collection("objects")
				.countDocuments({ problem: { $exists: true } }),
		).toBe(3);
	});

	it("copies none of two objects that would have one name", async () => {
		server.buckets.put("from", "v1/a/d1/x", "1");
		server.buckets.put("from", "v1/b/d1/x", "2");
		server.buckets.put("from", "v1/b/d2/x", "3");
		const rules = ["a", "b"].map((folder) => ({ match: `${folder}/{Dataset}/*`, to: "{Dataset}/*" }));
		await expect(run({}, { rules })).rejects.toThrow("HF_INCOMPLETE");
		expect(server.buckets.names("into")).toEqual([`v2/${newId("Dataset", "d2")}/x`]);
		expect(await ledger().conflicts.countDocuments({ paths: "another object has the same new name" })).toBe(2);
	});

	it("puts aside what changed since it was listed", async () => {
		const expected = fill(server.buckets, 2);
		const [plain, content] = expected as [Expected, Expected];
		server.fault = (request) => {
			if (server.sent("rewrite").length + server.sent("begin").length === 1 && request.method === "POST") {
				server.buckets.put("from", plain.name, "changed", METADATA);
				server.buckets.delete("from", content.name);
			}
			return undefined;
		};
		await expect(run()).rejects.toThrow("HF_INCOMPLETE");
		const letters = await ledger().deadLetters.find().toArray();
		expect(letters.map(({ code }) => code)).toEqual(["SOURCE_CHANGED", "SOURCE_CHANGED"]);
		expectCopies(expected.slice(2));
	});

	it("makes its manifest anew until it is frozen, and never after", async () => {
		fill(server.buckets, 2);
		const declaration = objectsDeclaration(server.endpoint);
		const transfer = await objectTransfer(declaration, { map, ledger: ledger(), client });
		const partitions = await transfer.split();
		await transfer.close();
		server.buckets.put("from", "v1/datasets/d3/late", "1");
		const { counts } = await run();
		expect(counts.written).toBe(7);
		server.buckets.put("from", "v1/datasets/d3/later", "1");
		expect(await run()).toMatchObject({ already: true });
		const { manifest } = partitions[0]?.range as { manifest: string };
		expect(
			await ledger()
				.collection("objects")
				.countDocuments({ "_id.manifest": manifest } as never),
		).toBe(0);
		expect(await ledger().collection("objects").countDocuments()).toBe(8);
	});

	it("refuses a manifest that was altered", async () => {
		fill(server.buckets, 2);
		server.fault = (request) => (server.sent("rewrite").at(-1) === request ? { status: 401 } : undefined);
		await expect(run()).rejects.toThrow("HF_CREDENTIALS");
		server.fault = () => undefined;
		await ledger()
			.collection("objects")
			.deleteOne({ rule: 3 } as never);
		await expect(run()).rejects.toThrow("HF_DAMAGED");
	});

	it("puts aside an object that the service refuses, and what arrives with other bytes", async () => {
		const expected = fill(server.buckets, 2);
		server.fault = (request) =>
			request.path.includes("datasets/d0") && request.method === "POST" ? { status: 400 } : undefined;
		const stored = server.buckets.get("from", expected[1]?.name as string);
		// Valid JSON still.
		stored?.bytes.write("6", stored.bytes.indexOf("1.50") + 2);
		await expect(run()).rejects.toThrow("HF_INCOMPLETE");
		const letters = await ledger().deadLetters.find().sort({ _id: 1 }).toArray();
		expect(letters.map(({ _id, code }) => [_id.key, code])).toEqual([
			[expected[0]?.name, "REFUSED"],
			[expected[1]?.name, "DAMAGED"],
		]);
		expectCopies(expected.slice(2));
	});

	it("is refused where the target's bucket is missing, or at another service", async () => {
		await expect(run({}, { target: { bucket: "none", endpoint: server.endpoint } })).rejects.toThrow("HF_REJECTED");
		await expect(run({}, { target: { bucket: "into", endpoint: "http://127.0.0.1:1" } })).rejects.toThrow("HF_SETTING");
		expect(await ledger().migrations.countDocuments()).toBe(0);
		fill(server.buckets, 1);
		server.fault = (request) => (server.sent("rewrite").at(-1) === request ? { status: 404 } : undefined);
		await expect(run()).rejects.toThrow("is not there any more");
		expect(await ledger().deadLetters.countDocuments()).toBe(0);
	});

	it("says what it would do without doing it", async () => {
		fill(server.buckets, 3);
		server.buckets.put("from", "v1/other", "x");
		const transfer = await objectTransfer(objectsDeclaration(server.endpoint), { map, ledger: ledger(), client });
		const survey = await transfer.survey();
		await transfer.close();
		expect(survey.groups).toContainEqual({
			name: "datasets/{Dataset}/**",
			target: "d/{Dataset}/files/**",
			items: 3,
			partitions: 1,
		});
		expect(survey.notes).toEqual(
			expect.arrayContaining(["1 objects would be put aside (UNMATCHED)", "1 objects are left out"]),
		);
		expect(await ledger().collection("objects").countDocuments()).toBe(0);
		expect(server.requests.every(({ method }) => method === "GET")).toBe(true);
	});
});
