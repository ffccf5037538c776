import { HoldfastError } from "../errors.ts";
import { Caller, PATIENCE, type Patience } from "./caller.ts";
import { type DatastoreClient, openClient } from "./client.ts";
import { LOG_IN } from "./failure.ts";
import { identityOf } from "./identity.ts";
import { Reader } from "./reader.ts";
import { checkReadTime, expiryOf } from "./readTime.ts";
import { RemoteSource } from "./remoteSource.ts";
import type { DatastoreSource, SourceOptions } from "./source.ts";

/**
 * A Datastore to read from. With a read time, one read tries whether the server honours it: an emulator that does not is
 * read in the present (`pinned` false), a service that does not is refused (HF_REJECTED). HF_SETTING for a read time that
 * cannot be kept; else as DatastoreSource says.
 */
export async function openSource(options: SourceOptions, patience: Patience = PATIENCE): Promise<DatastoreSource> {
	const { project, database = "", readTime, retentionHours = 1 } = options;
	const identity = identityOf(options);
	const { emulator } = identity;
	if (readTime !== undefined) checkReadTime(readTime, retentionHours);
	const caller = new Caller(emulator ?? "datastore.googleapis.com", patience);
	const client = await connect(caller, project, emulator);
	const close = async () => {
		caller.close();
		await client.close();
	};
	const place = { project, database, ...(readTime !== undefined && { readTime }) };
	try {
		const pinned = readTime !== undefined && (await new Reader(client, caller, place, false).isHonoured());
		if (readTime !== undefined && !pinned && emulator === undefined)
			throw new HoldfastError("HF_REJECTED", `${project} does not answer for a read time`, {
				next: "leave the read time out and freeze the source, or move it to Firestore in Datastore mode first",
			});
		const expiresAt = pinned ? { expiresAt: expiryOf(readTime, retentionHours) } : {};
		return new RemoteSource(new Reader(client, caller, place, pinned), { ...identity, pinned, close, ...expiresAt });
	} catch (error) {
		await close();
		throw error;
	}
}

/** Nothing is asked of the service yet: what fails here, and does not pass, are the credentials. */
async function connect(caller: Caller, project: string, emulator: string | undefined): Promise<DatastoreClient> {
	try {
		return await caller.call("credentials", () => openClient(project, emulator));
	} catch (error) {
		if (!(error instanceof HoldfastError) || error.code !== "HF_REJECTED") throw error;
		throw new HoldfastError("HF_CREDENTIALS", `no credentials for ${project}`, { next: LOG_IN, cause: error.cause });
	}
}
