import { keyOf } from "../../runtime/datastore/key.ts";
import { openSource } from "../../runtime/datastore/open.ts";
import { entityPages } from "../../runtime/migrate/entityPages.ts";
import { splitKinds } from "../../runtime/migrate/entitySplit.ts";
import { encodeKey } from "../../runtime/migrate/oldKey.ts";
import { openTransfer } from "../../runtime/migrate/openTransfer.ts";
import { runMigration } from "../../runtime/migrate/run.ts";
import type { Parts } from "../../runtime/migrate/session.ts";
import { openTarget } from "../../runtime/migrate/target.ts";
import { transformer } from "../../runtime/migrate/transform.ts";
import { startDatastore } from "../support/datastoreEmulator.ts";
import { fakeIdMap } from "../support/fakeIdMap.ts";
import { startReplicaSet } from "../support/replicaSet.ts";
import { generated } from "./generatedSource.ts";
import { declared, inPages } from "./migrateLoad.ts";
import { median, spread, timed } from "./stats.ts";

const ROUNDS = Number(process.env.HOLDFAST_ROUNDS ?? 3);
const ENTITIES = Number(process.env.HOLDFAST_ENTITIES ?? 20_000);

/** A whole run from the emulator, split pass, ledger and all, against reading alone and writing alone. */
export async function endToEndBench(): Promise<void> {
	const [set, emulator] = [await startReplicaSet(1), await startDatastore()];
	process.env.HOLDFAST_BENCH_TARGET = set.uri;
	const entities = generated(ENTITIES);
	await emulator.load(entities);
	const place = { project: emulator.project, emulator: emulator.address };
	const declaration = declared({ source: { ...place, kinds: ["Plain"], namespaces: [""] } });
	const keys = entities.map(({ key }) => encodeKey(keyOf(key!)));
	const map = fakeIdMap(keys);
	const transform = transformer(declaration.rules, "Plain", map);
	const documents = entities.map((entity, at) => transform(entity, keys[at]!).document!);
	const parts: Parts = { openIdMap: async () => map, openTransfer };
	const client = await openTarget(declaration.mongo);
	const steps: Record<string, () => Promise<unknown>> = {
		read: () => readAll(place, declaration),
		write: () =>
			inPages(documents, (page) =>
				client
					.db("bench")
					.collection("Plain")
					.insertMany(page as never[], { ordered: false }),
			),
		run: () => runMigration(declaration, {}, parts),
	};
	const figures: Record<string, number[]> = { read: [], write: [], run: [] };
	for (let round = 0; round <= ROUNDS; round++) {
		for (const [name, step] of Object.entries(steps)) {
			const ms = await timed(step);
			if (round > 0) figures[name]!.push(ms);
			for (const database of ["bench", declaration.ledger]) await client.db(database).dropDatabase();
		}
		console.error(`round ${round} of ${ROUNDS} done`);
	}
	await client.close();
	await emulator.stop();
	await set.stop();
	show(figures as Record<"read" | "write" | "run", number[]>);
}

async function readAll(place: { project: string; emulator: string }, declaration: ReturnType<typeof declared>) {
	const source = await openSource(place);
	const partitions = await splitKinds(declaration, source);
	const page = entityPages(source, declaration.pageSize);
	const worker = async () => {
		for (let next = partitions.shift(); next; next = partitions.shift()) {
			let position: string | undefined;
			for (let done = false; !done; ) ({ position, done } = await page(next, position, AbortSignal.timeout(600_000)));
		}
	};
	await Promise.all(Array.from({ length: declaration.concurrency }, worker));
	await source.close();
}

function show({ read, write, run }: Record<"read" | "write" | "run", number[]>): void {
	const floor = Math.max(median(read), median(write));
	console.log(`\n## Migration: ${ENTITIES} entities of 10 properties, from the Datastore emulator, one member\n`);
	console.log("| what | median (range) | entities/s | slower floor against it |\n| --- | --- | --- | --- |");
	const row = (what: string, ms: number[], ratio: string) =>
		console.log(`| ${what} | ${spread(ms)} | ${((ENTITIES / median(ms)) * 1000).toFixed(0)} | ${ratio} |`);
	row("read only: split and all pages", read, "");
	row("write only: insertMany of ready documents", write, "");
	row("migrate run", run, `${(floor / median(run)).toFixed(2)} (aim 0.8)`);
}
