import { createHash } from "node:crypto";
import { MongoClient } from "mongodb";
import { type ReplicaSet, startReplicaSet } from "./replicaSet.ts";

/** A replica set for the tests of one file, empty before each. */
export class TestTarget {
	set!: ReplicaSet;
	client!: MongoClient;

	async start(members: 1 | 3): Promise<void> {
		this.set = await startReplicaSet(members);
		process.env.HOLDFAST_TEST_TARGET = this.set.uri;
		this.client = await new MongoClient(this.set.uri, { writeConcern: { w: "majority" } }).connect();
	}

	async stop(): Promise<void> {
		await this.client?.close();
		await this.set?.stop();
	}

	/** Drops the data and the ledger. */
	async empty(): Promise<void> {
		for (const name of ["moved", "holdfast_migrations"]) await this.client.db(name).dropDatabase();
	}

	/** Collection -> number of documents and SHA-256 over their bytes in the order of `_id`. */
	async contents(database = "moved"): Promise<Record<string, string>> {
		const db = this.client.db(database);
		const names = (await db.listCollections({}, { nameOnly: true }).toArray()).map(({ name }) => name).sort();
		const found: Record<string, string> = {};
		for (const name of names) {
			const hash = createHash("sha256");
			let count = 0;
			for await (const raw of db.collection(name).find({}, { raw: true }).sort({ _id: 1 })) {
				hash.update(raw as unknown as Buffer);
				count += 1;
			}
			found[name] = `${count} ${hash.digest("hex")}`;
		}
		return found;
	}
}

/** Registers its start, its clearing before each test and its end. */
export function targetForTests(members: 1 | 3 = 1): TestTarget {
	const target = new TestTarget();
	beforeAll(() => target.start(members), 90_000);
	beforeEach(() => target.empty(), 30_000);
	afterAll(() => target.stop(), 30_000);
	return target;
}
