import type { Collection } from "mongodb";
import { keyOf } from "../../runtime/datastore/key.ts";
import { EntityLoad } from "../../runtime/migrate/entityLoad.ts";
import type { EntityItem, EntityRange } from "../../runtime/migrate/entityPages.ts";
import { openLedger } from "../../runtime/migrate/ledger.ts";
import { type DatastoreMigration, migrationSchema } from "../../runtime/migrate/model.ts";
import { encodeKey } from "../../runtime/migrate/oldKey.ts";
import { openTarget } from "../../runtime/migrate/target.ts";
import { transformer } from "../../runtime/migrate/transform.ts";
import { startReplicaSet } from "../support/replicaSet.ts";
import { builtMap } from "./builtMap.ts";
import { generated } from "./generatedSource.ts";
import { median, spread, timed } from "./stats.ts";

const ROUNDS = Number(process.env.HOLDFAST_ROUNDS ?? 7);
const ENTITIES = Number(process.env.HOLDFAST_ENTITIES ?? 50_000);
const CONCURRENCY = 4;
const PAGE = 500;

/** The declaration of the benchmarks: of the kind `Plain`, to the replica set that HOLDFAST_BENCH_TARGET names. */
export const declared = (change: object = {}): DatastoreMigration =>
	migrationSchema.parse({
		...{ kind: "datastore", name: "bench", idMap: { location: "/nowhere" }, database: "bench" },
		...{
			mongo: { uriVariable: "HOLDFAST_BENCH_TARGET" },
			source: { project: "bench", kinds: ["Plain"], namespaces: [""] },
		},
		...{ concurrency: CONCURRENCY, pageSize: PAGE },
		...change,
	}) as DatastoreMigration;

/** Does all pages, some at once. */
export async function inPages<T>(all: readonly T[], fn: (page: T[]) => Promise<unknown>): Promise<void> {
	const pages = Array.from({ length: Math.ceil(all.length / PAGE) }, (_, at) => all.slice(at * PAGE, (at + 1) * PAGE));
	const worker = async () => {
		for (let page = pages.shift(); page; page = pages.shift()) await fn(page);
	};
	await Promise.all(Array.from({ length: CONCURRENCY }, worker));
}

const insert = (collection: Collection, documents: readonly object[]) =>
	inPages(documents, (page) => collection.insertMany(page as never[], { ordered: false }));

/** Transform and write from memory, against the driver's insertMany of documents that are ready; same concern, batches and concurrency. */
export async function loadBench(): Promise<void> {
	// One member is the harder comparison: nothing hides the transform behind replication.
	for (const members of [3, 1] as const) await loadOn(members);
}

async function loadOn(members: 1 | 3): Promise<void> {
	const set = await startReplicaSet(members);
	process.env.HOLDFAST_BENCH_TARGET = set.uri;
	const declaration = declared();
	const client = await openTarget(declaration.mongo);
	const items: EntityItem[] = generated(ENTITIES).map((entity) => ({ entity, key: encodeKey(keyOf(entity.key!)) }));
	const map = await builtMap(items.map(({ key }) => key));
	const transform = transformer(declaration.rules, "Plain", map);
	const documents = items.map(({ entity, key }) => transform(entity, key).document!);
	const load = new EntityLoad({ declaration, map, client, ledger: openLedger(client, "ledger"), overwrite: false });
	const partition = { index: 0, label: "", range: { namespace: "", kind: "Plain" } satisfies EntityRange };
	const collection = client.db("bench").collection("Plain");
	const [raw, ours]: [number[], number[]] = [[], []];
	for (let round = 0; round <= ROUNDS; round++) {
		const steps: [number[], () => Promise<void>][] = [
			[raw, () => insert(collection, documents)],
			[ours, () => inPages(items, (page) => load.apply(partition, page))],
		];
		for (const [figures, step] of round % 2 === 0 ? steps : steps.toReversed()) {
			const ms = await timed(step);
			// The first round compiles.
			if (round > 0) figures.push(ms);
			await collection.drop();
		}
		console.error(`round ${round} of ${ROUNDS} done`);
	}
	await Promise.all([client.close(), map.close()]);
	await set.stop();
	show(members, raw, ours);
}

function show(members: number, raw: number[], ours: number[]): void {
	console.log(`\n## Migration: ${ENTITIES} entities of 10 properties from memory, ${members} member(s), w: majority\n`);
	console.log(
		`Pages of ${PAGE}, ${CONCURRENCY} at once.\n\n| what | median (range) | entities/s | ratio |\n| --- | --- | --- | --- |`,
	);
	const row = (what: string, ms: number[], ratio: string) =>
		console.log(`| ${what} | ${spread(ms)} | ${((ENTITIES / median(ms)) * 1000).toFixed(0)} | ${ratio} |`);
	row("insertMany of ready documents (mongodb driver)", raw, "1");
	row("transform and write", ours, `${(median(raw) / median(ours)).toFixed(2)} (aim 0.85)`);
}
