import { MongoClient } from "mongodb";
import type { Entity } from "../../runtime/datastore/entity.ts";
import { keyOf } from "../../runtime/datastore/key.ts";
import type { DatastoreSource, KeyRange } from "../../runtime/datastore/source.ts";
import { entityTransfer } from "../../runtime/migrate/entityTransfer.ts";
import { type DatastoreMigration, migrationSchema } from "../../runtime/migrate/model.ts";
import { encodeKey } from "../../runtime/migrate/oldKey.ts";
import { runMigration } from "../../runtime/migrate/run.ts";
import type { Parts } from "../../runtime/migrate/session.ts";
import { verifyMigration } from "../../runtime/migrate/verify.ts";
import { plainEntities } from "../support/datastoreFixtures.ts";
import { fakeIdMap } from "../support/fakeIdMap.ts";
import { startReplicaSet } from "../support/replicaSet.ts";
import { median, spread, timed } from "./stats.ts";

const ROUNDS = Number(process.env.HOLDFAST_ROUNDS ?? 5);
const ENTITIES = Number(process.env.HOLDFAST_ENTITIES ?? 100_000);
const PARTITIONS = 8;
const READ_TIME = "2026-11-21T10:00:00Z";

/** A full verification against the load before it, of entities from memory, on a replica set of three. */
export async function verifyBench(): Promise<void> {
	const set = await startReplicaSet(3);
	process.env.HOLDFAST_BENCH_TARGET = set.uri;
	const client = await new MongoClient(set.uri).connect();
	const source = new MemorySource(plainEntities("Plain", ENTITIES));
	const [loads, verifies]: [number[], number[]] = [[], []];
	try {
		for (let round = 1; round <= ROUNDS; round++) {
			const { declaration, parts } = sceneOf(source, round);
			loads.push(await timed(() => runMigration(declaration, {}, parts)));
			verifies.push(await timed(() => verified(declaration, parts)));
			await client.db(declaration.database).dropDatabase();
			console.error(`round ${round} of ${ROUNDS} done`);
		}
	} finally {
		await client.close();
		await set.stop();
	}
	console.log(`\n## Migration: verification of ${ENTITIES} entities, from memory\n`);
	console.log("| what | median (range) | entities/s | against the load |\n| --- | --- | --- | --- |");
	const row = (what: string, ms: number[], more: string) =>
		console.log(`| ${what} | ${spread(ms)} | ${((ENTITIES / median(ms)) * 1000).toFixed(0)} | ${more} |`);
	row("load: transform, insert (w: majority), checkpoints", loads, "1");
	row(
		"verify: both canonical forms, extras, report",
		verifies,
		`${(median(loads) / median(verifies)).toFixed(2)} (aim 1)`,
	);
}

async function verified(declaration: DatastoreMigration, parts: Parts): Promise<void> {
	const { report } = await verifyMigration(declaration, {}, parts);
	if (report?.verdict !== "equal") throw new Error("the load was not equal to its source");
}

function sceneOf(source: MemorySource, round: number) {
	const declaration = migrationSchema.parse({
		...{ kind: "datastore", name: `bench-${round}`, idMap: { location: "/nowhere" }, readTime: READ_TIME },
		...{ mongo: { uriVariable: "HOLDFAST_BENCH_TARGET" }, source: { project: "demo" }, database: `bench${round}` },
	}) as DatastoreMigration;
	const map = fakeIdMap(source.encoded);
	const parts: Parts = {
		openIdMap: async () => map,
		openTransfer: async (_, ends) => {
			const transfer = entityTransfer(declaration, { ...ends, source });
			return { ...transfer, split: async () => source.partitions() };
		},
	};
	return { declaration, parts };
}

/** Entities of one kind, in memory: what is measured is all but the source. */
class MemorySource implements DatastoreSource {
	readonly name = "projects/demo/databases/";
	readonly readTime = READ_TIME;
	readonly pinned = true;
	readonly encoded: Buffer[];
	readonly #entities: Entity[];
	readonly #kind: string;

	constructor(entities: Entity[]) {
		const sorted = entities
			.map((entity) => ({ entity, key: encodeKey(keyOf(entity.key!)) }))
			.sort((a, b) => Buffer.compare(a.key, b.key));
		this.encoded = sorted.map(({ key }) => key);
		this.#entities = sorted.map(({ entity }) => entity);
		this.#kind = keyOf(entities[0]!.key!).path.at(-1)!.kind;
	}

	partitions() {
		const size = Math.ceil(this.encoded.length / PARTITIONS);
		const text = (at: number) => this.encoded[at]?.toString("base64");
		return Array.from({ length: PARTITIONS }, (_, index) => {
			const [from, to] = [index === 0 ? undefined : text(index * size), text((index + 1) * size)];
			const range = { namespace: "", kind: this.#kind, ...(from && { from }), ...(to && { to }) };
			return { index, label: `${this.#kind} ${index + 1}/${PARTITIONS}`, total: size, range };
		});
	}

	/** Place of the first key that is not before this one. */
	#at(key: Buffer): number {
		let [low, high] = [0, this.encoded.length];
		while (low < high) {
			const middle = (low + high) >> 1;
			if (Buffer.compare(this.encoded[middle]!, key) < 0) low = middle + 1;
			else high = middle;
		}
		return low;
	}

	async page({ from, to }: KeyRange, after: Buffer | undefined, limit: number) {
		const first = after ? this.#at(after) + 1 : from ? this.#at(from) : 0;
		const last = to ? this.#at(to) : this.encoded.length;
		const end = Math.min(first + limit, last);
		return { entities: this.#entities.slice(first, end), keys: this.encoded.slice(first, end), done: end === last };
	}

	async keys(range: KeyRange, after: Buffer | undefined, limit: number) {
		const { keys, done } = await this.page(range, after, limit);
		return { keys, done };
	}

	async lookup(keys: readonly Buffer[]) {
		return keys.map((key) => {
			const at = this.#at(key);
			return this.encoded[at]?.equals(key) ? this.#entities[at] : undefined;
		});
	}

	namespaces = async () => [""];
	kinds = async () => [this.#kind];
	count = async () => this.encoded.length;
	scatter = async () => [];
	close = async () => {};
}
