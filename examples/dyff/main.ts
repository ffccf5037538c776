// The programs of the walk in docs/migrate.md: npm run --silent example:dyff -- start | seed | look | write | stop | forget
import { rmSync } from "node:fs";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { BSON } from "mongodb";
import { openClient } from "../../runtime/datastore/client.ts";
import { describe } from "../../runtime/errors.ts";
import { openBucket } from "../../runtime/gcs/openBucket.ts";
import { openTarget } from "../../runtime/migrate/target.ts";
import { entities, objects, PROJECT, SOURCE, TARGET } from "./data.ts";
import { start, stop } from "./emulators.ts";

const TARGET_SET = { access: { stack: "local", cluster: "rs0" } };
const endpoint = () => process.env.STORAGE_EMULATOR_HOST!;

/** Fills the Datastore and one of two buckets. */
async function seed(): Promise<void> {
	const client = await openClient(PROJECT, process.env.DATASTORE_EMULATOR_HOST);
	const mutations = entities.map((upsert) => ({ upsert }));
	await client.commit({ projectId: PROJECT, mode: "NON_TRANSACTIONAL", mutations });
	await client.close();
	for (const name of [SOURCE, TARGET]) {
		const headers = { "content-type": "application/json" };
		await fetch(`${endpoint()}/storage/v1/b?project=${PROJECT}`, {
			method: "POST",
			headers,
			body: JSON.stringify({ name }),
		});
	}
	const bucket = openBucket({ bucket: SOURCE });
	for (const object of objects)
		await bucket.write(
			object.name,
			Buffer.from(object.text),
			{ contentType: object.type },
			{
				ifGenerationMatch: "0",
			},
		);
	await bucket.close();
	console.log(`${entities.length} entities in ${PROJECT}, ${objects.length} objects in gs://${SOURCE}`);
}

/** What somebody might do who was not told of the migration: a double becomes an integer. */
async function write(): Promise<void> {
	const client = await openClient(PROJECT, process.env.DATASTORE_EMULATOR_HOST);
	const upsert = entities.find(({ key }) => key?.path?.[0]?.name === "dataset-3")!;
	upsert.properties!.weight = { integerValue: "3" };
	await client.commit({ projectId: PROJECT, mode: "NON_TRANSACTIONAL", mutations: [{ upsert }] });
	await client.close();
	console.log("Dataset dataset-3 has the weight 3 now; it had 3.0");
}

/** Prints what became of one report and of its object. */
async function look(): Promise<void> {
	const client = await openTarget(TARGET_SET);
	const options = { promoteValues: false };
	const report = await client.db("dyff").collection("reports").findOne({ _old: "Report:8" }, options);
	await client.close();
	console.log(BSON.EJSON.stringify(report, undefined, 2, { relaxed: false }));
	const bucket = openBucket({ bucket: TARGET });
	const name = `reports/${report?._id}.json`;
	const info = await bucket.stat(name);
	if (info) console.log(`${name}\n${await text(await bucket.read(name, { generation: info.generation }))}`);
	await bucket.close();
}

/** Takes away what the walk made, so that it can be walked again. */
async function forget(): Promise<void> {
	const client = await openTarget(TARGET_SET);
	for (const database of ["dyff", "dyff_ledger"]) await client.db(database).dropDatabase();
	await client.close();
	for (const made of ["map", "map.secret"]) rmSync(join("examples/dyff", made), { recursive: true, force: true });
}

const verbs: Record<string, () => Promise<void> | void> = { start, seed, look, write, stop, forget };
const verb = verbs[process.argv[2] ?? ""];
try {
	if (!verb) throw new Error(`say one of ${Object.keys(verbs).join(", ")}`);
	await verb();
} catch (error) {
	console.error(describe(error));
	process.exitCode = 1;
}
