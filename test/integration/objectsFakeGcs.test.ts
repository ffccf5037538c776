import { openBucket } from "../../runtime/gcs/openBucket.ts";
import { keptOf } from "../../runtime/gcs/resource.ts";
import { runMigration } from "../../runtime/migrate/run.ts";
import { verifyMigration } from "../../runtime/migrate/verify.ts";
import { FakeGcs, hasFakeGcs } from "../support/fakeGcs.ts";
import { fill, objectParts, objectsDeclaration } from "../support/objectScene.ts";
import { type ReplicaSet, startReplicaSet } from "../support/replicaSet.ts";
import { StoredBuckets } from "../support/storedBuckets.ts";

if (!hasFakeGcs) process.stderr.write("skipped: there is no fake-gcs-server for this machine\n");
const those = hasFakeGcs ? describe : describe.skip;

those("a migration of objects at fake-gcs-server", () => {
	let set: ReplicaSet;
	let server: FakeGcs;

	beforeAll(async () => {
		[set, server] = await Promise.all([startReplicaSet(1), FakeGcs.start("from", "into")]);
		process.env.HOLDFAST_TEST_TARGET = set.uri;
	}, 300_000);
	afterAll(async () => {
		await Promise.all([set.stop(), server.stop()]);
	});

	it("copies everything, by what the environment says of the emulator", async () => {
		const buckets = new StoredBuckets();
		buckets.create("from");
		const expected = fill(buckets, 30);
		const from = openBucket({ bucket: "from", endpoint: server.endpoint });
		for (const name of buckets.names("from")) {
			const { resource, bytes } = buckets.get("from", name)!;
			// It has one storage class, and loses custom times in a rewrite.
			const { storageClass: _, customTime: _t, ...info } = keptOf(resource);
			await from.write(name, bytes, info, { ifGenerationMatch: "0" });
		}
		process.env.STORAGE_EMULATOR_HOST = server.endpoint.slice("http://".length);
		const places = { source: { bucket: "from", prefix: "v1/" }, target: { bucket: "into", prefix: "v2/" } };
		const declaration = objectsDeclaration(server.endpoint, places);
		try {
			const { counts } = await runMigration(declaration, {}, objectParts);
			expect(counts).toMatchObject({ read: expected.length + 1, written: expected.length, skipped: 1 });
			const { report } = await verifyMigration(declaration, {}, objectParts);
			expect(report).toMatchObject({ verdict: "equal", groups: [{ equal: expected.length }] });

			const into = openBucket({ bucket: "into" });
			const { to } = expected[0]!;
			await into.write(to, Buffer.from("other"), {}, { ifGenerationMatch: (await into.stat(to))!.generation });
			await into.close();
			const { differences } = (await verifyMigration(declaration, {}, objectParts)).report!;
			expect(differences).toMatchObject([{ target: to, kind: "different" }]);
		} finally {
			delete process.env.STORAGE_EMULATOR_HOST;
			await from.close();
		}
	});
});
