import type { MongoClient } from "mongodb";
import { HoldfastError } from "../../errors.ts";
import { openBucket } from "../../gcs/openBucket.ts";
import type { IdMap } from "../idmap/idMap.ts";
import type { Ledger } from "../ledger.ts";
import type { BucketPlace, ObjectsMigration } from "../model.ts";
import type { Transfer } from "../transfer.ts";
import type { Partition, Work } from "../work.ts";
import type { ObjectEnds } from "./ends.ts";
import { searchExtraObjects } from "./extraObjects.ts";
import { loadObjects } from "./loadObjects.ts";
import { makeManifest } from "./makeManifest.ts";
import { entriesNamed, frozenManifest, type ObjectRange, removeOthers } from "./manifest.ts";
import { Naming } from "./naming.ts";
import { RateLimiter } from "./rate.ts";
import { sampleObjects } from "./sampleObjects.ts";
import { surveyObjects } from "./surveyObjects.ts";
import { verifyObjects } from "./verifyObjects.ts";

export interface ObjectTransferOptions {
	map: IdMap;
	ledger: Ledger;
	client: MongoClient;
	/** Overwrite what stands in the target and differs. @default false */
	overwrite?: boolean;
	/** Processes that share the migration, and so the writes a second that a bucket takes. @default 1 */
	processes?: number;
}

/** Objects of a bucket to another one, or to other names. HF_SETTING for rules that are refused. */
export async function objectTransfer(declaration: ObjectsMigration, options: ObjectTransferOptions): Promise<Transfer> {
	const { map, ledger, overwrite = false, processes } = options;
	const limiter = new RateLimiter({ processes });
	const onBusy = () => limiter.slowDown();
	const naming = new Naming(declaration, map);
	const source = openBucket(declaration.source, { onBusy });
	const target = openBucket(declaration.target, { onBusy });
	const ends: ObjectEnds = { declaration, source, target, map, ledger, naming, limiter, overwrite };
	const { name } = declaration;
	if (declaration.source.endpoint !== declaration.target.endpoint)
		throw new HoldfastError("HF_SETTING", `the buckets of migration ${name} are not at one service`, {
			next: "give source and target the same endpoint: objects are copied on the server's side",
		});
	return {
		ends: { source: named(source.name, declaration.source), target: named(target.name, declaration.target) },
		survey: () => surveyObjects(ends),
		async split() {
			// A target that is not there is found before anything is listed.
			await target.list({ maxResults: 1 });
			return makeManifest(ledger, name, { source, prefix: declaration.source.prefix, naming });
		},
		loading: () => loadObjects(ends) as Work<unknown, unknown, never>,
		finish: async () => removeOthers(ledger, name, await frozenManifest(ledger, name)),
		verifying: (report) => verifyObjects(ends, report) as Work<unknown, unknown, never>,
		searching: (report) => searchExtraObjects(ends, report) as ReturnType<Transfer["searching"]>,
		async again(keyed) {
			const manifest = await frozenManifest(ledger, name);
			return entriesNamed(
				ledger,
				manifest,
				keyed.map(({ key }) => key),
			);
		},
		sampling: (report, frozen, size) => sampleObjects(ends, report, frozen as Partition<ObjectRange>[], size),
		async close() {
			await Promise.all([source.close(), target.close()]);
		},
	};
}

const named = (bucket: string, { prefix }: BucketPlace) => (prefix === "" ? bucket : `${bucket}/${prefix}`);
