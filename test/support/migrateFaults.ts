import { MongoClient } from "mongodb";
import { HoldfastError } from "../../runtime/errors.ts";
import { type RunOutcome, runMigration } from "../../runtime/migrate/run.ts";
import type { Scene } from "./migrateScene.ts";
import type { ReplicaSet } from "./replicaSet.ts";

export interface Endured {
	outcome: RunOutcome;
	/** Runs that ended with what may pass, and were started again as a Job does. */
	again: number;
}

/** Runs a migration as a Job does: again, as long as it ends with an exit code that says so. */
export async function runAsJob({ declaration, parts }: Scene, most = 20): Promise<Endured> {
	for (let again = 0; ; again++) {
		try {
			return { outcome: await runMigration(declaration, {}, parts), again };
		} catch (error) {
			const passing =
				error instanceof HoldfastError && ["HF_RETRY", "HF_UNREACHABLE", "HF_LOCKED"].includes(error.code);
			if (!passing || again === most) throw error;
		}
	}
}

/** Documents that one member has, acknowledged by others or not; 0 while it does not answer. */
export async function countOn(set: ReplicaSet, member: number, collection: string): Promise<number> {
	const options = { directConnection: true, serverSelectionTimeoutMS: 2000, socketTimeoutMS: 5000 };
	const client = new MongoClient(`mongodb://${set.hosts[member]}/?readPreference=secondaryPreferred`, options);
	try {
		const found = client.db("moved").collection(collection);
		return await found.countDocuments({}, { readConcern: { level: "local" } });
	} catch {
		return 0;
	} finally {
		await client.close();
	}
}
